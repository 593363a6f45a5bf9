"""A user's own modules, named by `--import`: they register SeqIO Tasks.

Code comes from the command line, never from a gin file. Processes that make data are
told the names (`expect`) and import the modules once a corpus needs them (`load`).
"""

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Sequence, Set
from pathlib import Path
from types import ModuleType

from ..objectives.errors import UsageError, nearest
from . import host_tensorflow

_expected: list[str] = []
_loaded: dict[str, frozenset[Path]] = {}
"""The sources of each module that was imported, and of what it imported beside it."""

_INSTALLED = {"site-packages", "dist-packages"}


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
            before = set(sys.modules)
            module = _import(name)
            _loaded[name] = _sources(module, before)
    if _expected and "tensorflow" in sys.modules:
        host_tensorflow.load()


def digest() -> str:
    """Of the source of the modules, and of what they import from the same folders.

    A change there may change what a Task gives. What else is loaded does not count, so
    that all processes agree.
    """
    load()
    sources = frozenset[Path]().union(*_loaded.values())
    contents = sorted(hashlib.sha256(path.read_bytes()).digest() for path in sources)
    return hashlib.sha256(b"".join(contents)).hexdigest()


def _sources(module: ModuleType, before: Set[str]) -> frozenset[Path]:
    """The sources of a module, and of what importing it loaded from beside it.

    That is from its folder or below, without Sightline and what is installed there. If
    the module was loaded before it was named, all that is loaded from there counts.

    Args:
      module: that was imported.
      before: names of the modules that were loaded before.
    """
    own = _source(module)
    if own is None:
        return frozenset()
    known = frozenset() if module.__name__ in before else before
    not_theirs = {__name__.partition(".")[0], "__main__", "__mp_main__"}
    found = {
        source
        for name, other in list(sys.modules.items())
        if name not in known and name.partition(".")[0] not in not_theirs
        if (source := _source(other)) and source.is_relative_to(own.parent)
        if not _INSTALLED & {own.parent.name, *source.relative_to(own.parent).parts}
    }
    return frozenset(found | {own})


def _source(module: object) -> Path | None:
    """The file of the source of a value of `sys.modules`, if it has one."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return None
    return Path(file).resolve()


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
