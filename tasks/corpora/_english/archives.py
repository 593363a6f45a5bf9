"""The files inside packages, read one by one; nothing is unpacked on disk."""

import gzip
import re
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ....objectives.errors import UsageError
from .recipe import Source

LARGEST = 2**23
"""Bytes of the largest page that is read; larger ones are indices or whole books."""


def pages(archive: Path, source: Source) -> Iterator[tuple[str, bytes]]:
    """Yields `(path, content)` of a source's pages, in the order of the archive.

    Raises:
      UsageError: the archive is damaged.
    """
    wanted, others = re.compile(source.pages), re.compile(source.others or r"(?!)")
    for path, content in _files(archive, wanted, others):
        yield path, gzip.decompress(content) if path.endswith(".gz") else content


def _files(
    archive: Path, wanted: re.Pattern[str], others: re.Pattern[str]
) -> Iterator[tuple[str, bytes]]:
    try:
        if archive.suffix != ".deb":
            with tarfile.open(archive, "r|gz") as tar:
                yield from _members(tar, wanted, others)
            return
        command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                yield from _members(tar, wanted, others)
            process.stdout.read()  # what pads the last record
        if process.returncode:
            raise tarfile.ReadError(f"dpkg-deb: exit status {process.returncode}")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UsageError(
            f"the archive {archive} is damaged ({error}); delete its folder and fetch "
            "again."
        ) from error


def _members(
    tar: tarfile.TarFile, wanted: re.Pattern[str], others: re.Pattern[str]
) -> Iterator[tuple[str, bytes]]:
    for member in tar:
        path = member.name
        if not (member.isfile() and wanted.search(path) and not others.search(path)):
            continue
        if member.size <= LARGEST and (stream := tar.extractfile(member)):
            yield path, stream.read()
