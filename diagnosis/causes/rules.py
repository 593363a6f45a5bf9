"""Five rules, one for each cause: its figures, its verdict, and that in words.

Each failure follows from a lack of some supervision (`Failure.need`). Where that has
too little of the loss, the cause is the share of the loss if the mixture has the
supervision, and the mix itself if it does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..audit.audit import Verdict
from ..failures.failure import Failure, Need
from ..failures.registry import failures
from ..findings.complaints import Complaint
from ..scores.score import Score
from ..traits.document_fit import DocumentFit, Packing
from ..traits.objective_traits import share_of_modes, trained_modes
from ..traits.traits import MEASURED, MixtureTraits
from ..wording import listed, phrases
from .cause import (
    NEVER,
    OUT_OF_SIGHT,
    CauseVerdict,
    Evidence,
    carriers,
    figures,
    symptoms,
)

say = phrases(Path(__file__).with_name("words.txt"))


class Case(NamedTuple):
    """The arguments of `causes`."""

    mixture: MixtureTraits
    wanted: tuple[Failure, ...]
    audit: Sequence[Verdict]
    packing: Packing | None
    scores: Sequence[Score]
    complaints: Sequence[Complaint]


class Finding(NamedTuple):
    """The result of a rule.

    Attributes:
      statement: the verdict in words.
      evidence: the figures.
      reasons: a clause for each failure explained; empty if the cause is not found.
      could: failures that the cause could explain; None for all.
      measured: whether enough is known to rule the cause out.
    """

    statement: str
    evidence: Sequence[Evidence] = ()
    reasons: Mapping[str, str] = {}
    could: Sequence[Failure] | None = None
    measured: bool = True

    @property
    def verdict(self) -> CauseVerdict:
        unexplained = "ruled out" if self.measured else "not measured"
        return "found" if self.reasons else unexplained


class Clause(NamedTuple):
    """What a rule says of one failure: a clause, and why it follows, or ""."""

    failure: Failure
    text: str
    reason: str


def _of_each(
    intro: str, clauses: Iterable[Clause], evidence: Sequence[Evidence]
) -> Finding:
    clauses = list(clauses)
    sentences = (f"{clause.failure.heading}: {clause.text}." for clause in clauses)
    reasons = {c.failure.name: c.reason for c in clauses if c.reason}
    return Finding(" ".join((intro, *sentences)), evidence, reasons)


def leak(case: Case) -> Finding:
    """Whether slots see tokens they must not, so that a low loss shows no learning.

    A leak explains the failures whose need the leaking objective meets; if it meets
    none, all of them, since the model learnt to copy instead.
    """
    if not case.audit:
        text = "There is no checkpoint, so what its slots see was not audited."
        return Finding(text, measured=False)
    evidence: list[Evidence] = []
    for name, *_, checked, leaks, blind in case.audit:
        counts = {
            f"{name}: pairs of slots checked": checked,
            f"{name}: pairs that depend and must not": leaks,
            f"{name}: pairs that may depend and do not": blind,
        }
        evidence += figures("count", "leak audit of this checkpoint", counts)
    audited = {verdict.objective for verdict in case.audit}
    missing = [name for name in case.mixture.objectives if name not in audited]
    leaking = [verdict.objective for verdict in case.audit if verdict.leaks]
    text = say("leaks", case.audit, missing, leaking)
    reason = f"predictions of {listed(leaking)} depend on tokens they must not see"
    explained = {f.name for name in leaking for f in _taught(case, name)}
    reasons = {f.name: reason for f in case.wanted if f.name in explained}
    return Finding(text, evidence, reasons, measured=not missing)


def _taught(case: Case, objective: str) -> Sequence[Failure]:
    """The failures whose need an objective meets; all if it meets none."""
    traits = case.mixture.objectives.get(objective)
    if traits is None:
        return case.wanted
    return [f for f in case.wanted if f.need.amount(traits) > 0.5] or case.wanted


def untrained_mode(case: Case) -> Finding:
    """Whether a failure shows in a use whose mode was never trained."""
    overall = case.mixture.overall["examples"]
    modes = trained_modes(overall)
    trained = {mode: share for mode, share in overall.modes.items() if share}
    by_mode = {f"Examples that ask in {mode} mode": s for mode, s in trained.items()}
    evidence = figures("share", MEASURED, by_mode)
    clauses: list[Clause] = []
    for failure in case.wanted:
        need = failure.need
        share = share_of_modes(modes, need.modes)
        scores = [s for s in case.scores if s.failure == failure.name]
        untrained = [s for s in scores if not s.trained]
        label = f"Examples that ask as {need.use} does"
        evidence += figures("share", MEASURED, {label: share})
        evidence += symptoms(failure.name, untrained)
        never = say("asked", share, need.modes)
        others = dict.fromkeys(score.mode for score in untrained)
        note = say("untrained", untrained, scores, others)
        why = note if 0 < len(scores) == len(untrained) else ""
        text = f"{never}; {note}" if untrained else never
        clauses.append(Clause(failure, text, never if share < NEVER else why))
    return _of_each(say("modes", case.mixture.name, trained, NEVER), clauses, evidence)


def truncation(case: Case) -> Finding:
    """Whether windows lack the start of the document.

    That explains failures that need it (`Failure.needs_start`). Measured on objectives
    that meet their needs; if there are none, on the widest windows.
    """
    packing, could = case.packing, [f for f in case.wanted if f.needs_start]
    if packing is None or not packing.fits:
        text = "The corpus was not read, so windows and rows were not measured."
        return Finding(text, could=could, measured=False)
    needs = [f.need for f in failures().values() if f.needs_start]
    onward = {name for need in needs for name in carriers(case.mixture, need)}
    fits = [fit for fit in packing.fits if fit.objective in onward]
    fits = fits or [max(packing.fits, key=lambda fit: fit.window)]
    hidden = [fit for fit in fits if fit.unseen > OUT_OF_SIGHT]
    text = say("windows", hidden or fits, OUT_OF_SIGHT, packing.utilisation, hidden)
    evidence = [figure for fit in packing.fits for figure in _fit_evidence(fit)]
    if packing.utilisation is not None:
        filled = {"slots of rows that are filled": packing.utilisation}
        evidence += figures("share", f"{packing.examples:,} packed examples", filled)
    if not hidden:
        return Finding(text, evidence, could=could)
    reason = say("hides", max(hidden, key=lambda fit: fit.unseen))
    return Finding(text, evidence, {f.name: reason for f in could}, could)


def _fit_evidence(fit: DocumentFit) -> list[Evidence]:
    name, source = fit.objective, f"lengths of {fit.documents:,} documents"
    shares = {
        f"{name}: documents cut into several windows": fit.cut,
        f"{name}: tokens in windows without their document's start": fit.unseen,
        f"{name}: documents too short for a window": fit.dropped,
    }
    window = figures("tokens", source, {f"{name}: most in a window": fit.window})
    return window + figures("share", source, shares)


def _supply(mixture: MixtureTraits, need: Need) -> tuple[float, float, str]:
    """Shares of the supervision and of the loss on a need, and both in words."""
    present = need.amount(mixture.overall[need.by])
    loss = need.amount(mixture.overall["loss"])
    return present, loss, say("supply", present, loss, need)


def loss_share(case: Case) -> Finding:
    """Whether what a failure needs is supervised, but has too little of the loss."""
    mixture = case.mixture
    shares = {f"loss of {name}": share for name, share in mixture.loss.items()}
    tokens = {
        f"tokens that an Example of {name} asks": traits.supervised
        for name, traits in mixture.objectives.items()
    }
    evidence = figures("share", mixture.loss_source, shares)
    evidence += figures("tokens", MEASURED, tokens)
    clauses: list[Clause] = []
    for failure in case.wanted:
        need = failure.need
        present, loss, text = _supply(mixture, need)
        drowned = loss < need.little <= present
        names, notes = carriers(mixture, need), []
        if drowned and (others := sorted(mixture.loss.keys() - names)):
            most = max(others, key=mixture.loss.__getitem__)
            share = mixture.loss[most]
            notes.append(say("takes", most, mixture.objectives[most], share))
        details = say("detailed", text, names, need, notes)
        clauses.append(Clause(failure, details, text if drowned else ""))
    intro = f"Under the normalisation {mixture.normalisation!r} of the loss."
    return _of_each(intro, clauses, evidence)


def objective_mix(case: Case) -> Finding:
    """Whether the mixture lacks the supervision that a failure needs, or has a flaw."""
    mixture = case.mixture
    evidence: list[Evidence] = []
    clauses: list[Clause] = []
    for failure in case.wanted:
        need = failure.need
        present, loss, text = _supply(mixture, need)
        label, source = f"{need.unit} on {need.name}", mixture.loss_source
        evidence += figures("share", MEASURED, {label: present})
        evidence += figures("share", source, {f"loss on {need.name}": loss})
        reason = text if max(present, loss) < need.little else ""
        notes = [_instead(mixture, need)] if reason else []
        if flaw := failure.flaw(mixture.overall["examples"]):
            evidence += figures("share", MEASURED, flaw.shares)
            notes += [flaw.text] if flaw.text else []
            reason = reason or flaw.text
        evidence += symptoms(failure.name, case.scores, case.complaints)
        details = say("detailed", text, carriers(mixture, need), need, notes)
        clauses.append(Clause(failure, details, reason))
    return _of_each(f"In the mixture {mixture.name!r}.", clauses, evidence)


def _instead(mixture: MixtureTraits, need: Need) -> str:
    """What the objectives mostly train: kinds of tokens or, of Examples, modes."""
    kinds: dict[str, list[str]] = {}
    for name, traits in mixture.objectives.items():
        shares = {f"{mode} mode": share for mode, share in traits.modes.items()}
        if need.by == "supervised":
            shares = {
                "tokens from the past": traits.past,
                "tokens from both sides": traits.both,
                "permuted tokens": traits.permuted,
            }
        kinds.setdefault(max(shares, key=shares.__getitem__), []).append(name)
    return say("instead", kinds)
