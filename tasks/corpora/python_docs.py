"""The corpus `python_docs`: the English that ships with every CPython, ≥ 2 MB of it.

Documentation topics, docstrings and comments of the standard library, cleaned to
paragraphs. A document is a topic, a module's own text, a class with its methods, or a
function. Prepared from the running interpreter, without a download; a split holds
whole modules.
"""

import dataclasses
import functools
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from .. import host_tensorflow
from ..user_folder import user_folder
from . import _tfds, require_data_dir
from ._records import Records


@dataclasses.dataclass(frozen=True)
class PythonDocs:
    """The corpus `python_docs`; it has no settings."""

    name: ClassVar[str] = "python_docs"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "python_docs"

    def check(self) -> None:
        """Raises UsageError if the text, which every CPython has, cannot be kept."""
        require_data_dir()

    def identity(self) -> str:
        """The release of CPython, and a digest of what its documents come to.

        Builds of a release differ: Debian packs parts of the standard library apart.
        """
        self.check()
        builder = _prepared(user_folder())
        dataset = f"{builder.name}/{builder.builder_config.name}:{builder.version}"
        digest = _tfds.digest(dataset, data_dir=os.fspath(user_folder()))
        return f"{platform.python_version()} {digest}"

    def documents(self, split: str) -> Sequence[str]:
        """The documents of a split; prepares them on the first call."""
        return _open(user_folder(), split)


@functools.cache
def _prepared(root: Path) -> Any:  # TFDS hides the signatures of a builder's methods
    """The builder of the documents, prepared."""
    host_tensorflow.require("tensorflow_datasets")  # which needs no TensorFlow here
    from ._python_docs_builder import prepare

    return prepare(root)


@functools.cache
def _open(root: Path, split: str) -> Records:
    builder = _prepared(root)
    return Records(
        lambda: builder.as_data_source(split=split), os.fspath(builder.data_path)
    )


CORPUS = PythonDocs
