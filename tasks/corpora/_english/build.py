"""Builds `english` from archives: cleans each source, then removes near-duplicates."""

import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ...files import write_json_lines
from .._prepared import contents, open_split, prepare
from .archives import pages
from .fetch import Held, held
from .near_duplicates import SHARE, SHINGLE, Seen, shingles
from .prose import is_document
from .readers import READERS
from .recipe import SOURCES, Source, archive_of
from .store import Holding, Manifest, write_manifest

_FORMAT = 1  # of what is built; raise it with any change that alters a document

RUN = 8
"""Words of a run that counts as shared by the two splits."""


def build(root: Path, missing: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Builds what the archives on disk hold, and writes the manifest.

    A source that was cleaned before is not cleaned again, so a build that was killed
    goes on. The caller holds the lock of the folder.

    Args:
      root: folder of the corpus.
      missing: why an archive is missing, by name.
      say: is told what is done.
    """
    for unfinished in root.glob(".preparing-*"):  # of a build that was killed
        shutil.rmtree(unfinished)
    archives: dict[str, Held] = {}
    cleaned: dict[str, Path] = {}
    for source in SOURCES:
        if archive := held(root, archive_of(source)):
            archives[source.name] = archive
            cleaned[source.name] = _clean(root, source, archive, say)
    key = repr([path.name for path in cleaned.values()])
    name = f"documents-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    say("removing near-duplicates")
    seen = Seen()
    prepare(
        root / name,
        {
            source: functools.partial(_distinct, path, seen)
            for source, path in cleaned.items()
        },
        where=str(root),
        unchanged=lambda: True,  # the root is locked
    )
    say("counting")
    holdings = {
        source.name: _holding(root / name, source, archives[source.name])
        for source in SOURCES
        if source.name in archives
    }
    shared = _shared(root / name, holdings)
    write_manifest(root, Manifest(name, holdings, missing, shared))


def _clean(
    root: Path, source: Source, archive: Held, say: Callable[[str], None]
) -> Path:
    """The file of a source's documents, in the order of their names."""
    key = repr((_FORMAT, source, archive.sha256))
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    path = root / "cleaned" / f"{source.name}-{digest}.jsonl"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        say(f"cleaning {source.name}")
        documents = [
            (name, paragraphs)
            for page, content in pages(archive.path, source)
            for name, paragraphs in READERS[source.form](page, content)
            if is_document(paragraphs)
        ]
        documents.sort(key=lambda document: _natural(document[0]))
        write_json_lines(
            path, ({"name": name, "paragraphs": texts} for name, texts in documents)
        )
    return path


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Orders `chapter_2` before `chapter_10`."""
    digits = "".join(c if c.isdigit() else f"\0{c}\0" for c in name).split("\0")
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in digits)


def _distinct(path: Path, seen: Seen) -> Iterator[str]:
    """The documents of a cleaned source without near-duplicate paragraphs."""
    with path.open() as lines:
        for line in lines:
            kept = []
            for text in json.loads(line)["paragraphs"]:
                runs = shingles(text, SHINGLE)
                if seen.share(runs) < SHARE:
                    kept.append(text)
                    seen.add(runs)
            if is_document(kept):
                yield "\n\n".join(kept)


def _holding(folder: Path, source: Source, archive: Held) -> Holding:
    documents = open_split(folder, source.name)
    words = [len(text.split()) for text in documents] or [0]
    low, middle, high = np.quantile(words, (0.1, 0.5, 0.9)).astype(int).tolist()
    return Holding(
        source=source.name,
        part=source.part,
        split=source.split,
        package=archive_of(source).packages[0],
        version=archive.version,
        sha256=archive.sha256,
        licence=source.licence,
        documents=len(documents),
        words=sum(words),
        bytes=sum(len(text.encode()) for text in documents),
        lengths=(low, middle, high),
        digest=contents(folder)[source.name]["sha256"],
    )


def _shared(folder: Path, holdings: Mapping[str, Holding]) -> dict[str, float]:
    """The share of a part's held-out runs that occur in training, by part."""

    def texts(split: str, part: str | None = None) -> Iterable[str]:
        for name, holding in holdings.items():
            if holding.split == split and part in (None, holding.part):
                yield from open_split(folder, name)

    parts = dict.fromkeys(each.part for each in holdings.values())
    runs = {
        part: np.unique(
            np.concatenate(
                [np.zeros(0, np.uint64)]
                + [shingles(text, RUN) for text in texts("validation", part)]
            )
        )
        for part in parts
    }
    found = {part: np.zeros(part_runs.size, bool) for part, part_runs in runs.items()}
    for text in texts("train"):
        new = shingles(text, RUN)
        for part, known in runs.items():
            if known.size:
                places = np.searchsorted(known, new).clip(max=known.size - 1)
                found[part][places[known[places] == new]] = True
    return {
        part: float(hits.mean()) if hits.size else 0.0 for part, hits in found.items()
    }
