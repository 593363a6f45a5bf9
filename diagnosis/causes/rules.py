"""Five rules, one a cause: its figures, its verdict and the clauses that say it.

For each failure there is something that a mixture has to ask for (`cause.NEEDS`). Where
that has little of the loss, the cause is the share of the loss if the mixture does ask
for it, and the mix if it does not.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..audit.audit import Verdict
from ..scores.complaints import Complaint
from ..scores.score import FAILURES, Failure, Score
from ..traits.document_fit import DocumentFit, Packing
from ..traits.forms import NEGATIVE_KINDS
from ..traits.objective_traits import Traits
from ..traits.traits import MEASURED, MixtureTraits
from .cause import (
    LITTLE_ORDER,
    NEEDS,
    NEVER,
    ONE_SIDED,
    OUT_OF_SIGHT,
    Evidence,
    Need,
    amount,
    carriers,
    figures,
    listed,
    named,
    ordered,
    percent,
    shown,
)


class Case(NamedTuple):
    """What is known of a model that fails: the arguments of `causes`."""

    mixture: MixtureTraits
    wanted: tuple[Failure, ...]
    audit: Sequence[Verdict]
    packing: Packing | None
    scores: Sequence[Score]
    complaints: Sequence[Complaint]


class Finding(NamedTuple):
    """What a rule found.

    Attributes:
      statement: the verdict in words.
      evidence: the figures.
      reasons: a clause for each failure that is explained; none if not found.
      could: failures that the cause could explain.
      measured: whether enough is known to rule it out.
    """

    statement: str
    evidence: Sequence[Evidence] = ()
    reasons: Mapping[Failure, str] = {}
    could: tuple[Failure, ...] = FAILURES
    measured: bool = True


def _of_each(
    intro: str, told: Mapping[Failure, tuple[str, str]], evidence: Sequence[Evidence]
) -> Finding:
    """A finding: what is told of each failure, and why it is explained, if it is."""
    clauses = (f"{named(failure)}: {clause}." for failure, (clause, _) in told.items())
    reasons: dict[Failure, str] = {f: why for f, (_, why) in told.items() if why}
    return Finding(" ".join((intro, *clauses)), evidence, reasons)


def leak(case: Case) -> Finding:
    """Whether slots see what they must not: then a loss is low for nothing learnt.

    It explains the failures whose need the leaking objective answers; where it answers
    none, any, for what the model learnt instead of its task is a copy.
    """
    if not case.audit:
        told = "There is no checkpoint, so what its slots see was not audited."
        return Finding(told, measured=False)
    evidence: list[Evidence] = []
    for name, *_, checked, leaks, blind in case.audit:
        counts = {
            f"{name}: pairs of slots checked": checked,
            f"{name}: pairs that depend and must not": leaks,
            f"{name}: pairs that may depend and do not": blind,
        }
        evidence += figures("count", "leak audit of this checkpoint", counts)
    counts = (f"{v.objective} {v.leaks:,} of {v.pairs_checked:,}" for v in case.audit)
    audited = {verdict.objective for verdict in case.audit}
    missing = [name for name in case.mixture.objectives if name not in audited]
    told = (
        f"Of {sum(v.pairs_checked for v in case.audit):,} pairs of slots these depend "
        f"and must not: {listed(counts)}; {sum(v.blind for v in case.audit):,} may "
        f"depend and do not; not audited: {listed(missing)}."
    )
    leaking = [verdict.objective for verdict in case.audit if verdict.leaks]
    if leaking:
        told += " Mend this first: every other figure of what leaks may be the leak's."
    reason = f"predictions of {listed(leaking)} depend on tokens they must not see"
    explained: list[Failure] = [f for name in leaking for f in _taught(case, name)]
    reasons = dict.fromkeys(ordered(explained, case.wanted), reason)
    return Finding(told, evidence, reasons, measured=not missing)


def _taught(case: Case, objective: str) -> Sequence[Failure]:
    """The failures whose need an objective answers; all where it answers none."""
    traits = case.mixture.objectives.get(objective)
    if traits is None:
        return case.wanted
    return [f for f in case.wanted if amount(traits, NEEDS[f]) > 0.5] or case.wanted


def untrained_mode(case: Case) -> Finding:
    """Whether a failure shows in a use that asks in a mode that was not trained."""
    modes = case.mixture.overall["examples"].modes
    trained = {mode: share for mode, share in modes.items() if share}
    by_mode = {f"Examples that ask in {mode} mode": s for mode, s in trained.items()}
    evidence = figures("share", MEASURED, by_mode)
    told: dict[Failure, tuple[str, str]] = {}
    for failure in case.wanted:
        need = NEEDS[failure]
        share = sum(modes[mode] for mode in need.modes)
        scores = [s for s in case.scores if s.failure == failure]
        untrained = [s for s in scores if not s.trained]
        asked = f"Examples that ask as {need.use} does"
        evidence += figures("share", MEASURED, {asked: share})
        evidence += shown(failure, untrained)
        wants = listed(need.modes, last="or")
        never = f"{percent(share)} of the Examples ask in {wants} mode"
        others = listed(dict.fromkeys(s.mode for s in untrained))
        taken = f"{len(untrained)} of its {len(scores)} scores are in untrained modes "
        taken += f"({others})"
        every = taken if 0 < len(scores) == len(untrained) else ""
        clause = f"{never}; {taken}" if untrained else never
        told[failure] = clause, never if share < NEVER else every
    by_share = listed(f"{mode} ({percent(share)})" for mode, share in trained.items())
    intro = f"{case.mixture.name} trains these modes: {by_share}; less than "
    intro += f"{percent(NEVER)} counts as never trained."
    return _of_each(intro, told, evidence)


def truncation(case: Case) -> Finding:
    """Whether windows hide from a text how its document began.

    That explains drift: what is out of sight cannot be agreed with. It is looked for
    where text is continued; where nothing continues any, in the widest windows.
    """
    packing, could = case.packing, ordered(("drift",), case.wanted)
    if packing is None or not packing.fits:
        told = "The corpus was not read, so windows and rows were not measured."
        return Finding(told, could=could, measured=False)
    onward = carriers(case.mixture, NEEDS["drift"])
    fits = [fit for fit in packing.fits if fit.objective in onward]
    fits = fits or [max(packing.fits, key=lambda fit: fit.window)]
    hidden = [fit for fit in fits if fit.unseen > OUT_OF_SIGHT]
    told = "; ".join(
        f"{f.objective} cuts {percent(f.cut)} of the documents into several windows of "
        f"up to {f.window:,} tokens, and {percent(f.unseen)} of its tokens cannot see "
        "their document's start"
        for f in hidden or fits
    )
    told += f" (a cause above {percent(OUT_OF_SIGHT)})."
    evidence = [one for fit in packing.fits for one in _fit_evidence(fit)]
    if packing.utilisation is not None:
        filled = {"slots of rows that are filled": packing.utilisation}
        evidence += figures("share", f"{packing.examples:,} packed examples", filled)
        told += f" {percent(packing.utilisation)} of the slots of rows are filled; no "
        told += "Example is cut."
    if not hidden:
        return Finding(told, evidence, could=could)
    told += " Wider rows or shorter documents mend this, other rates do not."
    worst = max(hidden, key=lambda fit: fit.unseen)
    reason = (
        f"windows hide the start of the document from {percent(worst.unseen)} of the "
        f"tokens of {worst.objective}"
    )
    return Finding(told, evidence, dict.fromkeys(could, reason), could)


def _fit_evidence(fit: DocumentFit) -> list[Evidence]:
    name, source = fit.objective, f"lengths of {fit.documents:,} documents"
    shares = {
        f"{name}: documents cut into several windows": fit.cut,
        f"{name}: tokens in windows without their document's start": fit.unseen,
        f"{name}: documents too short for a window": fit.dropped,
    }
    window = figures("tokens", source, {f"{name}: most in a window": fit.window})
    return window + figures("share", source, shares)


def _supply(mixture: MixtureTraits, need: Need) -> tuple[float, float, str, str]:
    """Shares of what is asked and of the loss on a need; both in words; and more."""
    present = amount(mixture.overall[need.by], need)
    loss = amount(mixture.overall["loss"], need)
    link = "but only" if loss < need.little <= present else "and"
    both = f"{percent(present)} of the {need.unit} {link} {percent(loss)} of the loss"
    names = carriers(mixture, need)
    more = f", from {listed(names)}" if names else ""
    more += f" (little is below {percent(need.little)})"
    return present, loss, f"{both} are on {need.name}", more


def loss_share(case: Case) -> Finding:
    """Whether what a failure needs is asked for, but has little of the loss."""
    mixture = case.mixture
    shares = {f"loss of {name}": share for name, share in mixture.loss.items()}
    tokens = {
        f"tokens that an Example of {name} asks": traits.supervised
        for name, traits in mixture.objectives.items()
    }
    evidence = figures("share", mixture.loss_source, shares)
    evidence += figures("tokens", MEASURED, tokens)
    told: dict[Failure, tuple[str, str]] = {}
    for failure in case.wanted:
        need = NEEDS[failure]
        present, loss, clause, more = _supply(mixture, need)
        drowned = loss < need.little <= present
        others = mixture.loss.keys() - carriers(mixture, need)
        if drowned and others:
            most = max(sorted(others), key=mixture.loss.__getitem__)
            more += f"; {most}, with {mixture.objectives[most].supervised:,.0f} "
            more += f"supervised tokens an Example, takes {percent(mixture.loss[most])}"
        told[failure] = clause + more, clause if drowned else ""
    intro = f"Under the normalisation {mixture.normalisation!r} of the loss."
    return _of_each(intro, told, evidence)


def objective_mix(case: Case) -> Finding:
    """Whether the mixture does not ask for what a failure needs.

    Drift: text from the strict past. Continuation: labels of pairs, and negatives from
    the same document, without which order goes untested. Reconstruction: whole texts.
    """
    mixture, pairs = case.mixture, case.mixture.overall["examples"]
    evidence: list[Evidence] = []
    told: dict[Failure, tuple[str, str]] = {}
    for failure in case.wanted:
        need = NEEDS[failure]
        present, loss, clause, more = _supply(mixture, need)
        asked, source = f"{need.unit} on {need.name}", mixture.loss_source
        evidence += figures("share", MEASURED, {asked: present})
        evidence += figures("share", source, {f"loss on {need.name}": loss})
        why = clause if max(present, loss) < need.little else ""
        more += _instead(mixture, failure) if why else ""
        if failure == "continuation" and pairs.labels:
            kinds = {f"negatives: {kind}": pairs.kinds[kind] for kind in NEGATIVE_KINDS}
            negatives = {"negative pairs": pairs.negatives, **kinds}
            evidence += figures("share", MEASURED, negatives)
            fault = _pair_fault(pairs)
            more, why = more + (fault and f"; {fault}"), why or fault
        evidence += shown(failure, case.scores, case.complaints)
        told[failure] = clause + more, why
    return _of_each(f"In the mixture {mixture.name!r}.", told, evidence)


def _instead(mixture: MixtureTraits, failure: Failure) -> str:
    """What objectives mostly ask: what tokens, for drift; else in which mode."""
    kinds: dict[str, list[str]] = {}
    for name, traits in mixture.objectives.items():
        asked = {f"{mode} mode": share for mode, share in traits.modes.items()}
        if failure == "drift":
            asked = {
                "tokens from the past": traits.past,
                "tokens from both sides": traits.both,
                "permuted tokens": traits.permuted,
            }
        kinds.setdefault(max(asked, key=asked.__getitem__), []).append(name)
    told = listed(f"{kind} ({listed(names)})" for kind, names in kinds.items())
    return f"; asked instead: {told}"


def _pair_fault(pairs: Traits) -> str:
    """What is wrong with the labels of pairs; "" where nothing is."""
    if not ONE_SIDED <= pairs.negatives <= 1 - ONE_SIDED:
        return (
            f"{percent(pairs.negatives)} of the labels say that a pair does not "
            f"continue: one answer is nearly always right (below {percent(ONE_SIDED)} "
            "of either)"
        )
    ordering = pairs.kinds["further"] + pairs.kinds["swapped"]
    if ordering >= LITTLE_ORDER:
        return ""
    return (
        f"of the negative pairs {percent(pairs.kinds['other'])} are with another "
        f"document and {percent(ordering)} of the same one, further on or swapped "
        f"(little is below {percent(LITTLE_ORDER)}): order is not tested"
    )
