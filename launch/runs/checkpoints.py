"""Checkpoints that are whole or absent, and verified before use.

Around Orbax's CheckpointManager, which commits atomically and saves in the background,
this adds what it lacks: contents are verified (Orbax restores most flipped bits
silently), types are compared (it casts silently), an unusable checkpoint is passed over
and quarantined, a failed or refused save is an error, and a save is read back before
older checkpoints are deleted.
"""

import contextlib
import itertools
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from ..hosts import coordination
from .directory import close_after
from .fingerprint import fingerprints, make_manifest
from .literal_path import literal_path
from .named_arrays import array_structs, as_arrays, as_tree
from .verified import (
    CheckpointError,
    Structs,
    first_line,
    read_back,
    read_verified,
)

_LOG = logging.getLogger(__name__)

_HANDLERS: dict[str, Callable[[], Any]] = {
    "state": ocp.StandardCheckpointHandler,
    "data": ocp.JsonCheckpointHandler,
    "manifest": ocp.JsonCheckpointHandler,
}
"""The items of a checkpoint."""


class Checkpoints:
    """The checkpoints of one run, in `run_dir/checkpoints`. Close it, or use `with`.

    A checkpoint is one commit of the state's arrays, a JSON object with the position
    in the data, and a manifest with a fingerprint of each. Where a run has many hosts,
    each writes and reads its part, and what one of them cannot read, all pass over.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        *,
        keep: int,
        period: int,
        keep_every: int = 0,
    ):
        """Opens the folder and deletes what a killed run left half-written.

        Args:
          run_dir: the run's folder.
          keep: how many checkpoints to keep; the oldest go first.
          period: steps between checkpoints, for `due`.
          keep_every: checkpoints of steps that it divides are kept for good; 0: none.
        """
        self._period = period
        self._keep_every = keep_every
        self._keep = keep
        self._unread: tuple[int, Structs] | None = None
        self._folder = Path(run_dir).resolve() / "checkpoints"
        if coordination.process() == 0:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        coordination.meet("sweep of unfinished checkpoints")
        self._stack = contextlib.ExitStack()
        self._opened = self._stack.enter_context(literal_path(self._folder))
        self._manager = ocp.CheckpointManager(
            self._opened,
            options=ocp.CheckpointManagerOptions(
                max_to_keep=None, enable_async_checkpointing=True
            ),
            item_handlers={name: handler() for name, handler in _HANDLERS.items()},
        )

    @property
    def newest(self) -> int | None:
        """The step of the newest checkpoint; None if there is none."""
        return max(self._manager.all_steps(), default=None)

    def due(self, step: int) -> bool:
        """Whether a checkpoint is to be saved after this many steps."""
        return step % self._period == 0

    def save(self, step: int, state: PyTree, data: dict[str, Any]) -> None:
        """Saves in the background; returns when the state may be overwritten.

        Args:
          step: steps done; must be after the newest checkpoint's.
          state: a tree of arrays.
          data: what else an exact resume needs, as plain JSON.

        Raises:
          CheckpointError: an earlier save failed, or this one was refused.
        """
        coordination.meet(f"save of step {step}")
        self._finish("an earlier checkpoint")
        newest = max(self._manager.all_steps(), default=-1)
        if step <= newest:
            raise CheckpointError(
                f"step {step} is not after the newest checkpoint, {newest}, in "
                f"{self._folder}; move later checkpoints away to go back in time."
            )
        arrays = as_arrays(state)
        manifest = make_manifest(arrays, data, fingerprints(arrays), step=step)
        items = ocp.args.Composite(
            state=ocp.args.StandardSave(arrays),
            data=ocp.args.JsonSave(data),
            manifest=ocp.args.JsonSave(manifest),
        )
        name = f"the checkpoint of step {step}"
        if not self._run(
            name, lambda: self._manager.save(step, args=items, force=True)
        ):
            raise CheckpointError(f"Orbax refused to save step {step}; newest {newest}")
        _forget_shards(arrays)
        self._unread = step, array_structs(jax.tree.map(_struct, state))

    def restore(
        self,
        abstract_state: PyTree,
        *,
        accept: Callable[[dict], object] | None = None,
    ) -> tuple[int, PyTree, dict] | None:
        """The newest checkpoint that is whole: its step, state and data.

        Damaged ones are logged, and quarantined once an older one is whole, so that
        later saves of their steps are not refused.

        Args:
          abstract_state: the state's `ShapeDtypeStruct`s, each with its sharding; the
            mesh may differ from the one that saved.
          accept: called with the data before any array is read; may refuse by raising.

        Returns:
          None if there is no checkpoint.

        Raises:
          ValueError: the checkpoint has other arrays, shapes or types than the state.
          CheckpointError: there are checkpoints, and none of them is whole.
        """
        structs = array_structs(abstract_state)
        rejected: dict[int, str] = {}
        # The list of one host: a shared file system may show others an older one.
        steps = coordination.from_first(
            "list of checkpoints", sorted(self._manager.all_steps(), reverse=True)
        )
        for step in steps:
            try:
                arrays, data = read_verified(
                    self._opened / str(step), structs, accept=accept
                )
            except CheckpointError as error:
                rejected[step] = str(error)
                _LOG.warning("checkpoint %d is unusable: %s", step, error)
                continue
            self._quarantine(list(rejected))
            return step, as_tree(arrays, abstract_state), data
        if rejected:
            reasons = "; ".join(f"step {s}: {why}" for s, why in rejected.items())
            raise CheckpointError(
                f"no checkpoint in {self._folder} is whole ({reasons}). Nothing was "
                "changed; restore the folder from a copy, or choose a new run_dir."
            )
        return None

    def wait(self) -> None:
        """Waits until every save is committed.

        Raises:
          CheckpointError: a save failed.
        """
        self._finish("the last checkpoint")

    def close(self) -> None:
        """Waits, then releases the folder. Without it the last save may be lost."""
        with self._stack:
            try:
                self.wait()
            finally:
                # It waits as well, and raises again what a save has raised.
                self._run("the last checkpoint", self._manager.close)

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # After an error on this host the others will not come to finish a save.
        if kind is None or not coordination.together():
            close_after(kind, self.close)

    def _finish(self, what: str) -> None:
        """Waits for a save, reads it back, and only then deletes older ones."""
        self._run(what, self._manager.wait_until_finished)
        if self._unread is None:
            return
        (step, structs), self._unread = self._unread, None
        try:
            read_back(self._opened / str(step), structs)
        except CheckpointError as error:
            raise CheckpointError(
                f"the checkpoint of step {step} was written to {self._folder} and "
                f"cannot be read back: {error}. The checkpoints before it are kept; "
                "repair the disk, and start the same command again."
            ) from error
        for old in sorted(self._manager.all_steps())[: -self._keep]:
            if not (self._keep_every and old % self._keep_every == 0):
                self._manager.delete(old)

    def _run(self, what: str, action: Callable[[], Any]) -> Any:
        """Runs an action of the manager; explains a failure."""
        try:
            return action()
        except (OSError, ValueError, RuntimeError) as error:
            self._sweep()
            raise CheckpointError(
                f"{what} could not be written to {self._folder}: {first_line(error)}. "
                "The checkpoints before it are whole; free space or repair the folder, "
                "and start the same command again."
            ) from error

    def _quarantine(self, steps: list[int]) -> None:
        """Renames checkpoints, so that their steps can be saved again."""
        if coordination.process() == 0:
            for step in steps:
                source = self._folder / str(step)
                aside = self._folder.with_name("checkpoints_quarantined")
                aside.mkdir(exist_ok=True)
                names = (aside / f"{step}-{number}" for number in itertools.count())
                free = next(name for name in names if not name.exists())
                source.rename(free)
                _LOG.warning("quarantined as %s", free)
        coordination.meet("quarantine")
        if steps:
            self._manager.reload()

    def _sweep(self) -> None:
        """Deletes the remains of unfinished saves; without a meeting.

        A host calls this where its save has failed: no other one may come.
        """
        if coordination.process() == 0:
            for debris in self._folder.glob("*.orbax-checkpoint-tmp*"):
                _LOG.warning("deleting an unfinished checkpoint: %s", debris)
                try:
                    shutil.rmtree(debris)
                except OSError as error:  # Orbax may still write there after a failure
                    _LOG.warning("left for the next start: %s", first_line(error))


def _forget_shards(arrays: Mapping[str, jax.Array]) -> None:
    """Undoes what Orbax leaves in arrays that it saves.

    It asks for their `addressable_shards`, and JAX keeps the answer in the array. On
    one device the data of the shard is the array itself: a cycle, and on a CPU each
    saved state would stay in memory until Python looks for cycles.
    """
    for array in arrays.values():
        vars(array).pop("addressable_shards", None)


def _struct(array: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=array.sharding)
