"""Where TFDS keeps prepared data sets, and what their files say. Imports no TFDS."""

import json
import os
from typing import Any, NamedTuple

from ...objectives.errors import UsageError

FORMAT = "array_record"  # the format of TFDS with random access
_INFO = "dataset_info.json"
_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
_DIGITS = 5

Root = Any
"""The folder of data sets: a `Path`, or TFDS's own path type, maybe an address."""


class Name(NamedTuple):
    """TFDS's name of a data set: `lm1b:1.1.0`, `c4/en:3.1.0`; parts may be empty."""

    dataset: str
    config: str
    version: str

    @classmethod
    def of(cls, text: str) -> "Name":
        """The parts of a name that a user gave."""
        rest, _, version = text.partition(":")
        dataset, _, config = rest.partition("/")
        return cls(dataset, config, version)

    def __str__(self) -> str:
        config = self.config and f"/{self.config}"
        return self.dataset + config + (self.version and f":{self.version}")

    def folder(self, root: Root) -> Root:
        """The folder of the data set, prepared or not."""
        return root / self.dataset / self.config / self.version


def root_of(data_dir: str) -> str:
    """The folder of data sets, as an absolute path or an address."""
    default = os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    root = data_dir or default
    return root if "://" in root else os.path.abspath(os.path.expanduser(root))


def prepared(dataset: str, root: Root) -> list[Name]:
    """What is prepared of a data set: each version, of each configuration."""
    if not dataset or not (root / dataset).exists():
        return []
    plain = [info.parent for info in (root / dataset).glob(f"*/{_INFO}")]
    configured = [info.parent for info in (root / dataset).glob(f"*/*/{_INFO}")]
    names = [Name(dataset, "", folder.name) for folder in plain]
    names += [Name(dataset, f.parent.name, f.name) for f in configured]
    return sorted(names)


def is_prepared(name: Name, root: Root) -> bool:
    """Whether TFDS has prepared it, in any format."""
    return (name.folder(root) / _INFO).exists()


def info(name: Name, root: Root) -> dict[str, Any]:
    """What `dataset_info.json` says.

    Raises:
      UsageError: it is damaged.
    """
    return _json(name.folder(root) / _INFO, name, root)


def features(name: Name, root: Root) -> dict[str, str]:
    """The features of a data set, with the classes of TFDS.

    Raises:
      UsageError: `features.json` is damaged or missing; TFDS cannot read without it.
    """
    said = _json(name.folder(root) / "features.json", name, root)
    kinds = said.get("featuresDict", {}).get("features", {})
    return {feature: kind["pythonClassName"] for feature, kind in kinds.items()}


def check_files(name: Name, split: str, root: Root) -> None:
    """Refuses a split of which a file is missing.

    Raises:
      UsageError: naming the file.
    """
    said = info(name, root)
    (of_split,) = (each for each in said["splits"] if each["name"] == split)
    lengths = of_split.get("shardLengths", [])
    digits = max(_DIGITS, len(str(len(lengths))))
    total = f"{len(lengths):0{digits}}"
    for shard, length in enumerate(lengths):
        index = f"{shard:0{digits}}"
        file = (of_split.get("filepathTemplate") or _TEMPLATE).format(
            DATASET=said.get("name", name.dataset),
            SPLIT=split,
            FILEFORMAT=FORMAT,
            SHARD_INDEX=index,
            NUM_SHARDS=total,
            SHARD_X_OF_Y=f"{index}-of-{total}",
        )
        if int(length) and not (name.folder(root) / file).is_file():
            raise UsageError(
                f"the prepared TFDS dataset {name.folder(root)} lacks {file}, one of "
                f"{len(lengths):,} files of {split!r}; {cure(name, root)}"
            )


def cure(name: Name, root: Root) -> str:
    """What to do about a data set that is damaged."""
    return (
        "copy it again from where it is whole, or delete that folder and prepare it "
        f"again: {build(name, root)}"
    )


def build(name: Name, root: Root) -> str:
    """How to prepare a data set."""
    return (
        f"{install(name)}; tfds build {name} --file_format={FORMAT} "
        f"--data_dir={os.fspath(root)}"
    )


def install(name: Name) -> str:
    """How to install `tfds`, separately, as it needs an older TensorFlow."""
    return (
        "in a virtual environment of its own, pip install "
        f"'tensorflow-datasets[{name.dataset}]' mlcroissant importlib_resources"
    )


def _json(path: Root, name: Name, root: Root) -> dict[str, Any]:
    if not path.exists():
        raise UsageError(f"{path} is missing; {cure(name, root)}")
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise UsageError(f"{path} is damaged ({error}); {cure(name, root)}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} is damaged (no JSON object); {cure(name, root)}")
    return content
