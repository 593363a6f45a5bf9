"""Reading a checkpoint and refusing it unless it is whole; changes nothing on disk."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from ...objectives.errors import UsageError
from .fingerprint import fingerprints, manifest_damage
from .named_arrays import as_tree, check_same, wanted

_LOG = logging.getLogger(__name__)

HANDLERS: dict[str, Callable[[], Any]] = {
    "state": ocp.StandardCheckpointHandler,
    "data": ocp.JsonCheckpointHandler,
    "manifest": ocp.JsonCheckpointHandler,
}
"""What a checkpoint is made of."""


class CheckpointError(UsageError, RuntimeError):
    """A checkpoint that could not be written, or that no checkpoint can be read."""


def newest(
    run_dir: str | os.PathLike[str], abstract_state: PyTree
) -> tuple[int, PyTree, dict] | None:
    """The newest checkpoint of a run that is whole, without touching the run.

    A run may be going on in the folder: unlike `Checkpoints`, this sweeps nothing,
    and passes over what it cannot use.

    Args:
      run_dir: the run's folder.
      abstract_state: the state's `ShapeDtypeStruct`s, each with its sharding.

    Returns:
      Step, state and data; None if there is no checkpoint.

    Raises:
      ValueError: the checkpoint has other arrays, shapes or types than the state.
      CheckpointError: there are checkpoints, and none of them is whole.
    """
    structs = wanted(abstract_state)
    rejected = []
    folder = Path(run_dir).resolve() / "checkpoints"
    steps = [int(path.name) for path in folder.glob("*") if path.name.isdigit()]
    handler = ocp.CompositeCheckpointHandler(**{k: h() for k, h in HANDLERS.items()})
    with ocp.Checkpointer(handler) as reader:
        for step in sorted(steps, reverse=True):
            path = folder / str(step)
            try:
                arrays, data = read_verified(
                    lambda items, path=path: reader.restore(path, args=items), structs
                )
            except CheckpointError as error:
                rejected.append(f"step {step}: {error}")
                _LOG.warning("checkpoint %d is unusable: %s", step, error)
                continue
            return step, as_tree(arrays, abstract_state), data
    if rejected:
        raise CheckpointError(f"no checkpoint in {folder} is whole: {rejected}.")
    return None


def read_verified(
    restore: Callable[[Any], Any], structs: dict
) -> tuple[dict[str, jax.Array], dict]:
    """A checkpoint's arrays and data.

    Args:
      restore: reads the items that it is asked for (`ocp.args.Composite`).
      structs: the arrays that are wanted (`named_arrays.wanted`).

    Raises:
      ValueError: it has other arrays, shapes or types.
      CheckpointError: it cannot be read, or its contents are not what was saved.
    """

    def items(**wanted_items: Any) -> Any:
        return _readable(lambda: restore(ocp.args.Composite(**wanted_items)))

    plain = items(data=ocp.args.JsonRestore(), manifest=ocp.args.JsonRestore())
    manifest, data = plain.manifest, plain.data
    if damage := manifest_damage(manifest, data):
        raise CheckpointError(damage)
    check_same(manifest["arrays"], structs)
    arrays = items(state=ocp.args.StandardRestore(structs)).state
    found = fingerprints(arrays)
    damaged = [n for n in found if found[n] != manifest["arrays"][n]["fingerprint"]]
    if damaged:
        raise CheckpointError(f"damaged arrays: {', '.join(damaged)}")
    return arrays, data


def first_line(error: Exception) -> str:
    """An exception's type and the first line of what it says."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"


def _readable(action: Callable[[], Any]) -> Any:
    """Runs a read; whatever it raises over damaged files becomes a CheckpointError.

    Damage shows as almost any exception (Orbax, TensorStore, JSON, OS). A machine
    that lacks memory or permission is no damage, and is told as it is.
    """
    try:
        return action()
    except (MemoryError, PermissionError):
        raise
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            raise
        raise CheckpointError(f"unreadable: {first_line(error)}") from error
