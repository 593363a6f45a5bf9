"""Prepares `text`: one pass over a folder's files into ArrayRecord files."""

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from ...objectives.errors import UsageError
from ..files import sha256_of, write_whole
from ._text_files import Bad, Document, File, documents, files

_FORMAT = 2  # of prepared folders; a new one prepares every folder again
_SUMMARY = "prepared.json"
_TICK_NS = 2 * 10**9  # the coarsest clock of a file system, FAT's
_SHOWN_BYTES = 2**20  # between two updates of the bar


class Settings(NamedTuple):
    """Settings of a preparation, as in `text.Text`."""

    key: str
    bad: Literal["error", "skip"]
    validation_percent: float | int


class Skipped(NamedTuple):
    """The number of skipped documents of a kind, and the place of the first."""

    number: int
    first: str


def place_of(name: str, line: int) -> int:
    """A document's place in [0, 2⁶⁴); the lowest are held out for validation.

    A hash of its file's name and line, so that adding or gzipping files moves no
    document.
    """
    unpacked = name[:-3] if name.lower().endswith(".gz") else name
    digest = hashlib.sha256(os.fsencode(f"{unpacked}\0{line}")).digest()
    return int.from_bytes(digest[:8], "big")


def prepare(
    folder: Path, text_files: list[File], root: Path, settings: Settings
) -> Path:
    """The folder `root/identity` of a text folder's documents; makes it if missing.

    It holds `train` and `validation`, ArrayRecord files of UTF-8, and `prepared.json`,
    which counts documents. Its name is the documents' `identity`. As for every corpus,
    it is prepared in a temporary folder and renamed into place: the first process wins,
    and an interrupted one leaves nothing.

    Args:
      folder: the text folder, resolved.
      text_files: its files.
      root: of prepared folders.
      settings: how to read it.

    Raises:
      ValueError: a document is bad and `settings.bad` is 'error', there is none, an
        archive is damaged, or files changed meanwhile.
    """
    name = identity(text_files, root, settings)
    final = root / name
    if final.exists():
        return final
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".preparing-", dir=root) as temporary:
        private = Path(temporary) / name
        private.mkdir()
        counts, skipped = _write(folder, text_files, private, settings)
        report = _skipped_summary(folder, sum(counts.values()), skipped)
        if not sum(counts.values()):
            raise UsageError(f"{folder} has no document that can be used. {report}")
        if files(folder) != text_files:
            raise UsageError(
                f"files in {folder} changed while they were read; run this again once "
                "nothing writes there."
            )
        summary = {"folder": os.fspath(folder), "settings": settings._asdict()}
        summary |= {"files": len(text_files), "documents": counts}
        summary["skipped"] = {kind: s._asdict() for kind, s in skipped.items()}
        (private / _SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
        try:
            os.rename(private, final)
        except OSError:
            if not final.exists():
                raise
            return final  # another process was first
    if skipped:
        print(f"text: {report}", file=sys.stderr)
    return final


def left_out(prepared: Path) -> str:
    """The bad documents of a prepared folder: `3 bad documents (3 empty)`, or ""."""
    skipped = json.loads((prepared / _SUMMARY).read_text())["skipped"]
    if not skipped:
        return ""
    total = sum(kind["number"] for kind in skipped.values())
    kinds = "; ".join(f"{kind['number']:,} {name}" for name, kind in skipped.items())
    return f"{total:,} bad document{'s'[: total > 1]} ({kinds})"


def identity(text_files: list[File], root: Path, settings: Settings) -> str:
    """Identifies a folder's documents by the settings and every file's content.

    Names count too, since they decide which documents are held out; paths and times do
    not, so a copy is the same corpus. A file is read once: its digest is cached by its
    path, size and times, of which the time of change is set by no program.

    Args:
      text_files: the folder's files.
      root: of prepared folders; the cache lies beside it.
      settings: how to read the files.
    """
    contents = [
        (file.name, content_of(file, root.with_name("text_contents")))
        for file in text_files
    ]
    text = repr((_FORMAT, tuple(settings), contents))
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:32]


def content_of(file: File, cache: Path) -> str:
    """The sha256 of a file's bytes.

    It is not cached while the file could change again within one tick of its clock.
    """
    times = file.modified_ns, file.changed_ns
    state = repr((os.fspath(file.path), file.size, *times))
    cached = cache / hashlib.sha256(os.fsencode(state)).hexdigest()[:32]
    if cached.is_file():
        return cached.read_text()
    content = sha256_of(file.path)
    if abs(time.time_ns() - file.changed_ns) > _TICK_NS:
        cache.mkdir(parents=True, exist_ok=True)
        write_whole(cached, content)
    return content


def _write(
    folder: Path, text_files: list[File], private: Path, settings: Settings
) -> tuple[dict[str, int], dict[str, Skipped]]:
    """Writes the documents; returns their number by split, and what was skipped."""
    # Imported here: a settings check needs no ArrayRecord.
    from array_record.python.array_record_module import ArrayRecordWriter

    limit = int(settings.validation_percent / 100 * 2**64)
    counts = {"train": 0, "validation": 0}
    skipped: dict[str, Skipped] = {}
    with contextlib.ExitStack() as stack:
        # Groups of one record, as random access requires.
        writers: dict[str, Any] = {
            split: stack.enter_context(
                contextlib.closing(
                    ArrayRecordWriter(os.fspath(private / split), "group_size:1")
                )
            )
            for split in counts
        }

        def write(split: str, data: bytes) -> None:
            writers[split].write(data)
            counts[split] += 1

        # The lowest so far waits: of two documents or more, one is held out.
        lowest: tuple[int, bytes] | None = None
        for file, document in _read(text_files, settings.key):
            if isinstance(document, Bad):
                _skip(folder / file.name, document, skipped, settings.bad)
                continue
            place, data = place_of(file.name, document.line), document.data
            if lowest is None:
                lowest = place, data
                continue
            if place < lowest[0]:
                lowest, (place, data) = (place, data), lowest
            write("validation" if place < limit else "train", data)
        if lowest is not None:
            held_out = settings.validation_percent > 0 and sum(counts.values())
            write("validation" if held_out else "train", lowest[1])
    return counts, skipped


def _read(text_files: list[File], key: str) -> Iterator[tuple[File, Document | Bad]]:
    """Every document with its file, in order, under a progress bar of bytes."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task(
            "preparing text", total=sum(file.size for file in text_files)
        )
        read_bytes = shown_bytes = 0
        for file in text_files:
            with file.path.open("rb") as raw:
                for document in documents(raw, os.fspath(file.path), key=key):
                    yield file, document
                    if (done := read_bytes + raw.tell()) - shown_bytes >= _SHOWN_BYTES:
                        bar.update(task, completed=done)
                        shown_bytes = done
            read_bytes += file.size


def _skip(
    path: Path, bad: Bad, skipped: dict[str, Skipped], policy: Literal["error", "skip"]
) -> None:
    """Counts a bad document, or raises ValueError if bad ones are an error."""
    where = f"{path}:{bad.line}"
    if policy == "error":
        raise UsageError(
            f"{where}: {bad.message}. To leave out and count bad documents, set "
            "text.bad = 'skip'."
        )
    number, first = skipped.get(bad.kind, Skipped(0, where))
    skipped[bad.kind] = Skipped(number + 1, first)


def _skipped_summary(folder: Path, kept: int, skipped: dict[str, Skipped]) -> str:
    total = sum(kind.number for kind in skipped.values())
    kinds = "; ".join(
        f"{kind.number} {name} (first: {kind.first})" for name, kind in skipped.items()
    )
    return f"skipped {total:,} of {total + kept:,} documents of {folder}: {kinds}."
