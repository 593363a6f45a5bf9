"""`adapt.gin`: a run that goes on from the parameters of the one that was diagnosed."""

import math
from typing import NamedTuple

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..revision.adapted import left_of
from ..revision.propose import Proposal
from ..wording import listed, percent
from .blocks import code
from .gin_text import complete, phases_note

ADAPT = "adapt.gin"
"""The file's name; it is written where there is a run to adapt."""

PEAK = 1 / 3
"""Of the run's own highest learning rate, to which that of `adapt.gin` warms up."""

WARM_UP = 0.1
"""Share of the steps that the warm-up takes."""

_HEAD = """\
Adapts {run} to a revision of mixture {name!r}.
By `sightline diagnose`; the memo beside it says why.

  sightline train --gin_file={path}{imports} \\
    {options}--run_dir=runs/adapted

It begins with the parameters of that run, a fresh optimiser and another mixture, for
{length}. {kept}
The learning rate warms up again, to {peak}, and falls to 0."""

_KEPT = """\
Of the examples and of the loss at least
{share} is divided as the run divided it{gone}, so that it forgets little."""

_NONE_KEPT = """\
None of the run's
objectives is left, so that it may forget them."""

_UNTRAINED = """\
# The run is an imported model and has no steps or learning rate of its own, to take a
# share of. Bind both, here or on the command line:
# train.steps = …
# warmup_cosine.peak = …  # such as a third of the highest that it was trained with"""

UNBOUND = "--gin.train.steps=STEPS --gin.warmup_cosine.peak=PEAK"
"""What the file of an imported model needs on the command line."""


class Adaptation(NamedTuple):
    """How a run is adapted.

    Attributes:
      run: its directory.
      step: of the checkpoint that was diagnosed.
      start: gin text that binds all of the run but its mixture and rows, its steps and
        its schedule.
      steps: to train for; None of an imported model, which has none of its own.
      share: of the slots that the run has processed.
      kept: share of the mixture that is divided as the run divided it.
      peak: highest learning rate; None likewise.
      proposal: the revised mixture, which keeps more of the run's own.
    """

    run: str
    step: int
    start: str
    steps: int | None
    share: float
    kept: float
    peak: float | None
    proposal: Proposal


def steps_for(
    share: float, *, step: int, before: RowShape, after: RowShape
) -> int | None:
    """Steps, of as many rows, that process a share of what a run has processed.

    None where that is nothing: an imported model is at step 0.

    Args:
      share: of the slots.
      step: that the run has done.
      before: its rows.
      after: rows that are trained on now.
    """
    if step == 0:
        return None
    return max(1, math.ceil(share * step * _slots(before) / _slots(after)))


def adapt_text(
    before: Mixture, adaptation: Adaptation, *, path: str, imports: str = ""
) -> str:
    """The text of the file, a pure function of its arguments.

    Args:
      before: the mixture that is revised.
      adaptation: of the run that is trained on it.
      path: of the file, quoted for commands.
      imports: as for `gin_text`.
    """
    if adaptation.steps is None:
        options = f"{UNBOUND} "
        length, peak = "as many steps as you bind", "the peak that you bind"
        bound = [_UNTRAINED]
    else:
        options = ""
        length = f"{percent(adaptation.share)} of the slots that the run has processed"
        peak = f"{percent(PEAK)} of the run's highest"
        bound = [
            f"train.steps = {adaptation.steps}",
            f"warmup_cosine.peak = {adaptation.peak!r}",
        ]
    head = _HEAD.format(
        run=adaptation.run,
        name=before.name,
        path=path,
        imports=imports,
        options=options,
        length=length,
        kept=_kept(before, adaptation),
        peak=peak,
    )
    head += phases_note(before)
    start = [
        adaptation.start,
        "",
        f"train.start_from = {f'{adaptation.run}@{adaptation.step}'!r}",
        *bound,
        "train.schedule = @warmup_cosine",
        f"warmup_cosine.warmup_steps = {WARM_UP}  # of the steps",
        "warmup_cosine.final_fraction = 0.0",
    ]
    return complete(adaptation.proposal, head=head, start="\n".join(start))


def kept_share(before: Mixture, adaptation: Adaptation) -> str:
    """How much of a run's mixture an adapted one keeps: `33.3 % of its mixture`."""
    left, gone = left_of(before, adaptation.proposal.mixture)
    if not left:
        return "nothing of its mixture"
    without = f" without {listed(map(code, gone))}" if gone else ""
    return f"{percent(adaptation.kept)} of its mixture{without}"


def _kept(before: Mixture, adaptation: Adaptation) -> str:
    left, gone = left_of(before, adaptation.proposal.mixture)
    if not left:
        return _NONE_KEPT
    without = f" without {listed(gone)}" if gone else ""
    return _KEPT.format(share=percent(adaptation.kept), gone=without)


def _slots(rows: RowShape) -> int:
    return rows.decoder.slots + (rows.encoder.slots if rows.encoder else 0)
