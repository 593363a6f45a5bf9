"""`adapt.gin`: a run that goes on from the parameters of the one that was diagnosed."""

import math
from typing import NamedTuple

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..revision.adapted import KEPT
from ..revision.propose import Proposal
from ..wording import percent
from .gin_text import complete

ADAPT = "adapt.gin"
"""The file's name; it is written where there is a run to adapt."""

PEAK = 1 / 3
"""Of the run's own highest learning rate, to which that of `adapt.gin` warms up."""

WARM_UP = 0.1
"""Share of the steps that the warm-up takes."""

_HEAD = """\
Adapts {run} to a revision of mixture {name!r}.
By `sightline diagnose`; the memo beside it says why.

  sightline train --gin_file=adapt.gin --run_dir=runs/adapted

It begins with the parameters of that run, a fresh optimiser and another mixture, for
{share} of the tokens that the run has read. Of the examples and of the loss at least
{kept} is divided as the run divided it, so that it forgets little. The learning rate
warms up again, to {peak} of the run's highest, and falls to 0."""


class Adaptation(NamedTuple):
    """How a run is adapted.

    Attributes:
      run: its directory.
      step: of the checkpoint that was diagnosed.
      start: gin text that binds all of the run but its mixture and rows, its steps and
        its schedule.
      steps: to train for.
      share: of the tokens that the run has read.
      peak: highest learning rate.
      proposal: the revised mixture, which keeps more of the run's own.
    """

    run: str
    step: int
    start: str
    steps: int
    share: float
    peak: float
    proposal: Proposal


def steps_for(share: float, *, step: int, before: RowShape, after: RowShape) -> int:
    """Steps, of as many rows, that process a share of what a run has processed.

    Args:
      share: of the slots.
      step: that the run has done.
      before: its rows.
      after: rows that are trained on now.
    """
    return max(1, math.ceil(share * step * _slots(before) / _slots(after)))


def adapt_text(before: Mixture, adaptation: Adaptation) -> str:
    """The text of the file, a pure function of its arguments.

    Args:
      before: the mixture that is revised.
      adaptation: of the run that is trained on it.
    """
    head = _HEAD.format(
        run=adaptation.run,
        name=before.name,
        share=percent(adaptation.share),
        kept=percent(KEPT),
        peak=percent(PEAK),
    )
    start = [
        adaptation.start,
        "",
        f"train.start_from = {f'{adaptation.run}@{adaptation.step}'!r}",
        f"train.steps = {adaptation.steps}",
        "train.schedule = @warmup_cosine",
        f"warmup_cosine.peak = {adaptation.peak!r}",
        f"warmup_cosine.warmup_steps = {WARM_UP}  # of the steps",
        "warmup_cosine.final_fraction = 0.0",
    ]
    return complete(adaptation.proposal, head=head, start="\n".join(start))


def _slots(rows: RowShape) -> int:
    return rows.decoder.slots + (rows.encoder.slots if rows.encoder else 0)
