"""What the limits of a proposal cost, as a section of the memo."""

from collections.abc import Iterator

from ..failures.registry import get
from ..results.effects import compared
from ..revision.limited import LITTLE, Limited
from ..revision.rule import supplied
from ..wording import percent
from .blocks import Block, Heading, Paragraph, Table, code
from .formatting import moved, step
from .inputs import Memo


def limits_text(memo: Memo) -> Iterator[Block]:
    """A table of each limit's cost; nothing without limits."""
    limited = memo.proposal.limited
    if limited is None:
        return
    yield Heading(2, "What the limits cost")
    yield Paragraph(
        f"The mixture keeps {code(memo.proposal.limits.text)}. {_sum(limited)}"
    )
    rows = [
        (
            code(cost.limit),
            get(failure).title,
            moved(change),
            _left(memo, failure, change),
        )
        for cost in limited.costs
        for failure, change in cost.lost().items()
    ]
    if rows:
        yield Table(
            "Loss that acts on each failure, without limits and within each alone; "
            "those that are not listed cost nothing",
            ("limit", "failure", "of the loss", "so that it"),
            rows,
            "llrl",
        )
        yield from _measured(memo, limited)


def _sum(limited: Limited) -> str:
    ratio = (
        ""
        if limited.token_cost is None
        else (
            f"A processed token costs {limited.token_cost:.3g} times what it does now "
            "(operations of the model for a row, over the slots that are filled). "
        )
    )
    lost = any(cost.lost() for cost in limited.costs)
    return ratio + ("" if lost else "They cost nothing: the proposal is as without.")


def _left(memo: Memo, failure: str, change: tuple[float, float]) -> str:
    """What becomes of a failure within a limit."""
    if change[1] <= supplied(memo.traits, failure) + LITTLE:
        return "stays unremedied"
    return f"gets {percent(change[1] / change[0])} of its remedy"


def _measured(memo: Memo, limited: Limited) -> Iterator[Block]:
    """What the study measured of the whole parts, of which less is left."""
    if limited.followed is None:
        yield Paragraph("No study measured what a part of a remedy does.")
        return
    study, mix = limited.followed
    lost = {failure for cost in limited.costs for failure in cost.lost()}
    steps = [step(*pair) for f in sorted(lost) if (pair := compared(study, mix, f))]
    yield Paragraph(
        f"Without limits the shares would be those of the study's mix {code(mix)}: "
        f"{'; '.join(steps)}. Of a part of them no effect was measured: expect less."
    )
