"""Documents copied once, for random access: ArrayRecord files and what they hold."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ...objectives.errors import UsageError
from ._array_records import ArrayRecords
from ._sound import AGAIN

SUMMARY = "prepared.json"


def prepare(
    final: Path,
    splits: Mapping[str, Callable[[], Iterable[str]]],
    *,
    where: str,
    unchanged: Callable[[], bool],
    **about: Any,
) -> Path:
    """Writes the documents of each split, unless they have been.

    As for every corpus, they are prepared in a temporary folder that is renamed into
    place: the first process wins, and an interrupted one leaves nothing.

    Args:
      final: the folder to make.
      splits: gives the documents, by split.
      where: they are read, for a message.
      unchanged: whether what is there is still what `final` is named after; asked
        once all is written, as what is kept would stand for it from then on.
      **about: plain JSON, kept beside the documents once all are written.

    Returns:
      `final`, with a file for each split and `prepared.json`, which has the number of
      documents and the sha256 of them all, by split.

    Raises:
      UsageError: it changed while it was read.
    """
    if final.exists():
        return final
    from array_record.python.array_record_module import ArrayRecordWriter

    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".preparing-", dir=final.parent) as folder:
        private = Path(folder, final.name)
        private.mkdir()
        contents = {}
        for split, documents in splits.items():
            digest, count = hashlib.sha256(), 0
            # Groups of one record, as random access requires.
            writer: Any = ArrayRecordWriter(os.fspath(private / split), "group_size:1")
            with contextlib.closing(writer):
                for text in documents():
                    data = text.encode()
                    digest.update(len(data).to_bytes(8, "little") + data)
                    writer.write(data)
                    count += 1
            contents[split] = {"documents": count, "sha256": digest.hexdigest()}
        summary = {**about, "splits": contents}
        (private / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
        if not unchanged():
            raise UsageError(
                f"{where} changed while it was read; run this again once nothing "
                "writes there."
            )
        try:
            os.rename(private, final)
        except OSError:
            if not final.exists():
                raise  # else another process was first
    return final


def contents(folder: Path) -> dict[str, Any]:
    """What each split of a prepared folder holds: `documents` and `sha256`."""
    return about(folder)["splits"]


def about(folder: Path) -> dict[str, Any]:
    """All that is kept beside the documents of a prepared folder."""
    return json.loads((folder / SUMMARY).read_text())


def open_split(
    folder: Path, split: str, *, cure: str = AGAIN
) -> ArrayRecords | tuple[()]:
    """The documents of a split of a prepared folder; `cure` is for where it is damaged.

    Raises:
      UsageError: the split is damaged, here or when a document is read.
    """
    if not contents(folder)[split]["documents"]:
        return ()  # ArrayRecord reads no empty file
    return ArrayRecords(folder / split, cure=cure)
