"""Tables of mixtures and their scores: CSV files, checked cell by cell."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from ...objectives.errors import UsageError, nearest
from .cells import EXACT, number_of, shares_of

HELD_OUT = "held_out"
"""In the column `kind`: rows that no model is fitted to."""

MOST_SEEDS = 100
"""Runs of one mixture that a design may ask for."""

LOSS_SHARE = "share_"
"""Begins the names of the columns of the loss's shares, one for each component."""


class MixtureTable(NamedTuple):
    """Mixtures and their scores; K columns of shares, Y targets, n rows.

    Attributes:
      components: names of the columns of shares.
      targets: names of the columns of scores; none where only mixtures were asked for.
      shares: each row sums to 1; where the loss has shares of its own, these come
        after those of the examples, and sum to 1 as well.
      scores: one column a target.
      cells: every column of the file as text, one mapping a row.
      numbers: of the rows in the file, from 1, as messages name them.
    """

    components: tuple[str, ...]
    targets: tuple[str, ...]
    shares: Float64[np.ndarray, "n K"]
    scores: Float64[np.ndarray, "n Y"]
    cells: tuple[Mapping[str, str], ...]
    numbers: tuple[int, ...]

    @property
    def mixed(self) -> tuple[str, ...]:
        """The components themselves, without the columns of the loss's shares."""
        half = len(self.components) // 2
        first, rest = self.components[:half], self.components[half:]
        return (
            first
            if rest == tuple(f"{LOSS_SHARE}{n}" for n in first)
            else (self.components)
        )

    def rows(self, chosen: Sequence[int]) -> "MixtureTable":
        """Some of the rows."""
        index = np.array(chosen, np.int64)
        return self._replace(
            shares=self.shares[index],
            scores=self.scores[index],
            cells=tuple(self.cells[n] for n in chosen),
            numbers=tuple(self.numbers[n] for n in chosen),
        )

    def parts(self) -> tuple["MixtureTable", "MixtureTable | None"]:
        """The rows to fit to, and those held out by their `kind`; None for none."""
        held = [row.get("kind", "").strip() == HELD_OUT for row in self.cells]
        fitted = [n for n, out in enumerate(held) if not out]
        if not fitted:
            raise UsageError(
                f"every row is of the kind {HELD_OUT!r}: there is none to fit a model "
                "to; add rows of other mixtures."
            )
        tested = [n for n, out in enumerate(held) if out]
        return self.rows(fitted), self.rows(tested) if tested else None

    def groups(self) -> Int64[np.ndarray, " n"]:
        """The number of each row's mixture: rows of one mixture share it."""
        return groups_of(self.shares)


def is_mixture(
    shares: Float64[np.ndarray, "n K"], mixture: Float64[np.ndarray, " K"]
) -> Bool[np.ndarray, " n"]:
    """Which rows are runs of a mixture: those whose shares differ by less than `EXACT`.

    What else tells mixtures apart rests on this: `groups_of`, `distinct`.
    """
    return np.abs(shares - mixture).max(axis=1) < EXACT


def groups_of(shares: Float64[np.ndarray, "n K"]) -> Int64[np.ndarray, " n"]:
    """The number of each row's mixture, in the order of their shares."""
    apart, number = np.unique(shares, axis=0, return_inverse=True)
    # Sorted by the first share, what may be alike is near; each joins the first of its.
    first = np.arange(len(apart))
    ends = np.searchsorted(apart[:, 0], apart[:, 0] + EXACT)
    for row, end in enumerate(ends):
        if first[row] == row and end > row + 1:
            near = np.arange(row, end)
            alike = is_mixture(apart[near], apart[row]) & (first[near] == near)
            first[near[alike]] = row
    joined = np.unique(first, return_inverse=True)[1]
    return joined[number.reshape(-1)]


def distinct(shares: Float64[np.ndarray, "n K"]) -> Float64[np.ndarray, "m K"]:
    """The different mixtures among rows, each as its first row has it."""
    return shares[np.unique(groups_of(shares), return_index=True)[1]]


def check_held_out(fitted: MixtureTable, held: MixtureTable) -> None:
    """Refuses rows to test on that tell nothing of mixtures which were not seen.

    Raises:
      UsageError: they are of fewer than two mixtures, which have no order, or one is
        of a mixture that models are fitted to.
    """
    mixtures = len(distinct(held.shares))
    if mixtures < 2:
        raise UsageError(
            "the rows held out are of one mixture, and how well mixtures are ranked "
            "takes two; hold out more, or none."
        )
    for number, mixture in zip(held.numbers, held.shares, strict=True):
        seen = np.flatnonzero(is_mixture(fitted.shares, mixture))
        if seen.size:
            raise UsageError(
                f"row {number} of those held out is another run of the mixture of row "
                f"{fitted.numbers[seen[0]]}, which models are fitted to; hold out all "
                "runs of a mixture, or none."
            )


def seeds_of(table: MixtureTable) -> list[int]:
    """The different seeds in the column `seed`; empty without such a column.

    Raises:
      UsageError: one is no whole number, so that nothing could be told from it.
    """
    if "seed" not in table.cells[0]:
        return []
    seeds = set()
    for number, row in zip(table.numbers, table.cells, strict=True):
        seed = number_of(row["seed"], "seed", f"row {number}")
        if not seed.is_integer():
            raise UsageError(
                f"row {number}, column 'seed': {row['seed'].strip()!r} is no whole "
                "number; write the seed of the run, or take the column out."
            )
        seeds.add(int(seed))
    return sorted(seeds)


def check_names(components: Sequence[str], targets: Sequence[str]) -> None:
    """Refuses fewer than two components, a name given twice, and empty names."""
    if len(components) < 2:
        raise UsageError(
            f"--components names {len(components)} column; a mixture has at least 2, "
            "as in --components=web,books."
        )
    names = [*components, *targets]
    for name in names:
        if not name:
            raise UsageError(
                "--components or --targets holds an empty name; write names with one "
                "comma between them, as in --components=web,books."
            )
        if names.count(name) > 1:
            raise UsageError(
                f"column {name!r} is named {names.count(name)} times in --components "
                "and --targets; name each column once."
            )


def check_columns(columns: Sequence[str]) -> None:
    """Refuses components by whose names a table to write has two columns of one name.

    Args:
      columns: all of the table's.
    """
    for name in columns:
        if columns.count(name) > 1:
            raise UsageError(
                f"{name!r} of --components would be two columns of the table, which "
                f"has one of that name: {', '.join(dict.fromkeys(columns))}; rename "
                "the component."
            )


def read_table(
    path: Path,
    components: Sequence[str],
    targets: Sequence[str] = (),
    *,
    normalise: bool = False,
) -> MixtureTable:
    """Reads a table with a header line.

    Where every component A has a column `share_A`, these are its shares of the loss,
    and further columns of shares: their names follow the components'.

    Shares that miss a sum of 1 by no more than rounding to their decimals can explain
    are divided by their sum; `normalise` divides any.

    Args:
      path: of the CSV file, in UTF-8.
      components: columns of shares.
      targets: columns of scores.
      normalise: whether rows may have any positive sum.

    Raises:
      UsageError: the file is missing or is no table, a column is missing, a cell is
        empty or no finite number, or a row is no mixture. The message names row and
        column.
    """
    check_names(components, targets)
    rows, lines = _rows(path, [*components, *targets])
    where = [f"{path}: row {n} (line {line})" for n, line in enumerate(lines, start=1)]
    pairs = list(zip(rows, where, strict=True))
    simplices = [components, *_loss_columns(path, components, list(rows[0]))]
    shares = [
        [
            share
            for columns in simplices
            for share in shares_of([row[c] for c in columns], columns, place, normalise)
        ]
        for row, place in pairs
    ]
    scores = [
        [number_of(row[name], name, place) for name in targets] for row, place in pairs
    ]
    return MixtureTable(
        tuple(name for columns in simplices for name in columns),
        tuple(targets),
        np.array(shares, np.float64),
        np.array(scores, np.float64).reshape(len(rows), len(targets)),
        tuple(rows),
        tuple(range(1, len(rows) + 1)),
    )


def _loss_columns(
    path: Path, components: Sequence[str], header: Sequence[str]
) -> list[list[str]]:
    """The columns of the loss's shares, if the table has them."""
    columns = [f"{LOSS_SHARE}{name}" for name in components]
    missing = [name for name in columns if name not in header]
    if len(missing) == len(columns):
        return []
    if missing:
        raise UsageError(
            f"{path} has shares of the loss, but no column {missing[0]!r}; give a "
            f"column {LOSS_SHARE}A for each component A, or for none."
        )
    return [columns]


def _rows(path: Path, columns: Sequence[str]) -> tuple[list[dict[str, str]], list[int]]:
    """The cells of every row by column, and the lines on which the rows end."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            table = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path} is no CSV file in UTF-8: {error}; write commas between cells, and "
            "quotes around a cell that holds one."
        ) from error
    if not table:
        raise UsageError(f"{path} is empty; its first line names the columns.")
    header = [name.strip() for name in table[0][1]]
    for name in header:
        if header.count(name) > 1:
            raise UsageError(
                f"{path}: {header.count(name)} columns are named {name!r}; rename them "
                "apart, or take out all but one."
            )
    for name in columns:
        if name not in header:
            raise UsageError(f"{path}: no column {name!r}; {nearest(name, header)}")
    if len(table) == 1:
        raise UsageError(f"{path} has a header and no rows.")
    rows = []
    for n, (line, row) in enumerate(table[1:], start=1):
        if len(row) > len(header):
            raise UsageError(
                f"{path}: row {n} (line {line}) has {len(row)} cells under "
                f"{len(header)} columns; take out the commas that are too many."
            )
        cells = [*row, *[""] * (len(header) - len(row))]
        rows.append(dict(zip(header, cells, strict=True)))
    return rows, [line for line, _ in table[1:]]
