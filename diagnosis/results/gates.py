"""Whether a run of a study counts: what it must have learned, whatever its scores.

A run whose model has not learned its own objectives says nothing about them. The gates
are fixed before any run (`PLAN.md`), and a run that they refuse is left out of every
mean and listed.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from .records import Record


class Refusal(NamedTuple):
    """A run that does not count.

    Attributes:
      mix: name of the arm.
      seed: of the run.
      reasons: a sentence for each gate.
    """

    mix: str
    seed: int
    reasons: tuple[str, ...]


def gated(
    records: Sequence[Record], *, vocabulary_size: int, ungated: Collection[str] = ()
) -> tuple[list[Record], list[Refusal]]:
    """The records of the runs that count, and the runs that do not.

    Args:
      records: of all runs.
      vocabulary_size: V; a model that knows nothing has a loss of ln V.
      ungated: objectives that a run may fail to learn.
    """
    by_run: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        by_run.setdefault((record.mix, record.seed), []).append(record)
    refusals = [
        Refusal(*run, reasons)
        for run, measured in by_run.items()
        if (
            reasons := tuple(
                _reasons(
                    sorted(measured, key=lambda record: record.tokens),
                    uniform=math.log(vocabulary_size),
                    ungated=ungated,
                )
            )
        )
    ]
    refused = {refusal[:2] for refusal in refusals}
    return [r for r in records if (r.mix, r.seed) not in refused], refusals


def not_apart(shared: Mapping[str, int]) -> list[str]:
    """Why no run of a study counts: documents that are in both splits, by corpus."""
    return [
        f"{count} documents of the validation split of {corpus!r} are in its train "
        "split as well"
        for corpus, count in shared.items()
        if count
    ]


def _reasons(
    measured: Sequence[Record], *, uniform: float, ungated: Collection[str]
) -> Iterator[str]:
    """The gates that a run fails: finite at every point, learned at the last."""
    for record in measured:
        wrong = [n for n, loss in _losses(record) if not math.isfinite(loss)]
        if wrong:
            yield (
                f"after {record.tokens:,} tokens the loss is not finite of "
                f"{', '.join(wrong)}"
            )
            return
    for name, loss in measured[-1].learned.items():
        if name in ungated:
            continue
        if loss.held_out >= uniform:
            yield (
                f"{name}: held-out loss {loss.held_out:.3f} is not under that of a "
                f"uniform guess, {uniform:.3f}"
            )
        elif loss.held_out >= loss.unigram:
            yield (
                f"{name}: held-out loss {loss.held_out:.3f} is not under that of the "
                f"targets' frequencies alone, {loss.unigram:.3f}"
            )
        if loss.held_out == loss.training:
            yield (
                f"{name}: held-out and training loss are both {loss.training:.6f}: "
                "the same rows were measured"
            )


def _losses(record: Record) -> Iterator[tuple[str, float]]:
    for name, loss in record.learned.items():
        yield name, loss.held_out
        if not math.isnan(loss.training):  # too rare for the rows that were measured
            yield name, loss.training
    yield from record.losses.items()
