"""Compiled steps on disk, by the content of what was compiled."""

import dataclasses
import gzip
import json
import os
from pathlib import Path
from typing import Any

import jax
from jax.sharding import Mesh

from ....tasks.files import write_whole
from ....tasks.recorded.identity import digest_of
from ....tasks.user_folder import user_folder
from .compiled import Array, Compiled, Memory, Refusal
from .environment import libtpu_at

_FLAGS = ("XLA_FLAGS", "LIBTPU_INIT_ARGS", "JAX_DISABLE_MOST_OPTIMIZATIONS")

KEPT = 200
"""Results in the cache at most; the oldest go."""


def content_key(stablehlo: str, cluster: str, mesh: Mesh) -> str:
    """What identifies a result: the program, its devices, and the compiler.

    Args:
      stablehlo: the program before it is compiled, as text.
      cluster: name of the topology.
      mesh: of the program; the order of its devices counts.
    """
    library = libtpu_at()
    compiler = library.stat() if library else None
    return digest_of(
        {
            "program": stablehlo,
            "cluster": cluster,
            "devices": [device.id for device in mesh.devices.flat],
            "platform": mesh.devices.flat[0].platform,
            "jax": jax.__version__,
            "libtpu": compiler and [compiler.st_size, compiler.st_mtime_ns],
            "flags": {name: os.environ.get(name) for name in _FLAGS},
        }
    )


class Cache:
    """A folder of results. One that cannot be read is compiled again."""

    def __init__(self, folder: Path | None = None):
        """Opens a folder.

        Args:
          folder: None is `plan` in the user's cache folder.
        """
        self.folder = folder or user_folder() / "plan"

    def read(self, key: str) -> Compiled | None:
        """The result of that key; None if there is none."""
        file = self._file(key)
        if not file.is_file():
            return None
        try:
            found = json.loads(gzip.decompress(file.read_bytes()))
            os.utime(file)  # used now: among the last to go
            return _of_json(found)
        except (EOFError, OSError, ValueError, TypeError, KeyError):
            file.unlink(missing_ok=True)
            return None

    def write(self, key: str, result: Compiled) -> None:
        """Keeps a result."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(result))
        write_whole(self._file(key), gzip.compress(text.encode(), mtime=0))
        files = sorted(self.folder.glob("*.json.gz"), key=lambda f: f.stat().st_mtime)
        for file in files[:-KEPT]:
            file.unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key}.json.gz"


def _of_json(found: dict[str, Any]) -> Compiled:
    memory, refusal = found.pop("memory"), found.pop("refusal")
    if refusal is not None:
        largest = tuple(Array(**one) for one in refusal.pop("largest"))
        refusal = Refusal(**refusal, largest=largest)
    found["cached"] = True
    return Compiled(**found, memory=memory and Memory(**memory), refusal=refusal)
