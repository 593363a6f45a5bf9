"""What reviewers found in a pilot: how many of the texts they read failed, and how."""

import csv
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...objectives.errors import UsageError, nearest
from .score import FAILURES, Failure

COLUMNS = ("failure", "count", "total")
"""Of the CSV, in any order; others are refused."""

LONG_NAMES: Mapping[Failure, str] = {
    "drift": "long-form drift",
    "continuation": "incoherent continuation",
    "reconstruction": "unfaithful reconstruction",
}
"""How product teams call them."""

_Z = 1.959964
"""Of a normal distribution, 95 % lie within so many standard deviations."""


@dataclasses.dataclass(frozen=True)
class Complaint:
    """A failure that is complained of.

    Attributes:
      failure: which.
      count: texts in which reviewers found it; None where it is only named.
      total: texts that they read; None where it is only named.
    """

    failure: Failure
    count: int | None = None
    total: int | None = None

    @property
    def share(self) -> float | None:
        """Of the texts that were read; None where nothing was counted."""
        if self.count is None or not self.total:
            return None
        return self.count / self.total


def interval(complaint: Complaint) -> tuple[float, float] | None:
    """The 95 % interval of the share, None where nothing was counted.

    Wilson's score interval (Wilson 1927; Brown, Cai & DasGupta 2001, §3.1.1), which
    stays inside [0, 1] and holds for few texts and for a share of 0 or 1.
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
    failures: list[Failure] = []
    for name in names:
        failures.append(failure_of(name, where="--failures"))
    for failure in failures:
        if failures.count(failure) > 1:
            raise UsageError(f"--failures names {failure!r} twice; name it once.")
    return tuple(Complaint(failure) for failure in failures)


def failure_of(name: str, *, where: str) -> Failure:
    """The failure of a short or a long name, however it is capitalised.

    Raises:
      ValueError: there is none; the message begins with `where`.
    """
    said = " ".join(name.lower().replace("_", " ").split())
    for failure, long_name in LONG_NAMES.items():
        if said in (failure, long_name, long_name.replace("-", " ")):
            return failure
    valid = (*FAILURES, *LONG_NAMES.values())
    raise UsageError(f"{where}: no failure {name!r}; {nearest(name, valid)}")


def read(path: Path) -> tuple[Complaint, ...]:
    """Reads the findings of a pilot: a CSV with the columns `failure,count,total`.

    Raises:
      ValueError: the file is missing, empty or not UTF-8, a column is missing, unknown
        or there twice, a failure is unknown or there twice, a number is none, is
        negative, or a count is above its total. The message names file, line and
        column.
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
    lines = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    if not lines:
        raise UsageError(
            f"{path} is empty; its first line is {','.join(COLUMNS)}, then one line a "
            "failure, such as drift,12,80."
        )
    columns = _header(path, *lines[0])
    if len(lines) == 1:
        raise UsageError(f"{path} has a header and no findings below it.")
    found: dict[Failure, Complaint] = {}
    for line, cells in lines[1:]:
        complaint = _complaint(path, line, columns, cells)
        if complaint.failure in found:
            raise UsageError(
                f"{path}:{line}: {complaint.failure!r} is there twice; add its counts "
                "and totals up in one line."
            )
        found[complaint.failure] = complaint
    return tuple(found[failure] for failure in FAILURES if failure in found)


def _header(path: Path, line: int, cells: Sequence[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    wanted = ",".join(COLUMNS)
    for column in columns:
        if column not in COLUMNS:
            raise UsageError(
                f"{path}:{line}: no column {column!r}; {nearest(column, COLUMNS)} The "
                f"first line is {wanted}."
            )
    missing = [column for column in COLUMNS if column not in columns]
    if missing or len(columns) > len(COLUMNS):
        what = f"misses {', '.join(missing)}" if missing else "has a column twice"
        raise UsageError(f"{path}:{line}: the header {what}; it is {wanted}.")
    return columns


def _complaint(
    path: Path, line: int, columns: Sequence[str], cells: Sequence[str]
) -> Complaint:
    if len(cells) != len(columns):
        raise UsageError(
            f"{path}:{line}: {len(cells)} values where the header has {len(columns)} "
            f"columns, {', '.join(columns)}; quote a value that has a comma."
        )
    values = dict(zip(columns, cells, strict=True))
    failure = failure_of(values["failure"], where=f"{path}:{line}, column 'failure'")
    count, total = (_number(path, line, c, values[c]) for c in COLUMNS[1:])
    if total == 0:
        raise UsageError(
            f"{path}:{line}, column 'total': 0 texts were read; leave the line out."
        )
    if count > total:
        raise UsageError(
            f"{path}:{line}, column 'count': {count} of {total} texts; a count is at "
            "most its total."
        )
    return Complaint(failure, count, total)


def _number(path: Path, line: int, column: str, value: str) -> int:
    where = f"{path}:{line}, column {column!r}"
    if not value.strip().removeprefix("-").isdecimal():
        raise UsageError(f"{where}: {value.strip()!r} is no whole number of texts.")
    number = int(value)
    if number < 0:
        raise UsageError(f"{where}: {number} is negative; give a number of texts.")
    return number
