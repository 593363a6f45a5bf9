"""Reading the rows of a recording by random access, without TensorFlow."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader
from jaxtyping import Int64

from ...models.rows import Batch
from ...objectives.errors import UsageError
from .manifest import GroupRows, Manifest, Shard, damaged, read_manifest
from .order import Places
from .row_format import decode, wrong_id

# In the calling thread: Grain has threads of its own.
_OPTIONS = "max_parallelism:0"


class Recording:
    """An open recording.

    Args:
      folder: of the recording.

    Attributes:
      folder: of the recording.
      manifest: what it holds.

    Raises:
      UsageError: the manifest or a shard is missing, of another size, or damaged.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        self._format = self.manifest.row_format
        self._readers: dict[str, Any] = {}
        for group in self.manifest.groups:
            for shard in group.shards:
                check_file(folder, shard)

    def rows(self, group: GroupRows, numbers: Sequence[int]) -> Batch:
        """Some rows of a group as a batch.

        Raises:
          UsageError: a shard is damaged, or holds an id outside the vocabulary.
        """
        of_group = np.zeros(len(numbers), np.int64)
        return self.batch(
            [group], Places(of_group, np.asarray(numbers, np.int64).reshape(-1))
        )

    def batch(self, groups: Sequence[GroupRows], places: Places) -> Batch:
        """Rows of several groups as a batch.

        Args:
          groups: those that `places` numbers.
          places: the rows.

        Raises:
          UsageError: a shard is damaged, or holds an id outside the vocabulary.
        """
        records: list[bytes] = [b""] * len(places.row)
        where: list[tuple[Shard, int]] = [(Shard("", 0, 0, ""), 0)] * len(places.row)
        for number, group in enumerate(groups):
            ours = np.flatnonzero(places.group == number)
            starts = _starts(group)
            of_shard = np.searchsorted(starts, places.row[ours], side="right") - 1
            for index in np.unique(of_shard).tolist():
                shard, chosen = group.shards[index], ours[of_shard == index]
                rows = (places.row[chosen] - starts[index]).tolist()
                found = self._read(shard, rows)
                for at, row, record in zip(chosen.tolist(), rows, found, strict=True):
                    records[at], where[at] = record, (shard, row)
        try:
            batch = decode(records, self._format)
        except ValueError as error:
            names = ", ".join(sorted({shard.name for shard, _ in where}))
            raise damaged(self.folder / names, str(error)) from error
        self._check_ids(batch, where)
        return batch

    def close(self) -> None:
        """Closes all shards."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _read(self, shard: Shard, rows: list[int]) -> list[bytes]:
        try:
            reader = self._readers.get(shard.name)
            if reader is None:
                path = os.fspath(self.folder / shard.name)
                reader = self._readers.setdefault(
                    shard.name, ArrayRecordReader(path, _OPTIONS)
                )
                if reader.num_records() != shard.rows:
                    raise ValueError(
                        f"it has {reader.num_records()} rows, not {shard.rows}"
                    )
            return reader.read(rows)
        except (ValueError, RuntimeError, IndexError, OSError) as error:
            path = self.folder / shard.name
            raise damaged(path, f"rows {rows[:3]}: {error}") from error

    def _check_ids(self, batch: Batch, where: Sequence[tuple[Shard, int]]) -> None:
        size = self._format.vocabulary_size
        if (found := wrong_id(batch, size)) is not None:
            place, field, value = found
            shard, row = where[place]
            raise UsageError(
                f"row {row} of {self.folder / shard.name} is damaged: {field} holds "
                f"the id {value}, outside the vocabulary [0, {size}). Copy the "
                "recording again, or record it anew."
            )


def check_file(folder: Path, shard: Shard) -> None:
    """Checks that a shard is a file of the size that the manifest says.

    Raises:
      UsageError: it is missing, a link, or of another size.
    """
    path = folder / shard.name
    if path.is_symlink() or not path.is_file():
        what = "it is a link" if path.is_symlink() else "it is missing"
        raise damaged(path, what)
    if (size := path.stat().st_size) != shard.bytes:
        raise damaged(path, f"it has {size:,} bytes, not {shard.bytes:,}")


def _starts(group: GroupRows) -> Int64[np.ndarray, " shards"]:
    """The first row of each shard in its group."""
    rows = np.array([shard.rows for shard in group.shards], np.int64)
    return np.cumsum(rows) - rows
