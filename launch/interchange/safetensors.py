"""Safetensors files, read and written one tensor at a time.

The format is eight bytes with the length of a header, the header in JSON, and the
tensors one after another (huggingface/safetensors, "Format"). It is read and written
here, so that neither needs another package or more memory than a tensor takes.
"""

import json
import math
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from ...objectives.errors import UsageError, nearest
from ..runs.named_arrays import groups_by_bytes

DTYPES: dict[str, np.dtype] = {
    "F32": np.dtype(np.float32),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F16": np.dtype(np.float16),
}
"""The types of tensors that are read and written, by the format's names."""

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_MOST_HEADER = 100_000_000  # bytes; the format's own limit


class Tensor(NamedTuple):
    """Where a tensor lies.

    Attributes:
      file: that holds it.
      dtype: its type, by the format's name.
      shape: its shape.
      start: byte of the file where it begins.
    """

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int


def open_folder(folder: Path) -> dict[str, Tensor]:
    """Every tensor of a folder's safetensors files, by name; no tensor is read.

    Raises:
      UsageError: there are none, a shard is missing or cut short, an index names a
        tensor that its shard lacks, or a tensor is of another type than `DTYPES`.
    """
    index = folder / INDEX
    if index.is_file():
        return _sharded(index)
    if (folder / SINGLE).is_file():
        return read_header(folder / SINGLE)
    others = sorted(path.name for path in folder.glob("*.bin"))
    hint = f"it has {others[0]}: save it again as safetensors" if others else ""
    raise UsageError(
        f"{folder} holds no weights: neither {SINGLE} nor {INDEX}; "
        + (f"{hint} (save_pretrained)." if hint else "give the folder of a model.")
    )


def _sharded(index: Path) -> dict[str, Tensor]:
    text = index.read_text(encoding="utf-8", errors="replace")
    try:
        shard_of = json.loads(text)["weight_map"]
        names = sorted(set(shard_of.values()))
        outside = [name for name in names if Path(name).name != name]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{index} is no index of shards: it needs a `weight_map` from tensors to "
            "files; copy it again."
        ) from error
    if outside:
        raise UsageError(f"{index} names a file outside of its folder: {outside[0]!r}.")
    missing = [name for name in names if not (index.parent / name).is_file()]
    if missing:
        raise UsageError(
            f"{index.parent} lacks {len(missing)} of its {len(names)} shards: "
            f"{', '.join(missing[:3])}; copy the whole folder."
        )
    found = {name: read_header(index.parent / name) for name in names}
    tensors: dict[str, Tensor] = {}
    for tensor, name in shard_of.items():
        if tensor not in found[name]:
            raise UsageError(f"{name} lacks {tensor}, which {INDEX} says it holds.")
        tensors[tensor] = found[name][tensor]
    return tensors


def read_header(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, checked against its size.

    Raises:
      UsageError: the file is cut short or no safetensors file, or a tensor's type is
        none of `DTYPES`.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        header = file.read(length) if 0 < length <= _MOST_HEADER else b""
    if not header or len(header) < length:
        raise UsageError(
            f"{path} is cut short or no safetensors file ({size} bytes); copy it again."
        )
    try:
        entries = json.loads(header)
        entries.pop("__metadata__", None)
        tensors = {name: _tensor(path, e, 8 + length) for name, e in entries.items()}
        ends = [8 + length + e["data_offsets"][1] for e in entries.values()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} has a damaged header; copy it again.") from error
    if max(ends, default=0) > size:
        raise UsageError(
            f"{path} is cut short: it has {size} bytes, and its header says "
            f"{max(ends)}; copy it again."
        )
    for name, tensor in tensors.items():
        _check(name, tensor, entries[name]["data_offsets"])
    return tensors


def _tensor(path: Path, entry: Mapping[str, Any], data: int) -> Tensor:
    shape = tuple(int(size) for size in entry["shape"])
    return Tensor(path, str(entry["dtype"]), shape, data + entry["data_offsets"][0])


def _check(name: str, tensor: Tensor, offsets: Sequence[int]) -> None:
    if tensor.dtype not in DTYPES:
        raise UsageError(
            f"{tensor.file}: {name} is of type {tensor.dtype}, which is not supported "
            f"(a quantised model?); {nearest(tensor.dtype, DTYPES)}"
        )
    nbytes = math.prod(tensor.shape) * DTYPES[tensor.dtype].itemsize
    if offsets[1] - offsets[0] != nbytes or offsets[0] < 0:
        raise UsageError(
            f"{tensor.file}: {name} of shape {list(tensor.shape)} does not fill its "
            "bytes; the header is damaged: copy the file again."
        )


def read(tensor: Tensor) -> np.ndarray:
    """A tensor's values, mapped from the file: they take memory as they are used."""
    if 0 in tensor.shape:
        return np.zeros(tensor.shape, DTYPES[tensor.dtype])
    return np.memmap(tensor.file, DTYPES[tensor.dtype], "r", tensor.start, tensor.shape)


class Writer:
    """Files of planned tensors, written in any order, a tensor at a time.

    All room is taken at the start. A tensor that is never written stays zero; `close`
    refuses that.
    """

    def __init__(
        self,
        folder: Path,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        dtype: str,
        shard_bytes: int,
    ):
        """Plans the shards and writes their headers, and the index if there are many.

        Args:
          folder: that exists.
          shapes: of every tensor, in the order of the files.
          dtype: of `DTYPES`.
          shard_bytes: most bytes of a file, unless one tensor is larger.
        """
        self._dtype = DTYPES[dtype]
        self._places: dict[str, Tensor] = {}
        sizes = {n: math.prod(s) * self._dtype.itemsize for n, s in shapes.items()}
        shards = list(groups_by_bytes(sizes, most=shard_bytes))
        names = [SINGLE]
        if len(shards) > 1:
            last = len(shards)
            names = [f"model-{n:05d}-of-{last:05d}.safetensors" for n in _from_1(last)]
        total = 0
        for name, shard in zip(names, shards, strict=True):
            total += self._begin(folder / name, {n: shapes[n] for n in shard}, dtype)
        if len(shards) > 1:
            where = {n: place.file.name for n, place in self._places.items()}
            index = {"metadata": {"total_size": total}, "weight_map": where}
            (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")
        self._unwritten = set(shapes)

    def _begin(
        self, path: Path, shapes: Mapping[str, tuple[int, ...]], dtype: str
    ) -> int:
        """Writes a file's header and takes its room; returns the bytes of tensors."""
        entries, at = {}, 0
        for name, shape in shapes.items():
            end = at + math.prod(shape) * self._dtype.itemsize
            entries[name] = {
                "dtype": dtype, "shape": list(shape), "data_offsets": [at, end]
            }  # fmt: skip
            at = end
        text = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
        text += b" " * (-len(text) % 8)
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + at)
        for name, entry in entries.items():
            start = 8 + len(text) + entry["data_offsets"][0]
            self._places[name] = Tensor(path, dtype, shapes[name], start)
        return at

    def write(self, name: str, values: np.ndarray) -> None:
        """Writes one tensor, cast to the type of the files.

        Raises:
          UsageError: a finite value is beyond the type's range.
        """
        place = self._places[name]
        assert values.shape == place.shape, (name, values.shape, place.shape)
        with np.errstate(over="ignore"):
            cast = np.ascontiguousarray(values, self._dtype)
        if (np.isinf(cast) & np.isfinite(values)).any():
            raise UsageError(
                f"{name} holds ±{np.abs(values[np.isfinite(values)]).max():.3g}, which "
                f"{place.dtype} cannot; write BF16 (--dtype=bfloat16) or F32."
            )
        with place.file.open("r+b") as file:
            file.seek(place.start)
            cast.tofile(file)
        self._unwritten.discard(name)

    def close(self) -> None:
        """Checks that every tensor was written, and waits until all are on disk."""
        assert not self._unwritten, sorted(self._unwritten)
        for path in {place.file for place in self._places.values()}:
            with path.open("r+b") as file:
                os.fsync(file.fileno())


def _from_1(last: int) -> range:
    return range(1, last + 1)
