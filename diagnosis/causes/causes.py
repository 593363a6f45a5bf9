"""Why a model fails: five causes, checked in the order in which they shadow each other.

A leak makes every other figure meaningless; a mode that was never trained fails however
good the mix; and so on down to the mix itself. No source links
the rates of objectives to these failures directly: the links of the fourth and the
fifth cause are hypotheses, which `sightline study` tests.
"""

import itertools
from collections.abc import Sequence

from ...objectives.errors import UsageError
from ..audit.audit import Verdict
from ..scores.complaints import Complaint
from ..scores.score import FAILURES, Failure, Score
from ..traits.document_fit import Packing
from ..traits.traits import MEASURED, MixtureTraits
from .cause import (
    NEEDS,
    NEVER,
    OUT_OF_SIGHT,
    Cause,
    Evidence,
    amount,
    carriers,
    either,
    listed,
    named,
    ordered,
    percent,
    shown,
)
from .mix_causes import loss_share, objective_mix

AUDITED = "leak audit of this checkpoint"


def causes(
    mixture: MixtureTraits,
    *,
    audit: Sequence[Verdict] | None = None,
    packing: Packing | None = None,
    scores: Sequence[Score] | None = None,
    complaints: Sequence[Complaint] | None = None,
    failures: Sequence[Failure] = FAILURES,
) -> tuple[Cause, ...]:
    """The five causes, in order: leak, mode, packing, share of the loss, mix.

    Args:
      mixture: what it asks of a model.
      audit: of the checkpoint; None where there is none.
      packing: of the corpus; None where it was not read.
      scores: of the probes; None where there is no checkpoint.
      complaints: that the team has; a failure that reviewers looked for and never
        found is left out, and so is one that is not named.
      failures: to explain.

    Returns:
      Each with its verdict, the failures that it explains, and its evidence.

    Raises:
      ValueError: no failure is left to explain.
    """
    if complaints is not None:
        had = {c.failure for c in complaints if c.count != 0}
        failures = [failure for failure in failures if failure in had]
    wanted = ordered(failures, FAILURES)
    if not wanted:
        raise UsageError(
            "there is no failure to explain: none was asked for that reviewers found; "
            f"name one of {', '.join(FAILURES)}, or leave out the findings."
        )
    told = tuple(s for s in scores or () if s.failure in wanted)
    return (
        leak(mixture, audit, wanted),
        untrained_mode(mixture, told, wanted),
        truncation(mixture, packing, wanted),
        loss_share(mixture, wanted),
        objective_mix(mixture, told, complaints or (), wanted),
    )


def leak(
    mixture: MixtureTraits, audit: Sequence[Verdict] | None, wanted: Sequence[Failure]
) -> Cause:
    """Whether slots see what they must not: then a loss is low for nothing learnt.

    It explains the failures whose need the leaking objective answers; where it answers
    none, any, for what the model learnt instead of its task is a copy.
    """
    name, failures = "information leak", tuple(wanted)
    if not audit:
        statement = "There is no checkpoint, so what its slots see was not audited."
        return Cause(1, name, "not measured", failures, statement, ())
    evidence = tuple(e for verdict in audit for e in _audit_evidence(verdict))
    leaking = [v for v in audit if v.leaks]
    if leaking:
        explained = [_answered(mixture, v.objective, wanted) for v in leaking]
        told = listed(
            f"{v.objective} ({v.leaks:,} of {v.pairs_checked:,} pairs of slots)"
            for v in leaking
        )
        statement = (
            f"Predictions depend on tokens that they must not see: {told}. Mend this "
            "first: until then every other figure of these objectives may be a leak's."
        )
        failures = ordered(itertools.chain.from_iterable(explained), wanted)
        reason = (
            f"predictions of {listed(v.objective for v in leaking)} depend on tokens "
            "that they must not see"
        )
        reasons = dict.fromkeys(failures, reason)
        return Cause(1, name, "found", failures, statement, evidence, reasons)
    missing = [o for o in mixture.objectives if o not in {v.objective for v in audit}]
    if missing:
        statement = f"No leak where it was looked for; not audited: {listed(missing)}."
        return Cause(1, name, "not measured", failures, statement, evidence)
    pairs, blind = sum(v.pairs_checked for v in audit), sum(v.blind for v in audit)
    statement = (
        f"None of {pairs:,} pairs of slots, over {listed(v.objective for v in audit)}, "
        f"depends where it must not; {blind:,} that may depend do not."
    )
    return Cause(1, name, "ruled out", failures, statement, evidence)


def _audit_evidence(verdict: Verdict) -> list[Evidence]:
    """Counts of pairs of slots: one asks, one holds a token."""
    counts = {
        "pairs of slots checked": verdict.pairs_checked,
        "pairs that depend and must not": verdict.leaks,
        "pairs that may depend and do not": verdict.blind,
    }
    return [
        Evidence(f"{verdict.objective}: {what}", float(count), "count", AUDITED)
        for what, count in counts.items()
    ]


def _answered(
    mixture: MixtureTraits, objective: str, wanted: Sequence[Failure]
) -> tuple[Failure, ...]:
    """The failures whose need an objective answers; all where it answers none."""
    traits = mixture.objectives.get(objective)
    every = ordered(wanted, wanted)
    if traits is None:
        return every
    mine: list[Failure] = [f for f in every if amount(traits, NEEDS[f]) > 0.5]
    return ordered(mine, wanted) or every


def untrained_mode(
    mixture: MixtureTraits, scores: Sequence[Score], wanted: Sequence[Failure]
) -> Cause:
    """Whether a failure shows in a use that asks in a mode that was not trained."""
    shares = mixture.overall["examples"].modes
    evidence = [
        Evidence(f"Examples that ask in {mode} mode", share, "share", MEASURED)
        for mode, share in shares.items()
        if share
    ]
    trained = listed(f"{mode} ({percent(s)})" for mode, s in shares.items() if s)
    reasons: dict[Failure, str] = {}
    parts: list[str] = []
    for failure in wanted:
        need = NEEDS[failure]
        share = sum(shares[mode] for mode in need.modes)
        mine = [s for s in scores if s.failure == failure]
        untrained = [s for s in mine if not s.trained]
        if share < NEVER:
            reasons[failure] = (
                f"{percent(share) if share else 'none'} of the training Examples "
                f"ask for this ({either(need.modes)} mode)"
            )
        elif mine and len(untrained) == len(mine):
            modes = listed(dict.fromkeys(s.mode for s in untrained))
            reasons[failure] = f"every score of it is in an untrained mode ({modes})"
        told = f"{named(failure)}: {need.use} asks in {' or '.join(need.modes)} mode, "
        told += f"as {percent(share)} of the Examples do"
        if untrained:
            asked = listed(dict.fromkeys(s.mode for s in untrained))
            told += f", and {len(untrained)} of {len(mine)} scores of it were taken in "
            told += f"a mode that was not trained ({asked})"
        parts.append(f"{told}.")
        evidence.append(Evidence(f"Examples for {failure}", share, "share", MEASURED))
        evidence += shown(failure, untrained, ())
    statement = (
        f"{mixture.name} trains these modes: {trained}. {' '.join(parts)} Less than "
        f"{percent(NEVER)} counts as never trained."
    )
    verdict = "found" if reasons else "ruled out"
    name, failures = "mode the model was never trained in", tuple(reasons or wanted)
    return Cause(2, name, verdict, failures, statement, tuple(evidence), reasons)


def truncation(
    mixture: MixtureTraits, packing: Packing | None, wanted: Sequence[Failure]
) -> Cause:
    """Whether windows hide from a text how its document began.

    That explains drift: what is out of sight cannot be agreed with. It is looked for
    where text is continued; where nothing continues any, in the widest windows.
    """
    name, failures = "packing and truncation", ordered(("drift",), wanted)
    if packing is None or not packing.fits:
        statement = "The corpus was not read, so windows and rows were not measured."
        return Cause(3, name, "not measured", failures, statement, ())
    onward = carriers(mixture, NEEDS["drift"])
    fits = [f for f in packing.fits if f.objective in onward]
    fits = fits or [max(packing.fits, key=lambda fit: fit.window)]
    evidence = _fit_evidence(packing)
    hidden = [f for f in fits if f.unseen > OUT_OF_SIGHT]
    told = "; ".join(
        f"{f.objective} cuts {percent(f.cut)} of the documents into several windows of "
        f"up to {f.window:,} tokens, and {percent(f.unseen)} of its tokens cannot see "
        "their document's start"
        for f in hidden or fits
    )
    statement = f"{told} (a cause above {percent(OUT_OF_SIGHT)})."
    if hidden:
        statement += (
            " This is a property of the corpus and of the size of the rows, whatever "
            "objectives are mixed: wider rows or shorter documents mend it, other "
            "rates do not."
        )
    if packing.utilisation is not None:
        filled = percent(packing.utilisation)
        statement += f" {filled} of the slots of rows are filled; no Example is cut."
    if not hidden or not failures:
        return Cause(3, name, "ruled out", failures, statement, tuple(evidence))
    worst = max(hidden, key=lambda fit: fit.unseen)
    reason = (
        f"windows hide the start of the document from {percent(worst.unseen)} of the "
        f"tokens of {worst.objective}"
    )
    reasons = dict.fromkeys(failures, reason)
    return Cause(3, name, "found", failures, statement, tuple(evidence), reasons)


def _fit_evidence(packing: Packing) -> list[Evidence]:
    """Figures of windows and rows."""
    found: list[Evidence] = []
    for fit in packing.fits:
        name, source = fit.objective, f"lengths of {fit.documents:,} documents"
        shares = {
            "documents cut into several windows": fit.cut,
            "tokens in windows without their document's start": fit.unseen,
            "documents too short for a window": fit.dropped,
        }
        window = float(fit.window)
        found.append(Evidence(f"{name}: most in a window", window, "tokens", source))
        found += [
            Evidence(f"{name}: {what}", share, "share", source)
            for what, share in shares.items()
        ]
    if packing.utilisation is not None:
        source = f"{packing.examples:,} packed examples"
        filled = packing.utilisation
        found.append(Evidence("slots of rows that are filled", filled, "share", source))
    return found
