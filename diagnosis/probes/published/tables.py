"""Tables of text: CSV and TSV with a head, and lines of fields without one."""

import csv
from collections.abc import Iterator, Mapping
from typing import Any

from .files import DataFile


def columns(file: DataFile) -> tuple[str, ...]:
    """The names in the head of a CSV or TSV file; () for any other."""
    if not file.name.endswith((".csv", ".tsv")):
        return ()
    return tuple(next(csv.reader([file.first], delimiter=_delimiter(file)), ()))


def rows(file: DataFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows under the head of a CSV or TSV file, each with the number of its line.

    Raises:
      UsageError: a row has more or fewer fields than the head.
    """
    lines = (line + "\n" for _, line in file.lines())
    reader = csv.reader(lines, delimiter=_delimiter(file))
    head = next(reader)
    for fields in reader:
        if len(fields) != len(head):
            raise file.error(
                reader.line_num,
                f"{len(fields)} fields, and the head has {len(head)}; put texts that "
                "hold the delimiter in double quotes.",
            )
        yield reader.line_num, dict(zip(head, fields, strict=True))


def fields(file: DataFile, *, count: int) -> Iterator[tuple[int, list[str]]]:
    """The fields of lines that are divided by tabs, each with its number.

    Raises:
      UsageError: a line has more or fewer fields, or an empty one.
    """
    for number, line in file.lines():
        parts = [part.strip() for part in line.split("\t")]
        if len(parts) != count or not all(parts):
            raise file.error(
                number,
                f"{len(parts)} fields divided by tabs"
                + ("" if all(parts) else ", and an empty one")
                + f"; this format has {count}.",
            )
        yield number, parts


def _delimiter(file: DataFile) -> str:
    return "\t" if file.name.endswith(".tsv") else ","
