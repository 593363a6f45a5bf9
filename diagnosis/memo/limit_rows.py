"""What the limits of a proposal cost, as rows of the memo."""

from collections.abc import Iterator

from ..failures.registry import get
from ..results.effects import compared
from ..revision.limited import LITTLE
from ..revision.rule import supplied
from ..wording import percent
from .blocks import code
from .formatting import moved, step
from .inputs import Memo


def limit_rows(memo: Memo) -> Iterator[tuple[str, str, str, str]]:
    """Limit, failure, shares and outcome, of each failure that gets less."""
    limited = memo.proposal.limited
    for cost in limited.costs if limited else ():
        for failure, change in cost.lost().items():
            there = supplied(memo.traits, failure)
            outcome = "stays unremedied"
            if change[1] > there + LITTLE:
                part = (change[1] - there) / (change[0] - there)
                outcome = f"gets {percent(part)} of its remedy"
            yield code(cost.limit), get(failure).title, moved(change), outcome


def whole_steps(memo: Memo) -> str:
    """What a study measured of the whole shares, where limits leave less of them.

    Empty if none is followed without limits.
    """
    limited = memo.proposal.limited
    if limited is None or limited.followed is None:
        return ""
    study, mix = limited.followed
    lost = dict.fromkeys(f for cost in limited.costs for f in cost.lost())
    pairs = [compared(study, mix, failure) for failure in lost]
    return "; ".join(step(*pair) for pair in pairs if pair is not None)
