"""Prepares `python_docs` from the running interpreter. Imports TFDS."""

import contextlib
import hashlib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from ._docstrings import documents
from ._prose import paragraphs

SPLITS = ("train", "validation")
_VALIDATION_PERCENT = 7


def split_of(name: str) -> str:
    """The split of a document, by the name of its topic or module only."""
    digest = hashlib.sha256(name.partition("#")[0].encode()).digest()
    percent = int.from_bytes(digest[:8], "big") % 100
    return "validation" if percent < _VALIDATION_PERCENT else "train"


def texts() -> Iterator[tuple[str, str]]:
    """Yields `(name, text)` of every document; no paragraph occurs twice."""
    seen: set[str] = set()
    for name, parts in documents():
        lines = [line for part in parts for line in paragraphs(part)]
        new = [line for line in dict.fromkeys(lines) if line not in seen]
        seen.update(new)
        if new:
            yield name, "\n\n".join(new)


_PYTHON = sys.version_info
_CONFIG = tfds.core.BuilderConfig(
    name=f"cpython_{_PYTHON.major}_{_PYTHON.minor}",
    version=f"1.1.{_PYTHON.micro}",
    description=f"Of CPython {_PYTHON.major}.{_PYTHON.minor}.{_PYTHON.micro}.",
)


_NO_URLS: dict[str, Any] = {}


class PythonDocs(tfds.core.GeneratorBasedBuilder):
    """Topics and docstrings of the running CPython; the version has its patch."""

    BUILDER_CONFIGS: ClassVar = [_CONFIG]
    # No checksums to look up. The look-up also imports importlib_resources, which
    # TFDS does not depend on.
    url_infos = _NO_URLS

    def _info(self) -> tfds.core.DatasetInfo:
        features = {"name": tfds.features.Text(), "text": tfds.features.Text()}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            homepage="https://docs.python.org",
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        del dl_manager  # nothing is downloaded
        named_texts = list(texts())
        return {
            split: self._generate_examples(named_texts, split=split) for split in SPLITS
        }

    def _generate_examples(self, named_texts: list[tuple[str, str]], *, split: str):
        for name, text in named_texts:
            if split_of(name) == split:
                yield name, {"name": name, "text": text}


def prepare(root: Path) -> PythonDocs:
    """The builder of the corpus in a data directory, prepared there if missing.

    Prepares in a temporary folder and renames it into place, so that processes that
    prepare at the same time never see each other's files; the first one wins.
    """
    builder = PythonDocs(data_dir=root)
    final = Path(builder.data_dir)
    if final.exists():
        return builder
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".preparing-", dir=root) as temporary:
        private = PythonDocs(data_dir=temporary)
        # TFDS would announce a download, and draw its bars across ours.
        with contextlib.redirect_stdout(io.StringIO()) as output:
            with contextlib.redirect_stderr(output):
                private.download_and_prepare(file_format="array_record")
        try:
            os.rename(private.data_dir, final)
        except OSError:
            if not final.exists():
                raise
            shutil.rmtree(private.data_dir)  # another process was first
    return PythonDocs(data_dir=root)
