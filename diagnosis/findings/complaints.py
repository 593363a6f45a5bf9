"""Failures that reviewers counted in a pilot, or that a team names."""

import csv
import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from ...objectives.errors import UsageError, nearest
from ..failures.registry import failures, names

COLUMNS = ("failure", "count", "total")
"""Columns of the CSV, in any order; others are refused."""

MOST_DIGITS = 15
"""Of a number of texts."""

_Z = 1.959964
"""Standard deviations that hold 95 % of a normal distribution."""


@dataclasses.dataclass(frozen=True)
class Complaint:
    """A reported failure.

    Attributes:
      failure: which.
      count: texts in which reviewers found it; None if it is only named.
      total: texts that they read; None if it is only named.
    """

    failure: str
    count: int | None = None
    total: int | None = None

    @property
    def share(self) -> float | None:
        """Share of the texts that failed; None if nothing was counted."""
        if self.count is None or not self.total:
            return None
        return self.count / self.total


def interval(complaint: Complaint) -> tuple[float, float] | None:
    """The 95 % confidence interval of the share; None if nothing was counted.

    Wilson's score interval (Wilson 1927; Brown, Cai & DasGupta 2001, §3.1.1), which
    stays inside [0, 1] and is valid for few texts and for shares of 0 or 1.
    """
    share, total = complaint.share, complaint.total
    if share is None or not total:
        return None
    squared = _Z**2 / total
    middle = (share + squared / 2) / (1 + squared)
    spread = _Z * math.sqrt(share * (1 - share) / total + squared / (4 * total))
    half = spread / (1 + squared)
    return max(0.0, middle - half), min(1.0, middle + half)


def named(names: Sequence[str]) -> tuple[Complaint, ...]:
    """Complaints without counts, of failures given by short or long name.

    Raises:
      ValueError: a name is unknown, or given twice.
    """
    complaints: dict[str, Complaint] = {}
    for name in names:
        failure = failure_of(name, where="--failures")
        if failure in complaints:
            raise UsageError(f"--failures names {failure!r} twice; name it once.")
        complaints[failure] = Complaint(failure)
    return tuple(complaints.values())


def failure_of(name: str, *, where: str) -> str:
    """The failure of a name, a title or an alias, however it is capitalised.

    Raises:
      ValueError: there is none; the message begins with `where`.
    """
    normalised = " ".join(name.lower().replace("_", " ").split())
    known = {n: (n, f.title, *f.aliases) for n, f in failures().items()}
    for failure, called in known.items():
        if normalised in (*called, *(other.replace("-", " ") for other in called)):
            return failure
    valid = (*known, *(failure.title for failure in failures().values()))
    raise UsageError(f"{where}: no failure {name!r}; {nearest(name, valid)}")


def read(path: Path) -> tuple[Complaint, ...]:
    """Reads the findings of a pilot: a CSV with the columns `failure,count,total`.

    Raises:
      ValueError: the file is missing, empty or not UTF-8, a column is missing, unknown
        or there twice, a failure is unknown or there twice, a number is none, is
        negative or absurdly large, or a count is above its total. The message names
        file, line and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"no file {str(path)!r} of findings.") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder; give a CSV of findings.") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: byte {error.start} is not UTF-8; save the findings as UTF-8."
        ) from error
    reader = csv.reader(text.splitlines())
    try:
        lines = [
            (f"{path}:{reader.line_num}", [cell.strip() for cell in cells])
            for cells in reader
            if any(map(str.strip, cells))
        ]
    except csv.Error as error:  # a cell of more than 131,072 characters
        raise UsageError(
            f"{path}:{reader.line_num}: {error}; is a quotation mark missing there?"
        ) from error
    columns = _header(*lines[0]) if lines else []
    if len(lines) < 2:
        raise UsageError(
            f"{path} is empty or has no findings; its first line is "
            f"{','.join(COLUMNS)}, then one line a failure, such as {names()[0]},12,80."
        )
    complaints: dict[str, Complaint] = {}
    for where, cells in lines[1:]:
        complaint = _complaint(where, columns, cells)
        if complaint.failure in complaints:
            raise UsageError(
                f"{where}: {complaint.failure!r} is there twice; add its counts and "
                "totals up in one line."
            )
        complaints[complaint.failure] = complaint
    return tuple(complaints[failure] for failure in names() if failure in complaints)


def _header(where: str, cells: Sequence[str]) -> list[str]:
    columns = [cell.lower() for cell in cells]
    wanted = f"the first line is {','.join(COLUMNS)}."
    for column in (*columns, *COLUMNS):
        if column not in COLUMNS:
            near = nearest(column, COLUMNS)
            raise UsageError(f"{where}: no column {column!r}; {near} {wanted}")
        if columns.count(column) != 1:
            wrong = "has twice" if column in columns else "misses"
            raise UsageError(f"{where}: the header {wrong} {column}; {wanted}")
    return columns


def _complaint(where: str, columns: Sequence[str], cells: Sequence[str]) -> Complaint:
    if len(cells) != len(columns):
        raise UsageError(
            f"{where}: {len(cells)} values where the header has {len(columns)} "
            f"columns, {', '.join(columns)}; quote a value that has a comma."
        )
    values = dict(zip(columns, cells, strict=True))
    failure = failure_of(values["failure"], where=f"{where}, column 'failure'")
    for column in ("count", "total"):
        value = values[column]
        if not value.isdecimal() or len(value) > MOST_DIGITS:
            raise UsageError(
                f"{where}, column {column!r}: {value[:40]!r} is no number of texts; "
                f"give a whole number, 0 or more, of {MOST_DIGITS} digits at most."
            )
    count, total = int(values["count"]), int(values["total"])
    if not 0 < total >= count:
        raise UsageError(
            f"{where}, column {'count' if total else 'total'!r}: {count} of {total} "
            "texts; a count is at most its total, which is above 0."
        )
    return Complaint(failure, count, total)
