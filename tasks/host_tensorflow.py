"""TensorFlow and TFDS as readers of text, on the host only."""

import importlib
from types import ModuleType

from ..objectives.errors import UsageError


def load() -> None:
    """Imports TensorFlow so that it takes no accelerator away from JAX.

    By default it reserves nearly all the memory of every visible GPU, which must be
    changed before its first use. (TensorFlow 2.21 logs a few lines about devices to
    stderr as it loads; no setting suppresses them.)

    Raises:
      UsageError: it is not installed.
    """
    tf = require("tensorflow")
    for kind in ("GPU", "TPU"):
        tf.config.set_visible_devices([], kind)


def require(name: str) -> ModuleType:
    """Imports a package of the extra `corpora`.

    Raises:
      UsageError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"reading text needs {error.name}, which is not installed: run pip install "
            "'sightline[corpora]', or train on recorded rows (`sightline record`), "
            "which need neither TensorFlow nor SeqIO."
        ) from error
