"""Where `english` is kept: archives, cleaned pages, documents, and the manifest.

english/archives/NAME/        an archive, and archive.json: its version and checksum
english/cleaned/NAME-….jsonl  the documents of one source, near-duplicates and all
english/documents-…/          the documents of every source, by random access
english/manifest.json         what the corpus holds; written last
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...files import write_whole

MANIFEST = "manifest.json"


class Holding(NamedTuple):
    """A source that the corpus holds.

    Attributes:
      source: its name.
      part: that it belongs to.
      split: that it belongs to.
      package: that it came in.
      version: of the package.
      sha256: of the archive.
      licence: of the text.
      documents: number of them.
      words: in all of them.
      bytes: of their text in UTF-8.
      lengths: words a document that 10, 50 and 90 % of documents are at most long.
      digest: sha256 of the documents.
    """

    source: str
    part: str
    split: str
    package: str
    version: str
    sha256: str
    licence: str
    documents: int
    words: int
    bytes: int
    lengths: tuple[int, int, int]
    digest: str


class Manifest(NamedTuple):
    """What the corpus holds.

    Attributes:
      folder: of the documents, beside the manifest.
      holdings: by name of the source.
      missing: why an archive is missing, by its name.
      shared: of the distinct runs of 8 words of a part's validation split, the share
        that occurs in some training document, by part.
    """

    folder: str
    holdings: Mapping[str, Holding]
    missing: Mapping[str, str]
    shared: Mapping[str, float]


def read_manifest(root: Path) -> Manifest | None:
    """The manifest of a corpus; None if it was never built."""
    path = root / MANIFEST
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text())
    holdings = {}
    for name, fields in content.pop("holdings").items():
        fields["lengths"] = tuple(fields["lengths"])
        holdings[name] = Holding(**fields)
    return Manifest(holdings=holdings, **content)


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Writes the manifest, whole or not at all."""
    content = manifest._asdict()
    content["holdings"] = {
        name: holding._asdict() for name, holding in manifest.holdings.items()
    }
    write_whole(root / MANIFEST, json.dumps(content, indent=1) + "\n")


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Lets one process at a time change a corpus; others wait.

    The lock goes with the process, so a killed one leaves none.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
