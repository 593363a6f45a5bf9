"""How Sightline writes every file, whole or not at all, and tells files apart."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any, BinaryIO


def write_json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes one line per row, as `write_whole` does."""
    write_whole(path, (json.dumps(row) + "\n" for row in rows))


def write_whole(path: Path, content: str | bytes | Iterable[str]) -> None:
    """Replaces a file at once: a crash leaves the old content or the new.

    The content is on disk when this returns: both the file and its entry in the folder
    are synchronised. What a link names is replaced, not the link. A device or a pipe is
    written to as it is, and none of this holds of it.

    Args:
      path: of the file; its folder must exist.
      content: text is written as UTF-8; several parts are written one by one.

    Raises:
      OSError: the file cannot be written; nothing of it is left, and an existing file
        is unchanged.
    """
    parts = [content] if isinstance(content, str | bytes) else content
    if path.exists() and not (path.is_file() or path.is_dir()):
        with path.open("wb") as file:
            _write_parts(file, parts)
        return
    path = path.resolve()
    try:
        prefix = f".{path.name[:99]}."
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    except OSError as error:  # which names the temporary file
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write_parts(file, parts)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(path))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    _sync_folder(path.parent)


def _write_parts(file: BinaryIO, parts: Iterable[str | bytes]) -> None:
    for part in parts:
        file.write(part.encode() if isinstance(part, str) else part)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


EDGE = 2**17
"""Bytes at either end of a file that `sha256_of_edges` reads."""


def sha256_of_edges(path: Path) -> str:
    """The sha256 of a file's first and last `EDGE` bytes, in hexadecimal.

    It tells files apart at the cost of two short reads, where their ends differ.
    """
    with path.open("rb") as file:
        content = hashlib.sha256(file.read(EDGE))
        size = os.fstat(file.fileno()).st_size
        file.seek(max(file.tell(), size - EDGE))
        content.update(file.read(EDGE))
    return content.hexdigest()


def is_hidden(path: PurePath) -> bool:
    """Whether a file inside of a folder, or a folder that it is in, has a dot first.

    Args:
      path: relative to the folder.
    """
    return any(part.startswith(".") for part in path.parts)


def sha256_of_all(path: Path) -> dict[str, str]:
    """The sha256 of a file, or of each file of a folder and its folders, by name.

    What is hidden in the folder is left out, as where it is read.
    """
    if not path.is_dir():
        return {path.name: sha256_of(path)}
    return {
        file.relative_to(path).as_posix(): sha256_of(file)
        for file in sorted(path.rglob("*"))
        if file.is_file() and not is_hidden(file.relative_to(path))
    }


def _mode(path: Path) -> int:
    """The permissions of the replaced file, or those of a new one."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
