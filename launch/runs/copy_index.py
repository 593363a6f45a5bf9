"""What a run's copy in a bucket holds, and which process writes it."""

import json
import logging
import re
import secrets
import time
from pathlib import Path
from typing import Any, NamedTuple

from ...objectives.errors import UsageError
from ..hosts.progress import did
from .lease import EXPIRES_SECONDS, Holder, has_ended, own_holder
from .object_store import ObjectStore

_LOG = logging.getLogger(__name__)

INDEX = "copy.json"

_WATCH_SECONDS = 2.0
_SETTLE_SECONDS = 1.0
"""TensorStore compares and writes an object of S3 in two requests."""

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.\-]*"
FILE_NAME = re.compile(rf"{_PART}(/{_PART})*")


class CopyLost(UsageError, RuntimeError):
    """Another process writes the run's copy now."""


class SavedStep(NamedTuple):
    """A checkpoint in the bucket; its objects are never written again.

    Attributes:
      folder: of its objects, unique to the process that wrote them.
      digest: of its manifest and of when it was saved: of this save and no other.
      files: their bytes by path in the checkpoint.
    """

    folder: str
    digest: str
    files: dict[str, int]


class Index(NamedTuple):
    """The one object that says what a copy is; replaced at once.

    Attributes:
      run: random, the same as in the run's folder.
      holder: who writes the copy; None once released.
      beats: how often it was written; it moves on while the holder lives.
      steps: the checkpoints by step.
      files: the other files of the run.
    """

    run: str
    holder: Holder | None
    beats: int
    steps: dict[int, SavedStep]
    files: tuple[str, ...]

    @property
    def newest(self) -> int:
        """The step of the newest checkpoint; -1 without one."""
        return max(self.steps, default=-1)


class Claim:
    """The index of a copy, held by this process against all others."""

    def __init__(self, store: ObjectStore, folder: Path):
        """Takes the copy, once the process that holds it has ended.

        Args:
          store: where the copy is.
          folder: of the run here.

        Raises:
          UsageError: it is held by a process that lives, or is no copy of a run.
          ObjectStoreError: the bucket cannot be used.
        """
        self._store = store
        self.nonce = secrets.token_hex(4)
        self._mine = own_holder(folder)
        content, self._generation = store.read(INDEX)
        found = self._wait_for(content) if content else None
        self.index = found or Index(secrets.token_hex(8), None, 0, {}, ())
        self.write(self.index)
        time.sleep(_SETTLE_SECONDS)
        if _parse(store.address, store.read(INDEX)[0]).holder != self._mine:
            raise _taken(store.address, None)

    def write(self, index: Index, *, release: bool = False) -> None:
        """Replaces the index, or renews it; the holder is this process.

        Raises:
          CopyLost: another process has taken the copy.
          ObjectStoreError: it cannot be written.
        """
        holder = None if release else self._mine
        index = index._replace(holder=holder, beats=self.index.beats + 1)
        content = json.dumps(index._asdict()).encode()
        generation = self._store.swap(INDEX, content, generation=self._generation)
        if generation is None:
            found, generation = self._store.read(INDEX)
            # The answer to a write that succeeded may have been lost.
            if found != content:
                raise _taken(self._store.address, None)
        self.index, self._generation = index, generation

    def _wait_for(self, content: bytes) -> Index:
        """The index, once nobody holds it."""
        address = self._store.address
        index = _parse(address, content)
        if index.holder is None or has_ended(index.holder):
            return index
        _LOG.warning("%s is held by %s; waiting for it to end", address, index.holder)
        deadline = time.monotonic() + EXPIRES_SECONDS
        while time.monotonic() < deadline:
            did("waiting for the lease of the run's copy")
            time.sleep(_WATCH_SECONDS)
            content, self._generation = self._store.read(INDEX)
            if _parse(address, content) != index:
                raise _taken(address, _parse(address, content).holder)
        return index


def _taken(address: str, holder: Holder | None) -> CopyLost:
    whom = f": {holder}" if holder else ""
    return CopyLost(
        f"another process writes the copy {address}{whom}. Stop it, or give this run "
        "another --copy_to; a copy whose process was killed is free "
        f"{EXPIRES_SECONDS:.0f} s later."
    )


def _parse(address: str, content: bytes) -> Index:
    """An index; names in it cannot lead out of a folder.

    Raises:
      UsageError: it is none.
    """
    try:
        fields: dict[str, Any] = json.loads(content)
        steps = {int(step): SavedStep(*s) for step, s in fields["steps"].items()}
        holder = fields["holder"] and Holder(*fields["holder"])
        index = Index(
            str(fields["run"]), holder, int(fields["beats"]), steps, (*fields["files"],)
        )
        names = [*index.files]
        for saved in steps.values():
            names += [saved.folder, *saved.files]
        if not all(FILE_NAME.fullmatch(name) for name in names):
            raise ValueError("a name is no path below the folder")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"{address}/{INDEX} is no index of a run's copy ({error}); give --copy_to "
            "an empty folder of a bucket, or delete what is in this one."
        ) from error
    return index
