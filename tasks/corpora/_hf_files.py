"""Texts in Arrow and Parquet files. Imports pyarrow."""

import bisect
import functools
import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ...objectives.errors import UsageError, nearest
from . import _prepared
from ._hf_layout import Layout, is_parquet
from ._text_builder import content_of
from ._text_files import File

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ModuleNotFoundError as error:
    raise UsageError(
        "the corpus hf_dataset needs pyarrow, which is not installed; run pip install "
        "'sightline[arrow]'."
    ) from error

T = TypeVar("T")


class ArrowTexts(Sequence[str]):
    """The texts of a column of Arrow files, mapped into memory.

    Args:
      files: in order.
      column: of the texts.

    Reading a text raises UsageError if it is not UTF-8.
    """

    def __init__(self, files: Sequence[Path], column: str):
        self._column = column
        self._chunks: list[Any] = []
        self._places: list[tuple[Path, int]] = []
        for file in files:
            texts = _sound(file, lambda file=file: _arrow(file).column(column))
            if texts.null_count:
                raise UsageError(_nulls(file, column, texts.null_count))
            rows = 0
            for chunk in texts.chunks:
                self._chunks.append(chunk)
                self._places.append((file, rows))
                rows += len(chunk)
        lengths = [len(chunk) for chunk in self._chunks]
        self._ends = list(itertools.accumulate(lengths))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        chunk = bisect.bisect_right(self._ends, index)
        at = index - (self._ends[chunk - 1] if chunk else 0)
        file, first = self._places[chunk]
        return _text(self._chunks[chunk][at], file, self._column, first + at)


def check_columns(files: Sequence[Path], column: str) -> None:
    """Refuses files without such a column of text.

    Raises:
      UsageError: naming the columns that are; or a file is damaged.
    """
    for file in files:
        schema = _sound(file, lambda file=file: _schema(file))
        kinds = dict(zip(schema.names, schema.types, strict=True))
        texts = [name for name, kind in kinds.items() if _is_text(kind)]
        if column not in kinds:
            raise UsageError(
                f"{file} has no column {column!r}; {nearest(column, texts)} Set "
                "hf_dataset.column."
            )
        if (number := schema.names.count(column)) > 1:
            raise UsageError(
                f"{file} has {number} columns {column!r}; rename all but one and save "
                "the data set again."
            )
        if column not in texts:
            raise UsageError(
                f"the column {column!r} of {file} is of type {kinds[column]}, not of "
                f"text; set hf_dataset.column; {nearest(column, texts)}"
            )


def identity(layout: Layout, splits: Sequence[str], column: str, root: Path) -> str:
    """Of the bytes of the files of some splits, and of the column.

    Args:
      layout: of the data set.
      splits: that are read.
      column: of the texts.
      root: of corpora; the digests of files are cached there, by their state.
    """
    cache = root / "hf_contents"
    digests = [
        (split, [content_of(_file(path), cache) for path in layout.files[split]])
        for split in splits
    ]
    text = repr((column, digests))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def documents(layout: Layout, split: str, column: str, root: Path) -> Sequence[str]:
    """The texts of a split: Arrow where it lies, Parquet copied once.

    Args:
      layout: of the data set.
      split: name of the split.
      column: of the texts.
      root: of corpora.

    Raises:
      UsageError: a text is null, or a file is damaged or changed meanwhile.
    """
    files = layout.files[split]
    if layout.kind == "arrow":
        return _open(tuple(files), column)
    identify = functools.partial(identity, layout, [split], column, root)
    final = root / "hf_dataset" / identify()
    prepared = _prepared.prepare(
        final,
        {split: lambda: _parquet_texts(files, column)},
        where=str(layout.folder),
        unchanged=lambda: identify() == final.name,
    )
    return _prepared.open_split(prepared, split)


@functools.cache
def _open(files: tuple[Path, ...], column: str) -> ArrowTexts:
    return ArrowTexts(files, column)


def _parquet_texts(files: Sequence[Path], column: str) -> Iterator[str]:
    for file in files:
        parquet = _sound(file, lambda file=file: pq.ParquetFile(file))
        groups = parquet.iter_batches(batch_size=1024, columns=[column])
        take = functools.partial(next, groups, None)
        first = 0
        while (batch := _sound(file, take)) is not None:
            texts = batch.column(column)  # `columns` takes a.b of a struct a as well
            if texts.null_count:
                raise UsageError(_nulls(file, column, texts.null_count))
            for row, text in enumerate(texts, first):
                yield _text(text, file, column, row)
            first += len(texts)


def _arrow(file: Path) -> Any:
    """The table of a file in Arrow's stream format, which `save_to_disk` writes."""
    return pa.ipc.open_stream(pa.memory_map(os.fspath(file))).read_all()


def _schema(file: Path) -> Any:
    if is_parquet(file):
        return pq.read_schema(file)
    with pa.memory_map(os.fspath(file)) as mapped:
        return pa.ipc.open_stream(mapped).schema


def _is_text(kind: Any) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _text(value: Any, file: Path, column: str, row: int) -> str:
    """The text of a value of a column."""
    try:
        return value.as_py()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UsageError(
            f"row {row:,} (from 0) of {file} is not UTF-8 in the column {column!r}: "
            f"byte {error.start + 1} of the text is {byte:#04x}; re-encode the column "
            "and save the data set again."
        ) from error


def _nulls(file: Path, column: str, count: int) -> str:
    return (
        f"the column {column!r} of {file} has no text in {count:,} of its rows (null); "
        "filter them out and save the data set again."
    )


def _file(path: Path) -> File:
    state = path.stat()
    times = state.st_mtime_ns, state.st_ctime_ns
    return File(path.name, path, state.st_size, *times)


def _sound(file: Path, read: Callable[[], T]) -> T:
    """What a read gives; damage becomes one message."""
    try:
        return read()
    except (pa.ArrowInvalid, OSError) as error:
        first = str(error).strip().splitlines()[0]
        raise UsageError(
            f"{file} is damaged or no Arrow or Parquet file ({first}); copy or save "
            "the data set again."
        ) from error
