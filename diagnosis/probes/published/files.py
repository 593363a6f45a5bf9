"""The text files of a path: of a folder, of an archive, or a file by itself."""

import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from ....objectives.errors import UsageError

_TEXTS = (".jsonl", ".csv", ".tsv", ".txt")
_ZIPS = (".zip", ".whl")
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile),
    *(lzma.LZMAError, zlib.error, EOFError),
)

Open = Callable[[], IO[bytes]]


class DataFile(NamedTuple):
    """A text file that may hold a test.

    Attributes:
      name: path inside of the folder or archive, with slashes; without ".gz".
      shown: where it lies, for messages.
      first: its first line.
      open: opens what it holds, decompressed.
    """

    name: str
    shown: str
    first: str
    open: Open

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name without its ending, in lower case."""
        *folders, last = self.name.lower().split("/")
        return (*folders, last.rpartition(".")[0])

    @property
    def first_object(self) -> Mapping[str, Any]:
        """The object of the first line of JSON lines; empty for other files."""
        return self._object(1, self.first) if self.name.endswith(".jsonl") else {}

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines that are not blank, each with its number from 1 on."""
        for number, line in _lines(self.open, self.shown):
            if line.strip():
                yield number, line

    def objects(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The objects of JSON lines, each with the number of its line."""
        for number, line in self.lines():
            yield number, self._object(number, line)

    def error(self, line: int, problem: str) -> UsageError:
        """A mistake in the file."""
        return UsageError(f"{self.shown}, line {line}: {problem}")

    def _object(self, number: int, line: str) -> Mapping[str, Any]:
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise self.error(
                number, f"no JSON ({error.msg}); each line is an object."
            ) from error
        if not isinstance(value, dict):
            raise self.error(number, "no JSON object; each line is one.")
        return value


class Listing(NamedTuple):
    """What a path holds.

    Attributes:
      files: text files, in order of their names.
      others: names of the files that are no text, or empty.
    """

    files: tuple[DataFile, ...]
    others: tuple[str, ...]


def data_files(path: Path) -> Listing:
    """Lists a folder with all its folders, a tar, zip or wheel, or a single file.

    Raises:
      UsageError: there is no such path, or a file is broken.
    """
    if not path.exists():
        raise UsageError(
            f"--probe_data={str(path)!r} is not there; give a folder, an archive or a "
            "file of a published test (docs/probes.md lists them)."
        )
    try:
        opened = dict(_opened(path))
        files, others = [], []
        for name in sorted(opened):
            inside = name.removesuffix(".gz")
            shown = _shown(path, name)
            how = _unzipped(opened[name]) if inside != name else opened[name]
            first = ""
            if inside.endswith(_TEXTS):
                first = next((line for _, line in _lines(how, shown)), "")
            if first.strip():
                files.append(DataFile(inside, shown, first, how))
            else:
                others.append(name)
    except _BROKEN as error:
        raise UsageError(
            f"{path} is broken ({error}); fetch it again from where it is published."
        ) from error
    return Listing(tuple(files), tuple(others))


def _opened(path: Path) -> Iterator[tuple[str, Open]]:
    """How each file of a path is opened, by its name inside."""
    if path.is_dir():
        for file in path.rglob("*"):
            if file.is_file() and not file.name.startswith("."):
                yield file.relative_to(path).as_posix(), _file(file)
    elif path.name.endswith(_ZIPS):
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
        for name in names:
            yield name, _zipped(path, name)
    elif ".tar" in path.suffixes or path.suffix in (".tgz", ".txz"):
        # A compressed tar has no index, so its texts are read in one pass.
        with tarfile.open(path) as archive:
            for entry in archive:
                content = archive.extractfile(entry)
                if content is not None:
                    text = entry.name.removesuffix(".gz").endswith(_TEXTS)
                    yield entry.name, _bytes(content.read() if text else b"")
    else:
        yield path.name, _file(path)


def _file(path: Path) -> Open:
    return lambda: path.open("rb")


def _bytes(content: bytes) -> Open:
    return lambda: io.BytesIO(content)


def _zipped(path: Path, name: str) -> Open:
    def read() -> IO[bytes]:
        with zipfile.ZipFile(path) as archive:
            return io.BytesIO(archive.read(name))

    return read


def _unzipped(how: Open) -> Open:
    return lambda: gzip.open(how(), "rb")  # type: ignore[return-value]


def _lines(how: Open, shown: str) -> Iterator[tuple[int, str]]:
    with how() as stream:
        for number, raw in enumerate(stream, 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise UsageError(
                    f"{shown}, line {number}: not UTF-8; save the file in it."
                ) from error
            yield number, line.rstrip("\r\n")


def _shown(path: Path, name: str) -> str:
    if path.is_dir():
        return str(path / name)
    return str(path) if name == path.name else f"{path}: {name}"
