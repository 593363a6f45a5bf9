"""Cells of tables of mixtures: numbers, and shares that sum to 1."""

import math
from collections.abc import Sequence

from ...objectives.errors import UsageError

MOST_ROUNDING = 0.01
"""Rows may miss a sum of 1 by what their decimals can hide, and by this at most."""

EXACT = 1e-6
"""Shares that differ by less are the same."""

LARGEST = 1e100
"""Of a number: sums of squares of larger ones may be none."""


def number_of(text: str, column: str, place: str) -> float:
    """The finite number in a cell.

    Args:
      text: in it.
      column: its name.
      place: of its row, for messages.

    Raises:
      UsageError: there is none.
    """
    if not text.strip():
        raise UsageError(
            f"{place}, column {column!r}: the cell is empty; fill it in or take the "
            "row out."
        )
    try:
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(
            f"{place}, column {column!r}: {text.strip()!r} is no finite number; write "
            "one, as in 0.25 or 1e-3, or take the row out."
        )
    if abs(value) > LARGEST:
        raise UsageError(
            f"{place}, column {column!r}: {text.strip()!r} is too large to compute "
            f"with; scale the column, to at most {LARGEST:g}."
        )
    return value


def shares_of(
    cells: Sequence[str], components: Sequence[str], place: str, normalise: bool
) -> list[float]:
    """The shares of a row, which sum to 1.

    Args:
      cells: as text.
      components: their columns.
      place: of the row, for messages.
      normalise: whether they may have any positive sum.

    Raises:
      UsageError: a cell is no share, or they are off by more than rounding explains.
    """
    shares = [
        number_of(text, name, place)
        for text, name in zip(cells, components, strict=True)
    ]
    for share, name in zip(shares, components, strict=True):
        if share < 0:
            raise UsageError(
                f"{place}, column {name!r}: the share {share:g} is negative; shares "
                "are 0 or more."
            )
    total = math.fsum(shares)
    if total <= 0:
        raise UsageError(f"{place}: all shares are 0; take the row out.")
    if not normalise and abs(total - 1) > _rounding(cells):
        raise UsageError(
            f"{place}: the shares of {', '.join(components[:4])}"
            f"{', …' if len(components) > 4 else ''} sum to {total:.6g}, not 1; "
            "correct them, or give --normalise to divide each row by its sum."
        )
    return [share / total for share in shares]


def _rounding(cells: Sequence[str]) -> float:
    """By how much a sum can be off: half of the last decimal of every cell."""
    if any("e" in text.lower() for text in cells):
        return EXACT
    decimals = max(len(text.strip().partition(".")[2]) for text in cells)
    hidden = len(cells) * 0.5 * 10.0**-decimals
    # 1e-9: a sum of floats, such as .33 + .33 + .33, is off by a little more.
    return min(max(hidden * 1.0001, EXACT), MOST_ROUNDING + 1e-9)
