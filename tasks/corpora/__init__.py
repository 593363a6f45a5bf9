"""Every corpus by name: `get("python_docs")`. A file in this folder is one corpus.

The file's name is the corpus's. It defines `CORPUS`, which makes the corpus from its
keyword arguments, which gin may bind (`text.folder = 'papers'`). Importing the file
loads nothing heavy. A name that begins with an underscore is a helper.

`notes/text` is a variant of a corpus, with settings of its own, scoped as in gin
(`notes/text.folder = 'notes'`); a mixture may read any number of them.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol, runtime_checkable

from ...objectives.errors import UsageError, nearest
from ..user_folder import user_folder

FOLDERS = ("folder", "data_dir")
"""Settings of corpora that say where they lie, not what they hold."""


class EmptySplitError(UsageError):
    """A corpus has documents, but none in the requested split."""


@runtime_checkable
class Corpus(Protocol):
    """Documents of text, split by document."""

    @property
    def name(self) -> str:
        """Its name in tasks; the name of its file."""
        ...

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of its splits."""
        ...

    @property
    def vocabulary(self) -> str:
        """Name of the vocabulary that its registered tasks use."""
        ...

    def check(self) -> None:
        """Raises ValueError if its documents are not available; quick and light."""
        ...

    def identity(self) -> str:
        """Identifies its documents among others of the same name; quick and light."""
        ...

    def documents(self, split: str) -> Sequence[str]:
        """The documents of a split, by random access; prepares them if missing."""
        ...


@runtime_checkable
class ReadsFolder(Protocol):
    """A corpus of a user's files, beside which may lie what is not read."""

    def unread(self) -> str:
        """What lies there that is no part of the corpus, with counts; "" if nothing."""
        ...


@runtime_checkable
class Fetched(Protocol):
    """A corpus that is downloaded when asked for."""

    def fetch(self) -> None:
        """Downloads and prepares what is missing; goes on where it was stopped."""
        ...


def not_read(corpus: Corpus) -> str:
    """A line that names what a corpus does not read of its folder; "" if nothing.

    Once its documents are prepared, bad ones that were left out are named too.
    """
    found = corpus.unread() if isinstance(corpus, ReadsFolder) else ""
    return found and f"{corpus.name}: not read, beside its documents: {found}."


def names() -> tuple[str, ...]:
    """The names of all corpora. Imports none of them."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def folder_settings() -> tuple[str, ...]:
    """The settings that say where corpora lie, as gin binds them: `text.folder`."""
    return tuple(f"{name}.{setting}" for name in names() for setting in FOLDERS)


def factory(name: str) -> Callable[..., Corpus]:
    """The factory of the corpus of that name; its parameters are the settings.

    Raises:
      ValueError: no such corpus; the message names the nearest.
    """
    base = base_name(name)
    if base not in names():
        raise UsageError(f"no corpus {base!r}; {nearest(base, names())}")
    return importlib.import_module(f"{__name__}.{base}").CORPUS


def base_name(name: str) -> str:
    """The corpus of a name or of a variant's: `text` of `notes/text`."""
    return name.rpartition("/")[2]


def get(name: str, /, **settings: Any) -> Corpus:
    """The corpus of that name, or the variant, with settings.

    Raises:
      ValueError: no such corpus or setting, or a setting that it refuses.
    """
    make = factory(name)
    valid = inspect.signature(make).parameters
    for setting in settings:
        if setting not in valid:
            raise UsageError(
                f"corpus {name!r} has no setting {setting!r}; {nearest(setting, valid)}"
            )
    corpus = make(**settings)
    if name != corpus.name:
        # Frozen, as its settings are; its name is what sets it apart from others.
        object.__setattr__(corpus, "name", name)
    return corpus


def require(where: str, name: str, settings: Collection[str]) -> None:
    """Refuses what is no corpus, and a variant without settings of its own.

    Args:
      where: what names it, for the message.
      name: of a corpus, or of a variant.
      settings: names that have settings.

    Raises:
      UsageError: naming the nearest corpus, or a setting to bind.
    """
    base = base_name(name)
    if base not in names():
        raise UsageError(f"{where}: no corpus {base!r}; {nearest(base, names())}")
    if name != base and name not in settings:
        valid = inspect.signature(factory(base)).parameters
        raise UsageError(
            f"{where}: variant {name!r} of a corpus has no settings; bind one, as in "
            f"`{name}.{next(iter(valid), 'setting')} = ...`."
        )


def is_default(corpus: Corpus) -> bool:
    """Whether a corpus is the registered one of its name, with default settings."""
    return corpus.name in names() and corpus == get(corpus.name)


def check_split(corpus: Corpus, split: str) -> None:
    """Raises ValueError if the corpus has no such split, naming its splits."""
    if split not in corpus.splits:
        raise UsageError(
            f"corpus {corpus.name!r} has no split {split!r}; "
            + nearest(split, corpus.splits)
        )


def require_data_dir() -> None:
    """Refuses a folder of corpora that cannot be made; it need not be writable.

    Raises:
      UsageError: naming `SIGHTLINE_DATA_DIR`.
    """
    folder = user_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"corpora cannot be kept in {str(folder)!r}: {error.strerror}; set "
            "SIGHTLINE_DATA_DIR to another folder."
        ) from error
