"""The house: imports go down the floors, TensorFlow and gin stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("objectives", "models", "tasks", "diagnosis", "launch")
"""From the bottom up; a floor that is not built yet is skipped."""

SIDEWAYS = {
    ("tasks", "models"): {"rows"},
}
"""Of a floor below, what may be imported where that is not everything."""

SEQIO_PACKAGES = {"tensorflow", "seqio", "tensorflow_datasets", "t5", "tensorflow_text"}


def modules():
    return sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imports(path):
    """What a module imports: absolute names, relative ones resolved to the root."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, (alias.name,)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                yield node, ((node.module or ""),)
                continue
            base = package[: len(package) - (node.level - 1)]
            parts = (*base, *(node.module or "").split(".")) if node.module else base
            names = [alias.name for alias in node.names]
            yield node, (".", *parts, *(() if node.module else names[:1]))


def floor_of(path):
    return path.relative_to(ROOT).parts[0]


def ids(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules(), ids=ids)
def test_imports_only_go_down(path):
    own = FLOORS.index(floor_of(path))
    for node, target in imports(path):
        assert not target[0].startswith("sightline"), (
            f"{path}:{node.lineno}: inside the package, imports are relative"
        )
        if target[0] != ".":
            continue
        floor = target[1]
        assert floor in FLOORS, f"{path}:{node.lineno}: {floor} is no floor"
        assert FLOORS.index(floor) <= own, f"{path}:{node.lineno}: {floor} is above"
        allowed = SIDEWAYS.get((floor_of(path), floor))
        if allowed is not None:
            assert target[2] in allowed, f"{path}:{node.lineno}: only the row contract"


@pytest.mark.parametrize("path", modules(), ids=ids)
def test_gin_stays_in_the_config(path):
    for node, (first, *_) in imports(path):
        if first.partition(".")[0] == "gin":
            assert ids(path) == "launch/config.py", f"{path}:{node.lineno} imports gin"


@pytest.mark.parametrize("path", modules(), ids=ids)
def test_seqio_stays_in_tasks(path):
    for node, (first, *_) in imports(path):
        if first.partition(".")[0] in SEQIO_PACKAGES:
            assert floor_of(path) == "tasks", f"{path}:{node.lineno} imports {first}"


def test_objectives_are_numpy_only():
    allowed = {"numpy", "jaxtyping", *sys.stdlib_module_names}
    for path in (ROOT / "objectives").rglob("*.py"):
        for node, (first, *_) in imports(path):
            root = first.partition(".")[0]
            assert first == "." or root in allowed, f"{path}:{node.lineno}: {first}"


LIGHT = [
    "sightline.models.build",
    "sightline.objectives.registry",
    "sightline.tasks.packing",
    "sightline.tasks.layout",
    "sightline.tasks.pipeline",
    "sightline.tasks.mixture",
    "sightline.launch.train",
    "sightline.launch.config",
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
    for path in modules():
        lines = len(path.read_text().splitlines())
        assert lines <= 250, f"{ids(path)} has {lines} lines"


def test_gin_is_no_package():
    # It would shadow gin-config wherever the repo root is on the path.
    assert not list((ROOT / "gin").rglob("__init__.py"))
