"""The text files of a path: of a folder, of an archive, or a file by itself."""

import contextlib
import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from ....objectives.errors import UsageError
from ....tasks.files import is_hidden

_TEXTS = (".jsonl", ".csv", ".tsv", ".txt")
_ZIPS = (".zip", ".whl")
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile),
    *(lzma.LZMAError, zlib.error, EOFError),
)

Open = Callable[[], contextlib.AbstractContextManager[IO[bytes]]]


class DataFile(NamedTuple):
    """A text file that may hold a test.

    Attributes:
      name: path inside of the folder or archive, with slashes; without ".gz".
      shown: where it lies, for messages.
      first: its first line that is not blank; what is not UTF-8 of it is replaced.
      first_number: of that line, from 1 on.
      open: opens what it holds, decompressed.
    """

    name: str
    shown: str
    first: str
    first_number: int
    open: Open

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name without its ending, in lower case."""
        *folders, last = self.name.lower().split("/")
        return (*folders, last.rpartition(".")[0])

    @property
    def first_object(self) -> Mapping[str, Any]:
        """The object of the first line of JSON lines; empty for any other.

        Raises:
          UsageError: the first line of a `.jsonl` file is no JSON.
        """
        if not self.name.endswith(".jsonl"):
            return {}
        value = self._json(self.first_number, self.first)
        return value if isinstance(value, dict) else {}

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines that are not blank, each with its number from 1 on."""
        for number, line in _lines(self.open, self.shown):
            if line.strip():
                yield number, line

    def objects(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The objects of JSON lines, each with the number of its line."""
        for number, line in self.lines():
            value = self._json(number, line)
            if not isinstance(value, dict):
                raise self.error(number, "no JSON object; each line is one.")
            yield number, value

    def error(self, line: int, problem: str) -> UsageError:
        """A mistake in the file."""
        return UsageError(f"{self.shown}, line {line}: {problem}")

    def _json(self, number: int, line: str) -> Any:
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:  # too deep, or too long a number
            what = getattr(error, "msg", error)
            raise self.error(
                number, f"no JSON in UTF-8 ({what}); each line is an object."
            ) from error


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
    with _refusing(str(path)):
        opened = dict(_opened(path))
    files, others = [], []
    for name in sorted(opened):
        inside = name.removesuffix(".gz")
        shown = _shown(path, name)
        how = _unzipped(opened[name]) if inside != name else opened[name]
        number, first = _first(how, shown) if inside.endswith(_TEXTS) else (0, "")
        if first.strip():
            files.append(DataFile(inside, shown, first, number, how))
        else:
            others.append(name)
    return Listing(tuple(files), tuple(others))


def _opened(path: Path) -> Iterator[tuple[str, Open]]:
    """How each file of a path is opened, by its name inside."""
    if path.is_dir():
        for file in path.rglob("*"):
            name = file.relative_to(path).as_posix()
            if file.is_file() and not _hidden(name):
                yield name, _file(file)
    elif path.name.endswith(_ZIPS):
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
        for name in names:
            if not _hidden(name):
                yield name, _zipped(path, name)
    elif ".tar" in path.suffixes or path.suffix in (".tgz", ".txz"):
        # A compressed tar has no index, so its texts are read in one pass.
        with tarfile.open(path) as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None and not _hidden(entry.name):
                    text = entry.name.removesuffix(".gz").endswith(_TEXTS)
                    yield entry.name, _bytes(content.read() if text else b"")
    else:
        yield path.name, _file(path)


def _hidden(name: str) -> bool:
    """Whether a file is hidden, such as macOS's `._p.jsonl`."""
    return is_hidden(PurePosixPath(name))


def _file(path: Path) -> Open:
    return lambda: path.open("rb")


def _bytes(content: bytes) -> Open:
    return lambda: io.BytesIO(content)


def _zipped(path: Path, name: str) -> Open:
    def read() -> io.BytesIO:
        with zipfile.ZipFile(path) as archive:
            try:
                return io.BytesIO(archive.read(name))
            except RuntimeError as error:  # encrypted, or packed by another method
                raise UsageError(
                    f"{path}: {name} cannot be unpacked ({error}); unpack the archive "
                    "yourself and give the folder."
                ) from error

    return read


def _unzipped(how: Open) -> Open:
    @contextlib.contextmanager
    def read() -> Iterator[IO[bytes]]:
        with how() as packed, gzip.GzipFile(fileobj=packed) as stream:
            yield cast(IO[bytes], stream)

    return read


def _first(how: Open, shown: str) -> tuple[int, str]:
    """The first line that is not blank, with its number: of any file, also no test."""
    with _refusing(shown), how() as stream:
        lines = enumerate(_raw(stream), 1)
        number, first = next(((n, raw) for n, raw in lines if raw.strip()), (0, b""))
    return number, first.decode("utf-8-sig", "replace")


def _lines(how: Open, shown: str) -> Iterator[tuple[int, str]]:
    with _refusing(shown), how() as stream:
        for number, raw in enumerate(_raw(stream), 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise UsageError(
                    f"{shown}, line {number}: not UTF-8; save the file in it."
                ) from error
            yield number, line


def _raw(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream without their ends: LF, CRLF or CR."""
    for lines in stream:
        yield from lines.splitlines()


@contextlib.contextmanager
def _refusing(shown: str) -> Iterator[None]:
    """Refuses what is broken, or cannot be read, where it is opened and read."""
    try:
        yield
    except _BROKEN as error:
        raise UsageError(
            f"{shown} is broken ({error}); fetch it again from where it is published."
        ) from error
    except OSError as error:
        raise UsageError(
            f"{shown} cannot be read ({error}); mend that, or give another path."
        ) from error


def _shown(path: Path, name: str) -> str:
    if path.is_dir():
        return str(path / name)
    return str(path) if name == path.name else f"{path}: {name}"
