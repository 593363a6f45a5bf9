"""A user's own modules, named by `--import`: they register SeqIO Tasks.

Code comes from the command line, never from a gin file. Processes that make data are
told the names (`expect`) and import the modules once a corpus needs them (`load`).
"""

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ..objectives.errors import UsageError, nearest
from . import host_tensorflow

_expected: list[str] = []
_loaded: dict[str, ModuleType] = {}


def import_modules(names: Sequence[str]) -> None:
    """Imports modules by dotted name or by path.

    A dotted name is looked up like any other, and last in the working directory; the
    folder of a path is added too, for what the module itself imports.

    Args:
      names: `my_tasks`, `team.tasks` or `tasks/mine.py`.

    Raises:
      UsageError: there is no such module, or it fails while it is imported.
    """
    before = list(_expected)
    expect(names)
    try:
        load()
    except UsageError:
        _expected[:] = before
        raise


def expect(names: Sequence[str]) -> None:
    """Notes the modules that `load` is to import."""
    _expected.extend(name for name in names if name not in _expected)


def expected() -> tuple[str, ...]:
    """The modules noted so far, as they were named; for processes that are started."""
    return tuple(_expected)


def load() -> None:
    """Imports the modules that have been noted and not imported yet.

    Raises:
      UsageError: there is no such module, or it fails while it is imported.
    """
    for name in _expected:
        if name not in _loaded:
            _loaded[name] = _import(name)
    if _expected and "tensorflow" in sys.modules:
        host_tensorflow.load()


def digest() -> str:
    """Of the source of the modules, and of what lies in the same folders and is loaded.

    A change there may change what a Task gives.
    """
    load()
    files = [getattr(module, "__file__", None) for module in _loaded.values()]
    folders = {Path(file).resolve().parent for file in files if file}
    sources = {
        Path(file).resolve()
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None)) and file.endswith(".py")
        if any(Path(file).resolve().is_relative_to(folder) for folder in folders)
    }
    contents = sorted(hashlib.sha256(path.read_bytes()).digest() for path in sources)
    return hashlib.sha256(b"".join(contents)).hexdigest()


def _import(name: str) -> ModuleType:
    try:
        return _by_path(name) if name.endswith(".py") else _by_name(name)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"--import={name}: {_failure(error)}") from error


def _by_name(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        if name != missing and not name.startswith(f"{missing}."):
            raise  # the module is there, and something that it imports is not
        files = [path.stem for path in Path.cwd().glob("*.py")]
        raise UsageError(
            f"--import={name}: there is no module {missing!r}, installed or in {here}; "
            f"{nearest(name, files)} The path of a .py file is taken too."
        ) from error


def _by_path(name: str) -> ModuleType:
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise UsageError(
            f"--import={name}: there is no file {path}; give the path of a .py file or "
            "a dotted name."
        )
    other = sys.modules.get(path.stem)
    if other is not None:
        if (file := getattr(other, "__file__", None)) and Path(file).resolve() == path:
            return other
        raise UsageError(
            f"--import={name}: a module named {path.stem!r} is loaded already, from "
            f"{getattr(other, '__file__', 'Python itself')}; rename the file."
        )
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module


def _failure(error: BaseException) -> str:
    """What was raised and where: the innermost line outside the import system."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: SyntaxError: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    outside = [frame for frame in frames if not frame.filename.startswith("<frozen")]
    where = f"{outside[-1].filename}:{outside[-1].lineno}"
    last = traceback.format_exception_only(error)[-1].strip()
    return f"it failed while it was imported: {where}: {last}"
