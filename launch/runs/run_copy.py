"""A run's copy in a bucket: fetched before the run begins, renewed while it trains.

The run works in a folder as ever. A thread uploads each checkpoint once it is whole,
then the run's other files, and then replaces one object, the index, which alone says
what the copy is: whoever is killed at whatever moment, the copy is one whole run. On
another machine, the same command fetches it and goes on.
"""

import concurrent.futures
import contextlib
import hashlib
import json
import logging
import math
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..hosts import coordination
from ..hosts.progress import SLOW, did
from ..hosts.stop_at_once import stop_itself
from .copy_index import FILE_NAME, Claim, CopyLost, SavedStep
from .directory import RunDirectory, close_after
from .lease import RENEW_SECONDS
from .object_store import TRANSFER_SECONDS, ObjectStore, ObjectStoreError
from .verified import checkpoint_steps

_LOG = logging.getLogger(__name__)

_MARK = "copied.json"
"""In the run's folder: which run its copy is of."""

_TRANSFERS = 4
"""Files at a time, each in memory."""


@contextlib.contextmanager
def copied(run_dir: str | os.PathLike[str], address: str | None) -> Iterator[None]:
    """Keeps a copy of a run for as long as the context lasts; process 0 does.

    Args:
      run_dir: the run's folder, made if missing; held by this process from here on.
      address: of the copy, `gs://bucket/folder`; None keeps none.

    Raises:
      UsageError: the copy is of another run, or another process writes it.
      ObjectStoreError: the bucket cannot be used at the start, or at the end.
    """
    if address is None:
        yield
        return
    folder = RunDirectory(run_dir).path
    copy = RunCopy(folder, ObjectStore(address)) if _is_first() else None
    did("starting", times=math.inf)  # as before: see `Watchdog`
    coordination.meet("fetching the run's copy")
    try:
        yield
    except BaseException as error:
        if copy is not None:
            close_after(type(error), copy.close)
        raise
    if copy is not None:
        copy.close()


class RunCopy:
    """The copy of one run, written by a thread until it is closed."""

    def __init__(self, folder: Path, store: ObjectStore):
        """Takes the copy, fetches what the folder lacks, and begins to upload.

        Raises:
          UsageError: the copy is of another run, or another process writes it.
          ObjectStoreError: the bucket cannot be used.
        """
        self._folder, self._store = folder, store
        folder.mkdir(parents=True, exist_ok=True)
        self._claim = Claim(store, folder)
        self._uploaded: dict[str, tuple[int, int]] = {}
        self._ended = threading.Event()
        self._check_run()
        self._fetch()
        write_whole(folder / _MARK, json.dumps({"run": self._claim.index.run}))
        self._delete_others()
        self._lost: CopyLost | None = None
        self._thread = threading.Thread(
            target=self._renew, name="sightline-copy", daemon=True
        )
        self._thread.start()

    def upload(self) -> None:
        """Brings the copy up to the folder; checkpoints are uploaded once.

        Raises:
          CopyLost: another process has taken the copy.
          ObjectStoreError: the bucket cannot be written.
        """
        steps = {}
        for step in sorted(checkpoint_steps(self._folder / "checkpoints")):
            saved = self._upload_step(step)
            if saved is not None:
                steps[step] = saved
        before, files = self._claim.index.steps, self._claim.index.files
        # A run that is fetched drops what came after its newest checkpoint anyway.
        if before != steps or self._ended.is_set():
            files = tuple(self._upload_files())
        self._claim.write(self._claim.index._replace(steps=steps, files=files))
        if before != steps:
            self._delete_others()

    def close(self) -> None:
        """Uploads what is left, and gives the copy back.

        Raises:
          CopyLost: another process has taken the copy.
          ObjectStoreError: it is not complete; the run's folder is.
        """
        self._ended.set()
        self._goes_on("uploading the run's copy")
        self._thread.join()
        if self._lost:
            raise self._lost
        self.upload()
        self._claim.write(self._claim.index, release=True)

    def _goes_on(self, what: str) -> None:
        """Notes progress once training is over: in mid-run it would hide a stall."""
        if self._ended.is_set():
            did(what, times=SLOW)

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            try:
                self.upload()
            except CopyLost as error:
                self._lost = error
                _LOG.error("%s The run stops.", error)
                # As any other request to stop: saved, and on all hosts at one step.
                stop_itself(str(error), status=2)
                return
            except (ObjectStoreError, OSError) as error:
                _LOG.warning("the run's copy is late; it is tried again: %s", error)

    def _upload_step(self, step: int) -> SavedStep | None:
        """A checkpoint in the bucket; None if it was deleted meanwhile."""
        place = self._folder / "checkpoints" / str(step)
        try:
            digest = _digest(place)
            known = self._claim.index.steps.get(step)
            if known is not None and known.digest == digest:
                return known
            files = {
                path.relative_to(place).as_posix(): path.stat().st_size
                for path in sorted(place.rglob("*"))
                if path.is_file()
            }
            folder = f"checkpoints/{step}-{self._claim.nonce}-{digest[:8]}"
            self._transfer(
                lambda name: self._write(f"{folder}/{name}", place / name),
                list(files),
            )
        except FileNotFoundError:
            if place.exists():
                raise
            return None  # `train.keep` has deleted it
        return SavedStep(folder, digest, files)

    def _upload_files(self) -> list[str]:
        """The run's other files, those that have changed uploaded."""
        folder = self._folder
        paths = [*folder.glob("*.jsonl"), folder / "config.gin"]
        paths += folder.glob("tensorboard/events.*")
        names = []
        for path in sorted(path for path in paths if path.is_file()):
            name = path.relative_to(folder).as_posix()
            if not FILE_NAME.fullmatch(name):
                continue  # none of the run's own
            found = path.stat()
            state = found.st_mtime_ns, found.st_size
            if self._uploaded.get(name) != state:
                self._write(f"files/{name}", path)
                self._uploaded[name] = state
            names.append(name)
        return names

    def _write(self, name: str, path: Path) -> None:
        self._goes_on(f"uploading {name}")
        self._store.write(name, path.read_bytes())

    def _transfer(self, move: Callable[[str], object], names: list[str]) -> None:
        """Moves files, and renews the lease of the copy meanwhile."""
        with concurrent.futures.ThreadPoolExecutor(_TRANSFERS) as pool:
            pending = {pool.submit(move, name) for name in names}
            try:
                while pending:
                    done, pending = concurrent.futures.wait(
                        pending,
                        timeout=RENEW_SECONDS,
                        return_when=concurrent.futures.FIRST_EXCEPTION,
                    )
                    for future in done:
                        future.result()
                    if pending:
                        self._claim.write(self._claim.index)
            finally:
                for future in pending:
                    future.cancel()

    def _check_run(self) -> None:
        """Refuses a folder with checkpoints of another run than the copy's."""
        mark = self._folder / _MARK
        run = json.loads(mark.read_text())["run"] if mark.exists() else None
        index = self._claim.index
        ours = checkpoint_steps(self._folder / "checkpoints")
        if index.steps and ours and run != index.run:
            self._claim.write(index, release=True)
            raise UsageError(
                f"{self._store.address} is the copy of another run than the one in "
                f"{str(self._folder)!r}; give --copy_to another folder of the bucket, "
                "or --run_dir an empty one to go on with the copy."
            )

    def _fetch(self) -> None:
        """Fetches checkpoints that are newer than the folder's, and its files."""
        index, folder = self._claim.index, self._folder
        newest = max(checkpoint_steps(folder / "checkpoints"), default=-1)
        if index.newest <= newest:
            return
        _LOG.info("fetching step %s from %s", f"{index.newest:,}", self._store.address)
        for name in index.files:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, self._store.read(f"files/{name}")[0])
        for step, saved in sorted(index.steps.items()):
            if step > newest:
                self._fetch_step(step, saved)

    def _fetch_step(self, step: int, saved: SavedStep) -> None:
        """Fetches a checkpoint, which appears whole; restoring verifies it."""
        partial = self._folder / f".fetching-{step}"
        shutil.rmtree(partial, ignore_errors=True)

        def fetch(name: str) -> None:
            did(f"fetching {name} of step {step}", times=SLOW)
            source = f"{saved.folder}/{name}"
            content, _ = self._store.read(source, seconds=TRANSFER_SECONDS)
            if len(content) != saved.files[name]:
                raise ObjectStoreError(
                    f"{self._store.address}/{source} has {len(content)} bytes instead "
                    f"of {saved.files[name]}; restore it, or use another --copy_to."
                )
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_bytes(content)

        self._transfer(fetch, list(saved.files))
        target = self._folder / "checkpoints" / str(step)
        target.parent.mkdir(exist_ok=True)
        partial.rename(target)

    def _delete_others(self) -> None:
        """Deletes checkpoints that the index does not name: old, or half-uploaded."""
        kept = {saved.folder for saved in self._claim.index.steps.values()}
        for name in self._store.names():
            folder = "/".join(name.split("/")[:2])
            if folder.startswith("checkpoints/") and folder not in kept:
                self._goes_on(f"deleting {name}")
                self._store.delete(name)


def _digest(checkpoint: Path) -> str:
    """Of what tells one save of a step from another.

    That is the manifest, which names every array with its fingerprint, and Orbax's
    record of when it was committed. A step whose checkpoint was damaged is trained and
    saved again with the same manifest, and the bucket may have the damaged one.
    """
    parts = sorted(path for path in (checkpoint / "manifest").rglob("*"))
    content = b"".join(path.read_bytes() for path in parts if path.is_file())
    if not content:
        raise FileNotFoundError(checkpoint / "manifest")
    content += (checkpoint / "_CHECKPOINT_METADATA").read_bytes()
    return hashlib.sha256(content).hexdigest()


def _is_first() -> bool:
    return coordination.process() == 0
