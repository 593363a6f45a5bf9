"""Which files of a folder hold which split of a Hugging Face data set."""

import json
import re
from pathlib import Path
from typing import Literal, NamedTuple

from ...objectives.errors import UsageError
from ..files import is_hidden

_NUMBERED = re.compile(r"(?P<split>\w+(?:\.\w+)*)-\d+-of-\d+(?:-\w+)?")
_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Splits and the words for them in names of files and folders, as `datasets` reads."""


class Layout(NamedTuple):
    """The files of a data set.

    Attributes:
      folder: of the data set.
      kind: of its files.
      files: of each split, in order.
    """

    folder: Path
    kind: Literal["arrow", "parquet"]
    files: dict[str, list[Path]]


def layout_of(folder: Path) -> Layout:
    """The files of a folder from `save_to_disk`, or of Parquet.

    A `Dataset` that was saved alone is one split, `train`, unless it says another. The
    split of a Parquet file is in its name (`train-00000-of-00004.parquet`,
    `dev.parquet`), or is the name of its folder below this one; else it is `train`.

    Raises:
      UsageError: it is neither.
    """
    splits = folder / "dataset_dict.json"
    if splits.is_file():
        names = _json(splits)["splits"]
        return Layout(folder, "arrow", {name: _saved(folder / name) for name in names})
    if (folder / "state.json").is_file():
        name = _json(folder / "state.json").get("_split") or "train"
        return Layout(folder, "arrow", {name: _saved(folder)})
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        inside = path.relative_to(folder)
        if not is_hidden(inside):
            files.setdefault(_split_of(inside), []).append(path)
    if not files:
        raise UsageError(
            f"{folder} holds no Hugging Face data set: neither dataset_dict.json or "
            "state.json, which save_to_disk writes, nor .parquet files. Set "
            "hf_dataset.folder to one that does."
        )
    return Layout(folder, "parquet", files)


def _saved(folder: Path) -> list[Path]:
    """The Arrow files of a saved `Dataset`."""
    state = folder / "state.json"
    if not state.is_file():
        raise UsageError(
            f"{folder} is no whole data set: it has no state.json; save it again."
        )
    content = _json(state)
    if content.get("_indices_data_files"):
        raise UsageError(
            f"{folder} is a selection from other rows; save it again after "
            "flatten_indices()."
        )
    files = [folder / file["filename"] for file in content["_data_files"]]
    for file in files:
        if not file.is_file():
            raise UsageError(
                f"{folder} is no whole data set: {file.name} is missing; copy or save "
                "it again."
            )
    return files


def _split_of(inside: Path) -> str:
    """The split of a Parquet file by its path below the folder."""
    if match := _NUMBERED.fullmatch(inside.stem):
        return _known(match["split"]) or match["split"]
    first_word = re.split(r"[-_.]", inside.stem)[0]
    if known := _known(first_word):
        return known
    folders = [part for part in inside.parts[:-1] if part != "data"]
    return (_known(folders[-1]) or folders[-1]) if folders else "train"


def _known(word: str) -> str | None:
    for split, words in _NAMES.items():
        if word.lower() in words:
            return split
    return None


def _json(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            f"{path} is damaged: {error}; copy or save the data set again."
        ) from error
