"""The runs that a design asks for."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ...diagnosis.tuning.table import MOST_SEEDS, MixtureTable
from ...objectives.errors import UsageError, require_seed


class Wanted(NamedTuple):
    """A run that a design asks for.

    Attributes:
      name: of the mixture.
      kind: of it, as in the design.
      shares: columns of shares: of the examples, then of the loss if it has its own.
      seed: of parameters and data.
    """

    name: str
    kind: str
    shares: Mapping[str, float]
    seed: int


def wanted(design: MixtureTable, path: Path, *, seed: int) -> list[Wanted]:
    """The runs of a design: one a row, or as many as its column `seeds` says.

    The first run of every mixture comes first, so that a table that is cut short has
    all of them.

    Args:
      design: its column `seed`, if it has one, holds the first seed of each row.
      path: of it, for messages.
      seed: added to all.

    Raises:
      UsageError: it has no column `mixture`, names one twice, or has wrong `seeds` or
        `seed`.
    """
    if "mixture" not in design.cells[0]:
        raise UsageError(
            f"{path} has no column 'mixture', which names its rows, as `sightline tune "
            "design` writes it."
        )
    runs: list[tuple[int, Wanted]] = []
    names = set()
    for n, (row, shares) in enumerate(
        zip(design.cells, design.shares, strict=True), start=1
    ):
        name = row["mixture"].strip()
        if not name:
            raise UsageError(
                f"{path}: row {n}, column 'mixture': the cell is empty; name the row."
            )
        if name in names:
            raise UsageError(f"{path}: row {n}: mixture {name!r} is there twice.")
        names.add(name)
        text = row.get("seeds", "1").strip()
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_SEEDS):
            raise UsageError(
                f"{path}: row {n}, column 'seeds': {text!r} is no number of runs; "
                f"write one from 1 to {MOST_SEEDS}."
            )
        by_column = dict(zip(design.components, map(float, shares), strict=True))
        first = seed + _seed_of(row, f"{path}: row {n}")
        require_seed(f"the last seed of {path}'s row {n}", first + int(text) - 1)
        runs += [
            (k, Wanted(name, row.get("kind", "").strip(), by_column, first + k))
            for k in range(int(text))
        ]
    return [run for _, run in sorted(runs, key=lambda pair: pair[0])]


def _seed_of(row: Mapping[str, str], place: str) -> int:
    """The seed in a row; 0 without a column of them."""
    text = row.get("seed", "0").strip()
    if not (text.isascii() and text.isdecimal() and int(text) < 2**31):
        raise UsageError(
            f"{place}, column 'seed': {text!r} is no seed; write a whole number from 0 "
            "to 2147483647, or take the column out."
        )
    return int(text)
