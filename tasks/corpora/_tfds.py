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
from . import EmptySplitError, _tfds_folders as folders
from ._records import Records
from ._tfds_folders import FORMAT, Name, Root


def check(corpus: str, dataset: str, *, data_dir: str, needs: Sequence[str]) -> None:
    """Checks that a dataset is prepared as required; imports no TFDS.

    A `data_dir` that is an address (`gs://…`) cannot be checked without it; `documents`
    does so, but for missing files.

    Args:
      corpus: its name, for messages; `corpus.data_dir` is a setting.
      dataset: TFDS's name, `c4/en:3.1.0`.
      data_dir: of TFDS's datasets; empty for TFDS's default.
      needs: splits that it must have.

    Raises:
      ValueError: it is missing, in another format, or lacks a split or files of one.
    """
    root = folders.root_of(data_dir)
    if "://" in root:
        return
    _check(corpus, Name.of(dataset), Path(root), needs)
    for split in needs:
        folders.check_files(Name.of(dataset), split, Path(root))


def with_version(corpus: str, dataset: str, *, data_dir: str) -> str:
    """A dataset's name with its version: if none is given, the only one prepared.

    Raises:
      UsageError: none is given, and not exactly one is prepared.
    """
    name, root = Name.of(dataset), folders.root_of(data_dir)
    if name.version:
        return dataset
    if "://" in root:
        raise UsageError(
            f"the TFDS dataset {dataset} has no version; at an address it needs one, "
            f"as in '{dataset}:1.0.0'."
        )
    there = folders.prepared(name.dataset, Path(root))
    found = [other for other in there if other[:2] == name[:2]]
    if len(found) == 1:
        return str(found[0])
    raise UsageError(
        f"the TFDS dataset {dataset} has no version, and not exactly one is prepared "
        f"in {root}. Prepared there: {_listed(there)}. Give one, as in "
        f"'{dataset}:1.0.0', and set {corpus}.data_dir or TFDS_DATA_DIR to where it is."
    )


def contents(
    dataset: str, *, data_dir: str
) -> tuple[list[str] | None, dict[str, str] | None]:
    """The splits of a prepared dataset, and its features with the classes of TFDS.

    None at an address, where they cannot be looked up without TFDS.

    Raises:
      UsageError: the files that say so are damaged or missing.
    """
    name, root = Name.of(dataset), folders.root_of(data_dir)
    if "://" in root:
        return None, None
    splits = [
        split["name"] for split in folders.info(name, Path(root)).get("splits", [])
    ]
    return splits, folders.features(name, Path(root))


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
    root: Root = Path(host := folders.root_of(data_dir))
    if "://" in host:
        host_tensorflow.load()
        import tensorflow_datasets as tfds

        root = tfds.core.Path(host)
    splits = sorted(
        (split["name"], split.get("shardLengths"), split.get("numBytes"))
        for split in folders.info(Name.of(dataset), root).get("splits", [])
    )
    return hashlib.sha256(json.dumps(splits).encode()).hexdigest()[:32]


def documents(
    corpus: str,
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

    name, root = Name.of(dataset), tfds.core.Path(folders.root_of(data_dir))
    _check(corpus, name, root, needs)
    return _open(os.fspath(name.folder(root)), split, feature, folders.cure(name, root))


@functools.cache
def _open(folder: str, split: str, feature: str, cure: str) -> Records:
    import tensorflow_datasets as tfds

    # From the folder only: the dataset's own code would import Apache Beam.
    builder: Any = tfds.builder_from_directory(folder)
    if builder.info.splits[split].num_examples == 0:
        raise EmptySplitError(f"{folder} has no documents in the split {split}.")
    return Records(
        lambda: builder.as_data_source(split=split, file_format=FORMAT),
        folder,
        feature=feature,
        cure=cure,
    )


def _check(corpus: str, name: Name, root: Root, needs: Sequence[str]) -> None:
    folder = name.folder(root)
    if not folders.is_prepared(name, root):
        raise UsageError(
            f"the TFDS dataset {name} is not prepared: there is no "
            f"{folder / 'dataset_info.json'}. Prepared there: "
            f"{_listed(folders.prepared(name.dataset, root))}. If it is elsewhere, set "
            f"{corpus}.data_dir or the environment variable TFDS_DATA_DIR. To prepare "
            f"it, on a machine with a network: {folders.build(name, root)}"
        )
    metadata = folders.info(name, root)
    # Old datasets do not say; TFRecord was the only format then.
    formats = [metadata.get("fileFormat", "tfrecord")]
    formats += metadata.get("alternativeFileFormats", [])
    if FORMAT not in formats:
        raise UsageError(
            f"{folder} is prepared as {' and '.join(formats)}, which cannot be read by "
            f"random access. To add {FORMAT} files beside it: {folders.install(name)}; "
            f"tfds convert_format --dataset_version_dir={os.fspath(folder)} "
            f"--out_file_format={FORMAT}"
        )
    splits = [split["name"] for split in metadata.get("splits", [])]
    if missing := [split for split in needs if split not in splits]:
        raise UsageError(
            f"{folder} has no split {missing[0]!r}; it has: {', '.join(splits)}. Set "
            f"the settings of {corpus} to a dataset that has {' and '.join(needs)}."
        )


def _listed(names: Sequence[Name]) -> str:
    return ", ".join(map(str, names)) or "nothing"
