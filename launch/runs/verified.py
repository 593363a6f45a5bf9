"""Reads checkpoints and refuses those that are not whole; changes nothing on disk."""

import logging
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp
from jaxtyping import PyTree

from ...objectives import errors
from ...objectives.errors import UsageError
from ..hosts import coordination
from ..hosts.devices import found_devices
from .fingerprint import fingerprints, manifest_damage
from .literal_path import literal_path
from .named_arrays import array_structs, as_tree, check_same, groups_by_bytes

_LOG = logging.getLogger(__name__)

Structs = Mapping[str, jax.ShapeDtypeStruct]
"""Shape, type and sharding of arrays by name."""

GROUP_BYTES = 2**28
"""Bytes of arrays that `read_back` holds at a time."""


class CheckpointError(UsageError, RuntimeError):
    """A checkpoint could not be written, or none can be read."""


def checkpoint_steps(folder: Path) -> list[int]:
    """The steps of the checkpoints in a folder, the newest first."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted((int(name) for name in names if name.isdigit()), reverse=True)


def restore_latest(
    run_dir: str | os.PathLike[str], abstract_state: PyTree, *, prefix: str = ""
) -> tuple[int, PyTree, dict] | None:
    """The newest checkpoint of a run that is whole, as `restore_before` reads it."""
    return restore_before(run_dir, abstract_state, step=None, prefix=prefix)


def restore_before(
    run_dir: str | os.PathLike[str],
    abstract_state: PyTree,
    *,
    step: int | None,
    prefix: str = "",
) -> tuple[int, PyTree, dict] | None:
    """The newest whole checkpoint before a step, without touching the run.

    A run may be active in the folder: unlike `Checkpoints`, this deletes nothing and
    passes over what it cannot use. Where the run has deleted one meanwhile, it has
    saved newer ones, which are then looked for.

    Args:
      run_dir: the run's folder.
      step: checkpoints of this step and later ones are not read; None reads all.
      abstract_state: the `ShapeDtypeStruct`s of the state or of a part of it, each
        with its sharding.
      prefix: of the names of that part, "params."; other arrays are not read.

    Returns:
      Step, state and data; None if there is no such checkpoint.

    Raises:
      UsageError: the checkpoint has other arrays, shapes or types than the state.
      CheckpointError: there are checkpoints, and none of them is whole.
    """
    structs = array_structs(abstract_state)
    folder = Path(run_dir).resolve() / "checkpoints"
    listed = _steps_before(folder, step)
    with literal_path(folder) as opened:
        while True:
            rejected: dict[int, str] = {}
            for saved in listed:
                place = opened / str(saved)
                try:
                    arrays, data = read_verified(place, structs, prefix=prefix)
                except CheckpointError as error:
                    rejected[saved] = str(error)
                    if place.is_dir():
                        _LOG.warning("checkpoint %d is unusable: %s", saved, error)
                    continue
                return saved, as_tree(arrays, abstract_state), data
            listed = _steps_before(folder, step)
            if rejected.keys() <= set(listed):
                break
    if rejected:
        reasons = "; ".join(f"step {s}: {why}" for s, why in rejected.items())
        raise CheckpointError(f"no checkpoint in {folder} is whole ({reasons}).")
    return None


def _steps_before(folder: Path, step: int | None) -> list[int]:
    """The steps of the checkpoints before a step, the newest first; None is all.

    As the first host sees them: a shared file system may show others an older list.
    """
    steps = [n for n in checkpoint_steps(folder) if step is None or n < step]
    return coordination.from_first("list of checkpoints", steps)


def read_verified(
    path: Path,
    structs: Structs,
    *,
    prefix: str = "",
    accept: Callable[[dict], object] | None = None,
) -> tuple[dict[str, jax.Array], dict]:
    """A checkpoint's arrays and data.

    Args:
      path: of the checkpoint.
      structs: the wanted arrays (`named_arrays.array_structs`).
      prefix: of the names of the wanted arrays.
      accept: called with the data before any array is read; may refuse by raising.

    Raises:
      UsageError: it has other arrays, shapes or types.
      CheckpointError: it cannot be read, or its contents are not what was saved.
    """
    saved, data = read_manifest(path)
    if accept is not None:
        accept(data)
    check_same({n: e for n, e in saved.items() if n.startswith(prefix)}, structs)
    return _read_arrays(path, structs, saved), data


def data_at(run_dir: str | os.PathLike[str], step: int) -> dict | None:
    """The data of the checkpoint of a step; None if there is none that is whole."""
    folder = Path(run_dir).resolve() / "checkpoints"
    with literal_path(folder) as opened:
        if not (opened / str(step)).is_dir():
            return None
        try:
            return read_manifest(opened / str(step))[1]
        except CheckpointError as error:
            _LOG.warning("checkpoint %d is unusable: %s", step, error)
            return None


def check_manifests(run_dir: str | os.PathLike[str]) -> dict[int, str | None]:
    """What is wrong with each checkpoint's manifest and data, None if nothing is.

    That takes milliseconds; the arrays are not read. By step, the newest first,
    without those that a run has deleted meanwhile.
    """
    folder = Path(run_dir).resolve() / "checkpoints"
    found: dict[int, str | None] = {}
    if not folder.is_dir():
        return found
    with literal_path(folder) as opened:
        for step in checkpoint_steps(folder):
            try:
                read_manifest(opened / str(step))
            except CheckpointError as error:
                found[step] = str(error)
            else:
                found[step] = None
    there = checkpoint_steps(folder)
    return {step: damage for step, damage in found.items() if step in there}


def read_back(path: Path, structs: Structs) -> None:
    """Reads a checkpoint as `read_verified` does, and keeps nothing.

    Arrays are read in groups of at most `GROUP_BYTES`, or one by one if larger, so
    that this needs little memory beside the state itself.

    Args:
      path: of the checkpoint.
      structs: the arrays that were saved.

    Raises:
      CheckpointError: as `read_verified`.
    """
    saved, _ = read_manifest(path)
    sizes = {n: math.prod(x.shape) * x.dtype.itemsize for n, x in structs.items()}
    for names in groups_by_bytes(sizes, most=GROUP_BYTES):
        _read_arrays(path, {name: structs[name] for name in names}, saved)


def read_manifest(path: Path) -> tuple[dict[str, Any], dict]:
    """The manifest's entry of each array, and the data; both checked.

    Raises:
      CheckpointError: either cannot be read, or is not what was saved.
    """
    handlers: dict[str, Any] = {
        name: ocp.JsonCheckpointHandler() for name in ("data", "manifest")
    }
    with _reader(ocp.CompositeCheckpointHandler(**handlers)) as reader:
        items = ocp.args.Composite(
            data=ocp.args.JsonRestore(), manifest=ocp.args.JsonRestore()
        )
        checkpoint = _readable(lambda: reader.restore(path, args=items), path)
    damage = manifest_damage(checkpoint.manifest, checkpoint.data, step=int(path.name))
    if damage:
        raise CheckpointError(damage)
    return checkpoint.manifest["arrays"], checkpoint.data


def _read_arrays(
    path: Path, structs: Structs, saved: Mapping[str, Any]
) -> dict[str, jax.Array]:
    """Some arrays of a checkpoint, checked by the fingerprints of its manifest."""
    arguments = ocp.args.PyTreeRestore(
        item=dict(structs),
        restore_args=ocp.checkpoint_utils.construct_restore_args(dict(structs)),
        partial_restore=True,
    )
    with _reader(ocp.PyTreeCheckpointHandler()) as reader:
        arrays = _readable(lambda: reader.restore(path / "state", args=arguments), path)
    prints = fingerprints(arrays)
    damaged = [n for n in prints if prints[n] != saved[n]["fingerprint"]]
    if damaged:
        raise CheckpointError(f"damaged arrays: {', '.join(damaged)}")
    return arrays


def first_line(error: BaseException) -> str:
    """`errors.first_line`, without how TensorStore's own objects print themselves."""
    return errors.first_line(error).partition(" See full TensorStore details")[0]


def _reader(handler: Any) -> ocp.Checkpointer:
    """A reader that waits for no other host, since one may fail where others do not."""
    here = coordination.process()
    alone = ocp.options.MultiprocessingOptions(
        primary_host=here, active_processes={here}
    )
    return ocp.Checkpointer(handler, multiprocessing_options=alone)


def _readable(action: Callable[[], Any], path: Path) -> Any:
    """Runs a read on every host; errors that damaged files cause are all hosts'.

    Damage shows as almost any exception (Orbax, TensorStore, JSON, OS). Lack of memory
    or permission is no damage, and its error is raised unchanged; nor is a device that
    is missing, without which Orbax reads nothing.

    Args:
      action: reads this host's part; not a collective.
      path: of the checkpoint, for the name of the meeting.

    Raises:
      CheckpointError: a host could not read its part.
      UsageError: JAX finds no devices.
    """
    found_devices()
    read, trouble, cause = None, "", None
    try:
        read = action()
    except (MemoryError, PermissionError):
        raise
    except Exception as error:
        if "RESOURCE_EXHAUSTED" in str(error):
            raise
        trouble, cause = f"unreadable: {first_line(error)}", error
    reports = coordination.exchange(f"read of checkpoint {path.name}", f"+{trouble}")
    troubles = [
        f"{coordination.name_of(number)}: {report[1:]}"
        for number, report in enumerate(reports)
        if len(report) > 1
    ]
    if troubles:
        whose = troubles[0] if coordination.together() else trouble
        raise CheckpointError(whose) from cause
    return read
