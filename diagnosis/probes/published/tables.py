"""Tables of text: CSV and TSV with a head, and lines of fields without one."""

import csv
from collections.abc import Iterator, Mapping
from typing import Any

from .files import DataFile


def columns(file: DataFile) -> tuple[str, ...]:
    """The names in the head of a CSV or TSV file; () for any other, or no head."""
    if not file.name.endswith((".csv", ".tsv")):
        return ()
    try:
        return tuple(next(csv.reader([file.first], delimiter=_delimiter(file)), ()))
    except csv.Error:  # no head of a test, but perhaps a fine file of something else
        return ()


def rows(file: DataFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows under the head of a CSV or TSV file, each with the number of its line.

    Raises:
      UsageError: a row has more or fewer fields than the head, or quotes are astray.
    """
    records = _records(file)
    _, head = next(records)
    for number, fields in records:
        if len(fields) != len(head):
            raise file.error(
                number,
                f"{len(fields)} fields, and the head has {len(head)}; put texts that "
                "hold the delimiter in double quotes.",
            )
        yield number, dict(zip(head, fields, strict=True))


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


def _records(file: DataFile) -> Iterator[tuple[int, list[str]]]:
    """The fields of each record, with the number of the line at which it begins."""
    numbers: list[int] = []

    def lines() -> Iterator[str]:
        for number, line in file.lines():
            numbers.append(number)
            yield line + "\n"

    reader = csv.reader(lines(), delimiter=_delimiter(file), strict=True)
    while True:
        numbers.clear()
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise file.error(
                numbers[0],
                f"a record begins there that cannot be read ({error}); close each "
                "double quote before a delimiter, and double those inside of a text.",
            ) from error
        if record is None:
            return
        yield numbers[0], record


def _delimiter(file: DataFile) -> str:
    return "\t" if file.name.endswith(".tsv") else ","
