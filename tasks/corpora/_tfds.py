"""Documents of a TFDS dataset that is already prepared; without a download."""

import functools
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...objectives.errors import UsageError, nearest
from .. import host_tensorflow
from . import EmptySplitError
from ._records import Records

_FORMAT = "array_record"  # the format of TFDS with random access
_INFO = "dataset_info.json"

_Path = Any
"""A `Path`, or TFDS's own path type, which may be an address."""


def check(dataset: str, *, data_dir: str, needs: Sequence[str]) -> None:
    """Checks that a dataset is prepared as required; imports no TFDS.

    A `data_dir` that is an address (`gs://…`) cannot be checked without it; `documents`
    does so.

    Args:
      dataset: TFDS's name, `c4/en:3.1.0`.
      data_dir: of TFDS's datasets; empty for TFDS's default.
      needs: splits that it must have.

    Raises:
      ValueError: it is missing, in another format, or lacks a split.
    """
    root = _root(data_dir)
    if "://" not in root:
        _check(dataset, Path(root), needs)


def with_version(dataset: str, *, data_dir: str) -> str:
    """A dataset's name with its version: if none is given, the only one prepared.

    Raises:
      UsageError: none is given, and not exactly one is prepared.
    """
    if ":" in dataset:
        return dataset
    root = _root(data_dir)
    if "://" in root:
        raise UsageError(
            f"the TFDS dataset {dataset} has no version; at an address it needs one, "
            f"as in '{dataset}:1.0.0'."
        )
    versions = sorted(
        info.parent.name for info in Path(root, dataset).glob(f"*/{_INFO}")
    )
    if len(versions) == 1:
        return f"{dataset}:{versions[0]}"
    name = dataset.partition("/")[0]
    listed = ", ".join(versions) or f"none; of {name} {_prepared(Path(root, name))}"
    raise UsageError(
        f"the TFDS dataset {dataset} has no version, and not exactly one is prepared "
        f"in {root}. Prepared: {listed}. Give one, as in '{dataset}:1.0.0', and set "
        "tfds.data_dir or TFDS_DATA_DIR to where it is."
    )


def contents(
    dataset: str, *, data_dir: str
) -> tuple[list[str] | None, dict[str, str] | None]:
    """The splits of a prepared dataset, and its features with the classes of TFDS.

    None for what cannot be looked up without TFDS: at an address, or features that an
    old version of TFDS did not write down.
    """
    root = _root(data_dir)
    if "://" in root:
        return None, None
    folder = _folder(dataset, Path(root))
    metadata = json.loads((folder / _INFO).read_text())
    splits = [split["name"] for split in metadata.get("splits", [])]
    file = folder / "features.json"
    if not file.exists():
        return splits, None
    features = json.loads(file.read_text()).get("featuresDict", {}).get("features", {})
    return splits, {name: f["pythonClassName"] for name, f in features.items()}


def check_feature(dataset: str, feature: str, features: Mapping[str, str]) -> None:
    """Refuses a feature that a dataset does not have, or that is no text.

    Raises:
      UsageError: naming the features that are.
    """
    texts = [name for name, kind in features.items() if kind.endswith(".Text")]
    if feature in texts:
        return
    if feature in features:
        kind = features[feature].rpartition(".")[2]
        raise UsageError(
            f"the feature {feature!r} of the TFDS dataset {dataset} is of the class "
            f"{kind}, not Text; set tfds.feature; {nearest(feature, texts)}"
        )
    raise UsageError(
        f"the TFDS dataset {dataset} has no feature {feature!r}; set tfds.feature. "
        f"Of text: {', '.join(texts) or 'none'}."
    )


def digest(dataset: str, *, data_dir: str) -> str:
    """Of the documents and bytes in each file of each split, as TFDS counted them."""
    host = _root(data_dir)
    if "://" in host:
        host_tensorflow.load()
        import tensorflow_datasets as tfds

        folder = _folder(dataset, tfds.core.Path(host))
    else:
        folder = _folder(dataset, Path(host))
    metadata = json.loads((folder / _INFO).read_text())
    splits = sorted(
        (split["name"], split.get("shardLengths"), split.get("numBytes"))
        for split in metadata.get("splits", [])
    )
    return hashlib.sha256(json.dumps(splits).encode()).hexdigest()[:32]


def documents(
    dataset: str,
    split: str,
    *,
    data_dir: str,
    needs: Sequence[str],
    feature: str = "text",
) -> Records:
    """The texts of a split, in TFDS's notation (`train[99%:]`), by random access.

    Raises:
      EmptySplitError: the split has no documents.
      ValueError: as for `check`.
    """
    host_tensorflow.load()
    import tensorflow_datasets as tfds

    root = tfds.core.Path(_root(data_dir))
    _check(dataset, root, needs)
    return _open(os.fspath(_folder(dataset, root)), split, feature)


@functools.cache
def _open(folder: str, split: str, feature: str) -> Records:
    import tensorflow_datasets as tfds

    # From the folder only: the dataset's own code would import Apache Beam.
    builder: Any = tfds.builder_from_directory(folder)
    if builder.info.splits[split].num_examples == 0:
        raise EmptySplitError(f"{folder} has no documents in the split {split}.")
    return Records(
        lambda: builder.as_data_source(split=split, file_format=_FORMAT),
        folder,
        feature=feature,
    )


def _root(data_dir: str) -> str:
    """The folder of datasets, as an absolute path or an address."""
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    root = data_dir or default
    return root if "://" in root else os.path.abspath(os.path.expanduser(root))


def _folder(dataset: str, root: _Path) -> _Path:
    name, _, version = dataset.partition(":")
    return root / name / version


def _check(dataset: str, root: _Path, needs: Sequence[str]) -> None:
    folder = _folder(dataset, root)
    name = dataset.partition("/")[0]
    info = folder / _INFO
    if not info.exists():
        raise UsageError(
            f"the TFDS dataset {dataset} is not prepared: there is no {info}. Prepared "
            f"there: {_prepared(root / name)}. If it is elsewhere, set {name}.data_dir "
            "or the environment variable TFDS_DATA_DIR. To prepare it, on a machine "
            f"with a network: {_install(name)}; tfds build {dataset} "
            f"--file_format={_FORMAT} --data_dir={os.fspath(root)}"
        )
    metadata = json.loads(info.read_text())
    # Old datasets do not say; TFRecord was the only format then.
    formats = [metadata.get("fileFormat", "tfrecord")]
    formats += metadata.get("alternativeFileFormats", [])
    if _FORMAT not in formats:
        raise UsageError(
            f"{folder} is prepared as {' and '.join(formats)}, which cannot be read by "
            f"random access. To add {_FORMAT} files beside it: {_install(name)}; tfds "
            f"convert_format --dataset_version_dir={os.fspath(folder)} "
            f"--out_file_format={_FORMAT}"
        )
    splits = [split["name"] for split in metadata.get("splits", [])]
    if missing := [split for split in needs if split not in splits]:
        raise UsageError(
            f"{folder} has no split {missing[0]!r}; it has: {', '.join(splits)}. Set "
            f"{name}.config to one that has {' and '.join(needs)}."
        )


def _prepared(folder: _Path) -> str:
    """The prepared `config:version` of a dataset."""
    if not folder.exists():
        return "nothing"
    folders = sorted(info.parent for info in folder.glob(f"*/*/{_INFO}"))
    return ", ".join(f"{f.parent.name}:{f.name}" for f in folders) or "nothing"


def _install(name: str) -> str:
    """How to install `tfds`, separately, as it needs an older TensorFlow."""
    return (
        "in a virtual environment of its own, pip install "
        f"'tensorflow-datasets[{name}]' mlcroissant importlib_resources"
    )
