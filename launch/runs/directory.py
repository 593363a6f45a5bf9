"""A run's directory: made, locked, and still the same while the run writes to it."""

import contextlib
import difflib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..hosts import coordination
from ..hosts.preflight import check_shared
from .changes import append_changes
from .lease import hold
from .run_identity import Change, RunIdentity, compared_lines

_LOG = logging.getLogger(__name__)

_MOST_LINES = 20
"""Of a difference between two configs that a message shows."""


class StorageError(UsageError, RuntimeError):
    """The run's directory cannot be written, or is no longer the one it was."""


class RunDirectory:
    """A run's directory, made if missing and held until this process ends.

    Where a run has many hosts, the first one makes and holds it, and all must see it.

    Attributes:
      path: of the folder.
    """

    def __init__(self, run_dir: str | os.PathLike[str], *, option: str = "--run_dir"):
        """Makes the folder and takes its lease.

        Args:
          run_dir: the folder.
          option: of the command line that gives it, for messages.

        Raises:
          UsageError: no folder can be made or written there, it is a link or holds
            some, another run is in it, or not all hosts see it.
        """
        _refuse_addresses(run_dir, option)
        self.path = Path(run_dir)
        _refuse_links(self.path, option)
        self._lease = None
        try:
            if coordination.process() == 0:
                self.path.mkdir(parents=True, exist_ok=True)
                self._lease = hold(self.path)
            check_shared(self.path)
            found = os.stat(self.path)
        except OSError as error:
            file = isinstance(error, FileExistsError)
            reason = "it is a file" if file else error.strerror
            raise UsageError(
                f"cannot train in {str(self.path)!r}: {reason}; give a folder that can "
                "be made and written to."
            ) from error
        self._is = found.st_dev, found.st_ino

    def check(self) -> None:
        """Whether the path still leads to the same folder, and it is still this run's.

        Raises:
          StorageError: it was deleted, renamed, replaced or unmounted. Nothing is made
            again: it would be a run without its past.
          LeaseLost: another run has taken it over.
        """
        try:
            found = os.stat(self.path)
            os.stat(self.path / "checkpoints")
        except OSError as error:
            raise StorageError(
                f"the run's directory has gone: {str(error.filename)!r}: "
                f"{error.strerror}. It was deleted, renamed or unmounted while the run "
                "wrote to it; put it back, and start the same command again."
            ) from error
        if (found.st_dev, found.st_ino) != self._is:
            raise StorageError(
                f"{str(self.path)!r} is another folder than the one this run began in; "
                "it was replaced or remounted. Put the run's own back, and start the "
                "same command again."
            )
        if self._lease is not None:
            self._lease.check()

    def refuse_study(self) -> None:
        """Refuses the folder of a study, whose config a run would write over.

        Raises:
          UsageError: it holds records, or the points of a study's runs.
        """
        for pattern in ("records/*.json", "runs/*/points"):
            found = next(self.path.glob(pattern), None)
            if found is not None:
                raise UsageError(
                    f"{str(self.path)!r} holds {found.relative_to(self.path)} of a "
                    "`sightline study`; give this run another --run_dir."
                )

    def write_config(
        self, run: RunIdentity, *, step: int, changes: Sequence[Change]
    ) -> None:
        """Saves what the run is from a step on, and what changed there.

        Args:
          run: its config, identities and origin, for `config.gin`.
          step: steps done.
          changes: since the checkpoint, for `changes.jsonl`.

        Raises:
          StorageError: they cannot be written.
        """
        if coordination.process() > 0:
            return
        with storage_errors("the config", self.path):
            write_whole(self.path / "config.gin", config_text(run.config, run.header))
            append_changes(self.path, step, changes)


_TRAINING: set[Path] = set()
"""Folders in which this process trains now."""

_ENTERING = threading.Lock()


@contextlib.contextmanager
def alone_in(run_dir: str | os.PathLike[str]) -> Iterator[None]:
    """Keeps two threads from training in one folder, whose lease is the process's.

    Raises:
      UsageError: another thread of this process trains there.
    """
    folder = Path(run_dir).resolve()
    with _ENTERING:
        if folder in _TRAINING:
            raise UsageError(
                f"this process is training in {folder} already; wait until that has "
                "ended, or give this run another --run_dir."
            )
        _TRAINING.add(folder)
    try:
        yield
    finally:
        _TRAINING.remove(folder)


def difference(saved: str, now: str) -> str:
    """In what a config that must be repeated is another, as a diff; empty if nothing.

    Args:
      saved: as `config_text` made it.
      now: the present one.
    """
    before, after = compared_lines(saved), compared_lines(now)
    compared = difflib.unified_diff(before, after, "saved", "now", n=0, lineterm="")
    lines = [line for line in compared if not line.startswith("@@")]
    left = len(lines) - _MOST_LINES
    return "\n".join(lines[:_MOST_LINES] + ([f"… {left} more"] if left > 0 else []))


def config_text(config: str, identities: Mapping[str, str]) -> str:
    """What stands in `config.gin`: the identities as comments, and the config."""
    header = "".join(f"# {name} {value}\n" for name, value in identities.items())
    return f"{header}{config}"


@contextlib.contextmanager
def storage_errors(what: str, folder: Path) -> Iterator[None]:
    """Turns an OSError into a StorageError that names what could not be written.

    Args:
      what: the subject of the message, "the metrics of step 10".
      folder: where it is kept.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{what} could not be written to {folder}: {error.strerror}; free space or "
            "repair the folder, and start the same command again."
        ) from error


def close_after(kind: type[BaseException] | None, close: Callable[[], object]) -> None:
    """Closes at the end of a context; an error that ended it is not hidden by another.

    Args:
      kind: of the error that ended the context; None without one.
      close: writes what is left; may raise a UsageError.
    """
    try:
        close()
    except UsageError as error:
        if kind is None:
            raise
        _LOG.error("%s", error)


def _refuse_addresses(run_dir: str | os.PathLike[str], option: str) -> None:
    """Refuses what is no path: the empty string, and addresses of object stores."""
    name = os.fspath(run_dir)
    if not name:
        raise UsageError(f"{option} is empty; give the folder of the run.")
    # Orbax cannot work in all buckets: see `object_store`.
    if "://" in name:
        scheme = name.partition("://")[0]
        copy = (
            f", and --copy_to={name} for a copy in the bucket from which any machine "
            "can go on"
        )
        raise UsageError(
            f"{option}={name}: a run's directory is a folder of the file system, and "
            f"{scheme}:// is none; give a local or shared folder"
            f"{copy if option == '--run_dir' else ''}."
        )


def _refuse_links(run_dir: Path, option: str) -> None:
    """Refuses a run's directory that leads elsewhere, itself or by what is in it.

    A link in it would be written through, and what lies behind it deleted as old
    checkpoints; a link to it may lead to another run on resume.
    """
    if run_dir.is_symlink():
        raise UsageError(
            f"{str(run_dir)!r} is a link; give the folder itself, "
            f"{option}={run_dir.resolve()}"
        )
    for path in run_dir.iterdir() if run_dir.is_dir() else ():
        if path.is_symlink():
            raise UsageError(
                f"{str(path)!r} is a link, and a run writes in its own directory "
                f"only; put the file or folder itself there, or give a {option} on "
                "the disk where it is to be."
            )
