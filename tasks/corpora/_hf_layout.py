"""Which files of a folder hold which split of a Hugging Face data set."""

import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from ...objectives.errors import UsageError
from ..files import is_hidden
from ._folders import ending, listed, never_read, walk

T = TypeVar("T")

_SPLIT = re.compile(r"\w+(?:\.\w+)*")
_NUMBERED = re.compile(rf"(?P<split>{_SPLIT.pattern})-\d+-of-\d+(?:-\w+)?")
_SHARD = re.compile(r"(?P<name>.+)[-.](?P<number>\d+)-of-(?P<count>\d+)(?:-\w+)?")
_BETWEEN_WORDS = re.compile(r"[-._ 0-9]+")
_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Splits and the words for them in names of files and folders, as `datasets` has them.

As there, a word stands anywhere in a file's name. Where `datasets` would read a file
into two splits, or leave one out that names none, it is refused.
"""

_OF_THE_FORMAT = {
    "README.md", ".gitattributes", "dataset_dict.json", "dataset_info.json",
    "dataset_infos.json", "state.json",
}  # fmt: skip
"""Files that say something of the data, which `datasets` or the Hub write beside it."""


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

    A `Dataset` that was saved alone is one split, `train`, unless it says another by
    name; a slice such as `train[:10%]` is none. The split of a Parquet file is in its
    name (`train-00000-of-00004.parquet`, `wiki-dev.parquet`), or is the name of its
    folder below this one. Where no file has one, all are `train`. Links to folders are
    not followed.

    Raises:
      UsageError: it is neither, or a Parquet file names two splits, or none where
        others do.
    """
    splits = folder / "dataset_dict.json"
    if splits.is_file():
        names = _said(splits, lambda said: [str(name) for name in said["splits"]])
        return Layout(folder, "arrow", {name: _saved(folder / name) for name in names})
    if (folder / "state.json").is_file():
        split = _said(folder / "state.json", lambda said: str(said.get("_split") or ""))
        name = split if _SPLIT.fullmatch(split) else "train"
        return Layout(folder, "arrow", {name: _saved(folder)})
    return Layout(folder, "parquet", _parquet_files(folder))


def check_shards(files: Iterable[Path]) -> None:
    """Refuses files that are numbered, as `train-00000-of-00004`, and not all there.

    Raises:
      UsageError: a number is missing, or there twice.
    """
    sets: dict[tuple[Path, str, str], list[int]] = defaultdict(list)
    for file in files:
        if match := _SHARD.fullmatch(file.stem):
            of = file.parent, match["name"], match["count"]
            sets[of].append(int(match["number"]))
    for (folder, name, count), numbers in sets.items():
        first = 1 if int(count) in numbers else 0
        twice = [number for number, times in Counter(numbers).items() if times > 1]
        there = set(numbers)
        absent = next(n for n in itertools.count(first) if n not in there)
        if twice or absent < first + int(count):
            what = f"{twice[0]} is there twice" if twice else f"{absent} is missing"
            raise UsageError(
                f"{folder} holds {len(numbers):,} of the {int(count):,} files of "
                f"{name!r}: number {what}. Copy or download the data set again; to "
                "read what is there, rename the files without their numbers."
            )


def is_parquet(path: Path) -> bool:
    """Whether a file is one of Parquet, by its name."""
    return path.suffix.lower() == ".parquet"


def unread(layout: Layout, splits: Iterable[str]) -> str:
    """What lies in the folder and is not read, counted by kind; "" if nothing.

    Files that belong to the format are not counted (`_OF_THE_FORMAT`).

    Args:
      layout: of the data set.
      splits: those that are read.
    """
    read = {file.resolve() for split in splits for file in layout.files[split]}
    split_of = {file: name for name, files in layout.files.items() for file in files}

    def kind(path: Path) -> str:
        of = f" of the split {split_of[path]!r}" if path in split_of else ""
        return never_read(layout.folder, path) or ending(path) + of

    return listed(
        kind(path)
        for path in walk(layout.folder, hidden=True)
        if path.name not in _OF_THE_FORMAT and path.resolve() not in read
    )


def _parquet_files(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of a folder, by split."""
    files: dict[str, list[Path]] = {}
    unnamed: list[Path] = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if is_hidden(inside) or not is_parquet(path):
            continue
        if path.exists() and not path.is_file():  # a link to nothing is missing data
            continue
        split = _split_of(folder, inside)
        (unnamed if split is None else files.setdefault(split, [])).append(path)
    if files and unnamed:
        raise UsageError(
            f"{unnamed[0]} is of no split: its name has none of train, validation and "
            f"test, which those of others have ({next(iter(files.values()))[0].name}). "
            "Rename it, or move it into a folder named after its split, or away."
        )
    if not files and not unnamed:
        raise UsageError(
            f"{folder} holds no Hugging Face data set: neither dataset_dict.json or "
            "state.json, which save_to_disk writes, nor .parquet files. Set "
            "hf_dataset.folder to one that does."
        )
    return files or {"train": unnamed}


def _saved(folder: Path) -> list[Path]:
    """The Arrow files of a saved `Dataset`."""
    state = folder / "state.json"
    if not state.is_file():
        raise UsageError(
            f"{folder} is no whole data set: it has no state.json; save it again."
        )
    if _said(state, lambda said: said.get("_indices_data_files")):
        raise UsageError(
            f"{folder} is a selection from other rows; save it again after "
            "flatten_indices()."
        )
    files = _said(
        state, lambda said: [folder / file["filename"] for file in said["_data_files"]]
    )
    for file in files:
        if not file.is_file():
            raise UsageError(
                f"{folder} is no whole data set: {file.name} is missing; copy or save "
                "it again."
            )
    return files


def _split_of(folder: Path, inside: Path) -> str | None:
    """The split of a Parquet file by its path below the folder; None if it has none."""
    folders = [part for part in inside.parts[:-1] if part != "data"]
    named = {split for part in folders if (split := _known(part))}
    numbered = _NUMBERED.fullmatch(inside.stem)
    if numbered and not named:  # `train_sft-00000-of-00001` is a split of its own
        return _known(numbered["split"]) or numbered["split"]
    words = _BETWEEN_WORDS.split(inside.stem)
    named |= {split for word in words if (split := _known(word))}
    if len(named) > 1:
        raise UsageError(
            f"{folder / inside} names several splits: {', '.join(sorted(named))}; "
            "rename it, so that it names one."
        )
    if named:
        return named.pop()
    return folders[-1] if folders else None


def _known(word: str) -> str | None:
    for split, words in _NAMES.items():
        if word.lower() in words:
            return split
    return None


def _said(path: Path, take: Callable[[Any], T]) -> T:
    """What is taken from a JSON file; what cannot be is damage, in one message."""
    try:
        return take(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is damaged ({type(error).__name__}: {error}); copy or save the "
            "data set again."
        ) from error
