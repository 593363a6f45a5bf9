"""Reading the rows of a recording by random access, without TensorFlow."""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from array_record.python.array_record_module import ArrayRecordReader
from jaxtyping import Int64

from ...models.rows import Batch
from ...objectives.errors import UsageError
from ..files import sha256_of, sha256_of_edges
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

    What a shard holds is checked when its first row is read.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder)
        self._format = self.manifest.row_format
        self._readers: dict[str, Any] = {}
        groups = self.manifest.groups
        self._shards = [shard for group in groups for shard in group.shards]
        for shard in self._shards:
            check_file(folder, shard)
        sizes = np.array([shard.rows for shard in self._shards], np.int64)
        self._starts: Int64[np.ndarray, " shards"] = np.cumsum(sizes) - sizes
        ends = itertools.accumulate(group.rows for group in groups)
        self._bases = {
            (group.split, group.name): end - group.rows
            for group, end in zip(groups, ends, strict=True)
        }

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
        bases = np.array([self._bases[group.split, group.name] for group in groups])
        rows = bases[places.group] + places.row
        shards = np.searchsorted(self._starts, rows, side="right") - 1
        rows -= self._starts[shards]
        order = np.argsort(shards, kind="stable")
        cuts = np.flatnonzero(np.diff(shards[order])) + 1
        records: list[bytes] = [b""] * len(rows)
        for chosen in np.split(order, cuts) if len(rows) else ():
            shard = self._shards[shards[chosen[0]]]
            found = self._read(shard, rows[chosen].tolist())
            for at, record in zip(chosen.tolist(), found, strict=True):
                records[at] = record
        try:
            batch = decode(records, self._format)
        except ValueError as error:
            names = ", ".join(sorted({self._shards[n].name for n in shards}))
            raise damaged(self.folder / names, str(error)) from error
        size = self._format.vocabulary_size
        if (wrong := wrong_id(batch, size)) is not None:
            place, field, value = wrong
            path = self.folder / self._shards[shards[place]].name
            raise UsageError(
                f"row {rows[place]} of {path} is damaged: {field} holds the id "
                f"{value}, outside the vocabulary [0, {size}). Copy the recording "
                "again, or record it anew."
            )
        return batch

    def close(self) -> None:
        """Closes all shards."""
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _read(self, shard: Shard, rows: list[int]) -> list[bytes]:
        path = self.folder / shard.name
        reader = self._readers.get(shard.name)
        if reader is None:
            _check_content(path, shard)
            reader = self._readers.setdefault(shard.name, _open(path, shard.rows))
        try:
            return reader.read(rows)
        except (ValueError, RuntimeError, IndexError, OSError) as error:
            raise damaged(path, f"rows {rows[:3]}: {error}") from error


def _open(path: Path, rows: int) -> Any:
    """A reader of a shard that has so many rows."""
    try:
        reader = ArrayRecordReader(os.fspath(path), _OPTIONS)
        found = reader.num_records()
    except (ValueError, RuntimeError, OSError) as error:
        raise damaged(path, str(error)) from error
    if found != rows:
        raise damaged(path, f"it has {found} rows, not {rows}")
    return reader


def _check_content(path: Path, shard: Shard) -> None:
    """Checks that a file is the shard, and no other one of its size and rows.

    By its edges, at the cost of two short reads, which hold its first rows and the
    end of the index. Where the manifest notes no edges all of the file is read.

    Raises:
      UsageError: it is another file, or cannot be read.
    """
    try:
        if shard.edges is None:
            same = sha256_of(path) == shard.sha256
        else:
            same = sha256_of_edges(path) == shard.edges
    except OSError as error:
        raise damaged(path, str(error)) from error
    if not same:
        raise damaged(
            path,
            "it is not the file that was recorded under this name, by its sha256, as "
            "where files changed places",
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
