"""Finds the text files of a folder and reads their documents one by one."""

import codecs
import gzip
import json
import stat
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Literal, NamedTuple

from ...objectives.errors import UsageError, nearest
from ._folders import ending, listed, never_read, walk

SUFFIXES = (".txt", ".jsonl", ".txt.gz", ".jsonl.gz")
LARGEST = 2**28
"""Bytes of the largest document: one at a time is held in memory."""

Kind = Literal[
    "not UTF-8", "empty", "not JSON", "not an object", "without the key", "no string",
    "not Unicode", "too large",
]  # fmt: skip
"""Kinds of bad documents."""


class File(NamedTuple):
    """A text file: its name below the folder, with `/`, and its state.

    A program can set the time of modification, but not that of the last change.
    """

    name: str
    path: Path
    size: int
    modified_ns: int
    changed_ns: int


class Document(NamedTuple):
    """A document: its line, 0 for a whole file, and its text in UTF-8."""

    line: int
    data: bytes


class Bad(NamedTuple):
    """A bad document: its line from 1, and what is wrong with it."""

    line: int
    kind: Kind
    message: str


def files(folder: Path) -> list[File]:
    """The text files below a folder, ordered by name.

    Names that begin with a dot are skipped. Links are followed; a file with two names
    is read once, by the first.

    Raises:
      ValueError: a link leads nowhere.
      OSError: a folder cannot be read.
    """
    by_inode: dict[tuple[int, int], File] = {}
    for path in sorted(walk(folder)):
        if not path.name.lower().endswith(SUFFIXES):
            continue
        try:
            state = path.stat()
        except FileNotFoundError as error:
            raise UsageError(
                f"{path} is a link to nothing, or was just removed; remove the link."
            ) from error
        if stat.S_ISREG(state.st_mode):
            name = path.relative_to(folder).as_posix()
            times = state.st_mtime_ns, state.st_ctime_ns
            file = File(name, path, state.st_size, *times)
            by_inode.setdefault((state.st_dev, state.st_ino), file)
    return list(by_inode.values())


def unread(folder: Path, text_files: Iterable[File]) -> str:
    """What lies below a folder and is not read, counted by kind; "" if nothing.

    Args:
      folder: to look through.
      text_files: those that are read.
    """
    read = {file.path for file in text_files}

    def kind(path: Path) -> str:
        if path.name.lower().endswith(SUFFIXES):
            return "repeated (links to files that are read)"
        return ending(path)

    return listed(
        never_read(folder, path) or kind(path)
        for path in walk(folder, hidden=True)
        if path not in read
    )


def documents(
    raw: BufferedIOBase, name: str, *, key: str, largest: int = LARGEST
) -> Iterator[Document | Bad]:
    """Yields the documents of an open file, good and bad, in order.

    A `.txt` file is one document; CR LF becomes LF. In `.jsonl` each non-blank line is
    one, its text unchanged. A byte order mark is dropped.

    Args:
      raw: the file, opened for reading bytes.
      name: of the file; its ending gives the format.
      key: of the text in a line of `.jsonl`.
      largest: bytes of the largest document, or of its line.

    Raises:
      ValueError: an archive is cut short or damaged.
    """
    lower = name.lower()
    packed = lower.endswith(".gz")
    stream = gzip.GzipFile(fileobj=raw) if packed else raw
    try:
        if lower.removesuffix(".gz").endswith(".jsonl"):
            yield from _lines(stream, key, largest)
        else:
            yield _whole(stream.read(largest + 1), largest)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(
            f"{name} is cut short or damaged: {error}. How much is lost is unknown, so "
            "it is not skipped; make or fetch it again, or remove it."
        ) from error


def _whole(data: bytes, largest: int) -> Document | Bad:
    if len(data) > largest:
        return _too_large(1, "the file", largest)
    text = _decoded(data, 1)
    if isinstance(text, Bad):
        return text
    if not text.strip():
        return Bad(1, "empty", "the file has no text; remove it")
    return Document(0, text.replace("\r\n", "\n").encode())


def _lines(stream: BufferedIOBase, key: str, largest: int) -> Iterator[Document | Bad]:
    number, blank = 0, True
    while line := stream.readline(largest + 1):
        number += 1
        if len(line) > largest:
            blank = False
            yield _too_large(number, "the line", largest)
            while line and not line.endswith(b"\n"):
                line = stream.readline(largest)
            continue
        text = _decoded(line, number)
        if isinstance(text, Bad) or text.strip():
            blank = False
            yield text if isinstance(text, Bad) else _parse_line(text, number, key)
    if blank:
        yield Bad(1, "empty", "the file has no line; remove it")


def _decoded(data: bytes, line: int) -> str | Bad:
    """The text of bytes that begin at a line."""
    try:
        # `cat` leaves the marks of the files that it joins within the whole.
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line += before.count(b"\n")
        byte = error.start - (before.rfind(b"\n") + 1) + 1
        message = f"byte {byte} of the line, {data[error.start]:#04x}, is not UTF-8"
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            message += " (the file begins as UTF-16 does)"
        return Bad(line, "not UTF-8", f"{message}; save the file as UTF-8")


def _parse_line(line: str, number: int, key: str) -> Document | Bad:
    """The document of one line of JSON."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        message = f"the line is not JSON: {error.msg} (column {error.colno})"
        return Bad(number, "not JSON", message)
    except (ValueError, RecursionError) as error:  # a huge number, deep nesting
        return Bad(number, "not JSON", f"the line cannot be read as JSON: {error}")
    if not isinstance(record, dict):
        message = f"the line is a JSON {_json_type(record)}, not an object {{…}}"
        return Bad(number, "not an object", message)
    if key not in record:
        message = f"no key {key!r}; {nearest(key, record)} Set text.key"
        return Bad(number, "without the key", message)
    text = record[key]
    if not isinstance(text, str):
        message = f"the value of {key!r} is a {_json_type(text)}, not a string"
        return Bad(number, "no string", message)
    if not text.strip():
        return Bad(number, "empty", f"the text under {key!r} is empty")
    try:
        return Document(number, text.encode())
    except UnicodeEncodeError as error:
        message = f"character {error.start + 1} of the text is half of a surrogate pair"
        return Bad(number, "not Unicode", message)


def _json_type(value: object) -> str:
    """The JSON name of a value's type."""
    names = {list: "list", dict: "object", str: "string", bool: "Boolean"}
    return "null" if value is None else names.get(type(value), "number")


def _too_large(line: int, what: str, largest: int) -> Bad:
    message = f"{what} is above {largest:,} bytes, the limit of one document"
    return Bad(line, "too large", f"{message}; split it into several")
