"""What has to be set before JAX is imported, so that it compiles for absent TPUs."""

import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from ....objectives.errors import UsageError
from .names import Emulated, Here, Slices

_ABSENT_TPU = {
    # The devices at hand are not the topology's; a TPU backend would wait for TPUs.
    "JAX_PLATFORMS": "cpu",
    # libtpu otherwise asks the metadata server of Google Cloud who it is.
    "TPU_SKIP_MDS_QUERY": "1",
    "TPU_WORKER_HOSTNAMES": "localhost",
    # It otherwise refuses to be loaded by two processes of a machine.
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
}


def prepare(
    topology: Slices | Emulated | Here, environment: MutableMapping[str, str]
) -> None:
    """Sets the variables that JAX, XLA and libtpu read when they are loaded.

    Args:
      topology: to compile for.
      environment: of the process; JAX must not have been imported in it.

    Raises:
      UsageError: there is no libtpu to compile for TPUs with.
    """
    if isinstance(topology, Emulated):
        environment["JAX_PLATFORMS"] = "cpu"
        environment["JAX_NUM_CPU_DEVICES"] = str(topology.devices)
    elif isinstance(topology, Slices):
        if not libtpu_at(environment):
            raise UsageError(missing_libtpu())
        environment.update(_ABSENT_TPU)
        # Read by libtpu before it knows the topology; which one does not matter.
        environment.setdefault("TPU_ACCELERATOR_TYPE", "v5p-8")


def libtpu_at(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The TPU compiler that JAX would load; None if there is none."""
    named = environment.get("TPU_LIBRARY_PATH")
    if named:
        return Path(named) if Path(named).is_file() else None
    found = importlib.util.find_spec("libtpu")
    if found is None or not found.submodule_search_locations:
        return None
    library = Path(found.submodule_search_locations[0], "libtpu.so")
    return library if library.is_file() else None


def missing_libtpu() -> str:
    """What to install, pinned by the installed JAX."""
    version = importlib.metadata.version("jax")
    pins = [
        requirement.partition(";")[0].strip()
        for requirement in importlib.metadata.requires("jax") or []
        if re.match(r"libtpu\b", requirement)
    ]
    pinned = f" ({pins[0]})" if pins else ""
    named = os.environ.get("TPU_LIBRARY_PATH")
    wrong = f"TPU_LIBRARY_PATH={named!r} is no file" if named else "there is no libtpu"
    return (
        f"planning for a TPU needs its compiler, and {wrong}: "
        f"pip install 'jax[tpu]=={version}'{pinned}, or set TPU_LIBRARY_PATH to its "
        "libtpu.so. No TPU is needed."
    )
