"""Compiled programs are kept on disk, so that a restart does not compile again."""

import importlib.metadata
import importlib.util
import os
from collections.abc import MutableMapping
from pathlib import Path

from ...tasks.user_folder import user_folder

_FOLDER = "JAX_COMPILATION_CACHE_DIR"


def use_compilation_cache(environment: MutableMapping[str, str] = os.environ) -> None:
    """Turns on JAX's persistent cache of compiled programs; call it before JAX loads.

    It is in the user's cache folder, beside the corpora. `JAX_COMPILATION_CACHE_DIR`
    names another one, and none if it is empty. An entry that is damaged is compiled
    anew, and a folder that cannot be written is a warning of JAX.

    Args:
      environment: to set JAX's variables in.
    """
    environment.setdefault(_FOLDER, str(user_folder(environment) / "compiled"))
    if _finds_only_cpu(environment):
        # Of every program that it takes from a cache, XLA for CPUs writes a page of
        # errors about features of the machine that it asked for itself.
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def compilation_cache(
    environment: MutableMapping[str, str] = os.environ,
) -> Path | None:
    """The folder of compiled programs; None where none are kept."""
    folder = environment.get(_FOLDER)
    return Path(folder) if folder else None


def _finds_only_cpu(environment: MutableMapping[str, str]) -> bool:
    """Whether JAX will look for no accelerator; without importing it."""
    if environment.get("JAX_PLATFORMS"):
        return environment["JAX_PLATFORMS"] == "cpu"
    plugins = importlib.metadata.entry_points(group="jax_plugins")
    return not plugins and importlib.util.find_spec("libtpu") is None
