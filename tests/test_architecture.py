"""The house, held over the syntax tree: floors, rooms, and what may be imported where.

Imports only go down: from a floor to those below it, and inside a floor from a room
(a folder) to those after it in `ROOMS`.
"""

import ast
import functools
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

ROOMS = {
    "launch": (
        "cli.py",
        "commands",
        "pods",
        "interchange",
        "inference",
        "configuration",
        "studies",
        "training",
        "terminal",
        "runs",
        "hosts",
    ),
    "diagnosis": (
        "memo",
        "revision",
        "causes",
        "findings",
        "tuning",
        "results",
        "examination.py",
        "failures",
        "probes",
        "traits",
        "scores",
        "audit",
        "wording.py",
    ),
    "tasks": (
        "preview",
        "recorded",
        "shares",
        "seqio_tasks",
        "streaming",
        "examples",
        "rows",
        "tokens",
        "corpora",
        "shallow",
        "files.py",
        "user_modules.py",
        "host_tensorflow.py",
        "user_folder.py",
    ),
    "models": (),
    "objectives": (),
}
"""Floors from the top down, and the rooms of each in the order of their imports."""

PROBES = (
    *("prepare.py", "infilling", "battery.py", "continuation", "material.py"),
    *("reconstruction", "drift", "published", "choices", "asking"),
)
"""Inside `diagnosis/probes`, in the same order."""

SEQIO_PACKAGES = {"tensorflow", "seqio", "tensorflow_datasets", "t5", "tensorflow_text"}
WITH_TENSORFLOW = ("tasks/seqio_tasks/", "tasks/corpora/", "tasks/host_tensorflow.py")


class Import(NamedTuple):
    """One import statement.

    Attributes:
      file: that holds it, relative to the root.
      line: number of the line.
      target: file of the package that it names, relative to the root; None outside.
      package: the first name of an absolute import; None inside the package.
    """

    file: Path
    line: int
    target: Path | None
    package: str | None

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.target or self.package}"


def modules() -> list[Path]:
    found = (path for floor in ROOMS for path in (ROOT / floor).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found)


@functools.cache
def imports() -> tuple[Import, ...]:
    return tuple(one for path in modules() for one in _imports(path))


def _imports(path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, None, alias.name.partition(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield Import(path, node.lineno, None, (node.module or "").partition(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = Path(*path.parent.parts[: len(path.parent.parts) - node.level + 1])
            base = base.joinpath(*(node.module or "").split("."))
            for alias in node.names:
                target = _file(base / alias.name) or _file(base)
                assert target, f"{path}:{node.lineno} imports what is not there"
                yield Import(path, node.lineno, target, None)


def _file(path: Path) -> Path | None:
    """The file of a module or package, relative to the root."""
    for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
        if (ROOT / file).is_file():
            return file
    return None


def place(path: Path, order: tuple[str, ...], depth: int) -> int | None:
    """Where the room of a file stands in an order; None for what is in no room."""
    room = path.parts[depth]
    return None if room == "__init__.py" else order.index(room)


def climbs(one: Import, order: tuple[str, ...], depth: int) -> bool:
    """Whether an import inside one folder goes up in its order of rooms."""
    assert one.target is not None
    if one.file.parts[:depth] != one.target.parts[:depth]:
        return False
    here, there = (place(path, order, depth) for path in (one.file, one.target))
    return here is not None and there is not None and there < here


def test_imports_inside_the_package_are_relative():
    assert not [str(one) for one in imports() if one.package == "sightline"]


def test_imports_only_go_down_the_floors():
    inside = [one for one in imports() if one.target]
    floors = tuple(ROOMS)
    assert not [str(one) for one in inside if climbs(one, floors, 0)]


@pytest.mark.parametrize("floor", [floor for floor in ROOMS if ROOMS[floor]])
def test_imports_only_go_down_the_rooms(floor):
    inside = [one for one in imports() if one.target and one.file.parts[0] == floor]
    assert not [str(one) for one in inside if climbs(one, ROOMS[floor], 1)]


def test_imports_only_go_down_the_probes():
    probes = ("diagnosis", "probes")
    inside = [one for one in imports() if one.target and one.file.parts[:2] == probes]
    assert not [str(one) for one in inside if climbs(one, PROBES, 2)]


def test_every_room_is_in_the_order():
    for floor, rooms in ROOMS.items():
        if rooms:
            found = {path.parts[1] for path in modules() if path.parts[0] == floor}
            assert found - {"__init__.py"} == set(rooms)


def test_no_circle_among_files():
    graph: dict[Path, set[Path]] = {path: set() for path in modules()}
    for one in imports():
        if one.target and one.target != one.file:
            graph[one.file].add(one.target)
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, naming it


ALSO_A_MODE = {
    "reconstruction": (
        *("diagnosis/memo/formatting.py", "diagnosis/probes/", "diagnosis/traits/"),
        *("launch/inference/", "objectives/", "tasks/"),
    ),
    "continuation": ("diagnosis/probes/published/catalogue/lambada.py",),
}
"""Where a failure's name is that of an objective, of the mode of its Examples, or of a
field of a published test."""


def test_a_failure_is_named_in_its_own_file_alone():
    room = ROOT / "diagnosis" / "failures"
    shared = {"__init__", "failure", "registry"}
    names = {path.stem for path in room.glob("*.py")} - shared
    assert names
    for path in modules():
        if path.parts[:2] == ("diagnosis", "failures"):
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Constant) and node.value in names:
                allowed = ALSO_A_MODE.get(str(node.value), ())
                named = f"{path}:{node.lineno} names {node.value!r}"
                assert str(path).startswith(allowed), named


def test_tasks_know_the_row_contract_of_models_and_no_more():
    up = [one for one in imports() if one.file.parts[0] == "tasks" and one.target]
    models = [one for one in up if one.target and one.target.parts[0] == "models"]
    assert models
    assert not [str(one) for one in models if one.target != Path("models/rows.py")]


def test_nothing_imports_a_command():
    commands = ("launch", "commands")
    for one in imports():
        if one.target and one.target.parts[:2] == commands:
            shared = one.target.name.startswith("_")
            assert shared and one.file.parts[:2] == commands, str(one)


def test_gin_stays_in_the_configuration():
    found = {one.file for one in imports() if one.package == "gin"}
    assert found == {Path("launch/configuration/statements.py")}


def test_seqio_stays_where_it_runs():
    for one in imports():
        if one.package in SEQIO_PACKAGES:
            assert str(one.file).startswith(WITH_TENSORFLOW), str(one)


def test_objectives_are_numpy_only():
    allowed = {"numpy", "jaxtyping", *sys.stdlib_module_names}
    for one in imports():
        if one.file.parts[0] == "objectives" and one.package:
            assert one.package in allowed, str(one)


LIGHT = [
    "sightline.models.build",
    "sightline.objectives.registry",
    "sightline.tasks.rows.packing",
    "sightline.tasks.rows.layout",
    "sightline.tasks.rows.batches",
    "sightline.tasks.examples.mixture",
    "sightline.tasks.recorded.serve",
    "sightline.launch.training.recorded",
    "sightline.launch.training.train",
    "sightline.launch.configuration.config",
]


def test_no_tensorflow_in_training():
    code = "import sys, importlib\n"
    code += f"for name in {LIGHT}:\n"
    code += "    importlib.import_module(name)\n"
    code += f"    found = {SEQIO_PACKAGES} & set(sys.modules)\n"
    code += "    assert not found, (name, found)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_jax_in_objectives():
    code = (
        "import sys\n"
        "from sightline.objectives import registry\n"
        "registry.objectives()\n"
        "assert 'jax' not in sys.modules, 'jax was imported'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_one_idea_a_file():
    # The loop is one function, and its arguments are what a run can be told.
    longer = {"launch/training/train.py": 400}
    for path in modules():
        lines = len((ROOT / path).read_text().splitlines())
        assert lines <= longer.get(str(path), 300), f"{path} has {lines} lines"


def test_gin_is_no_package():
    # It would shadow gin-config wherever the repo root is on the path.
    assert not list((ROOT / "gin").rglob("__init__.py"))
