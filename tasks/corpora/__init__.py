"""Every corpus by name: `get("python_docs")`. A file in this folder is one corpus.

The file's name is the corpus's; it defines `CORPUS`. A name that begins with an
underscore is a corpus's helper.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ...objectives.errors import nearest


@runtime_checkable
class Corpus(Protocol):
    """Documents of text, split by document.

    Attributes:
      name: its name in tasks; the name of its file.
      splits: names of its splits.
      vocabulary: name of the vocabulary that its registered tasks use.
    """

    name: str
    splits: tuple[str, ...]
    vocabulary: str

    def documents(self, split: str) -> Sequence[str]:
        """The documents of a split, by random access; prepares them when missing."""
        ...


def names() -> tuple[str, ...]:
    """The names of all corpora. Imports none of them."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def get(name: str) -> Corpus:
    """The corpus of that name.

    Raises:
      ValueError: there is none; the message names the nearest.
    """
    if name not in names():
        raise ValueError(f"no corpus {name!r}; {nearest(name, names())}")
    return importlib.import_module(f"{__name__}.{name}").CORPUS


def check_split(corpus: Corpus, split: str) -> None:
    """Raises ValueError if the corpus has no such split, naming its splits."""
    if split not in corpus.splits:
        raise ValueError(
            f"corpus {corpus.name!r} has no split {split!r}; "
            + nearest(split, corpus.splits)
        )
