"""Which part of a data set is read for training, and which is held out."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...objectives.errors import UsageError, nearest
from . import EmptySplitError

_SLICE = re.compile(r"(?P<name>[^\[\]+]+)(\[((?P<start>\d+)%)?:((?P<stop>\d+)%)?\])?")


class Part(NamedTuple):
    """A part of a split, in percent, rounded down to whole documents.

    Attributes:
      split: its name in the data set.
      start: where it begins.
      stop: where it ends.
    """

    split: str
    start: int = 0
    stop: int = 100

    def __str__(self) -> str:
        whole = (self.start, self.stop) == (0, 100)
        return self.split + ("" if whole else f"[{self.start}%:{self.stop}%]")


class Slice(Sequence[str]):
    """A part of some documents."""

    def __init__(self, documents: Sequence[str], part: Part):
        self._documents: Any = documents
        count = len(documents)
        self._start = count * part.start // 100
        self._length = count * part.stop // 100 - self._start

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        return self._documents[self._start + index]


def parts(corpus: str, train: str, validation: str) -> dict[str, Part]:
    """The parts that settings name, by our names of splits.

    Args:
      corpus: its name; `corpus.train` and `corpus.validation` are the settings.
      train: `train`, or `train[:99%]`.
      validation: `validation`, or `train[99%:]`.

    Raises:
      UsageError: one is no such name, or they overlap.
    """
    named = {"train": train, "validation": validation}
    read = {ours: _part(f"{corpus}.{ours}", text) for ours, text in named.items()}
    one, other = read.values()
    if one.split == other.split and max(one[1], other[1]) < min(one[2], other[2]):
        raise UsageError(
            f"{corpus}.train {train!r} and {corpus}.validation {validation!r} share "
            f"documents, which would be trained on and held out; set them apart, as in "
            f"'{one.split}[:99%]' and '{one.split}[99%:]'."
        )
    return read


def check_parts(
    corpus: str, where: str, read: Mapping[str, Part], splits: Iterable[str]
) -> None:
    """Refuses parts of splits that a data set does not have.

    Args:
      corpus: its name.
      where: the data set, for the message.
      read: what `parts` gave.
      splits: of the data set.
    """
    splits = list(splits)
    for ours, part in read.items():
        if part.split not in splits:
            one = splits[0] if splits else "train"
            raise UsageError(
                f"{where} has no split {part.split!r}; {nearest(part.split, splits)} "
                f"Set {corpus}.{ours}; a part of one split is '{one}[99%:]'."
            )


def open_part(
    corpus: str, where: str, part: Part, open_split: Callable[[str], Sequence[str]]
) -> Sequence[str]:
    """The documents of a part.

    Args:
      corpus: its name.
      where: the data set, for the message.
      part: of which split.
      open_split: gives all documents of a split.

    Raises:
      EmptySplitError: it has none.
    """
    documents = Slice(open_split(part.split), part)
    if not documents:
        raise EmptySplitError(
            f"{where} has no documents in {str(part)!r}; set {corpus}.train and "
            f"{corpus}.validation to parts that have some."
        )
    return documents


def _part(setting: str, text: str) -> Part:
    match = _SLICE.fullmatch(text)
    if match is None:
        raise UsageError(
            f"{setting} is {text!r}; write the name of a split, or a part of one in "
            "whole percent: 'train', 'train[:99%]', 'train[99%:]'."
        )
    start, stop = int(match["start"] or 0), int(match["stop"] or 100)
    if not 0 <= start < stop <= 100:
        raise UsageError(f"{setting} is {text!r}; a part lies within 0 % and 100 %.")
    return Part(match["name"], start, stop)
