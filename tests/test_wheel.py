"""What is built holds what is needed, seen from another directory."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {
    *(".git", ".venv", ".ci", "build", "dist", "runs", "shared", "tests"),
    *("__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis"),
}

BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # setuptools changes sys.argv
build_meta.build_wheel(out)
build_meta.build_sdist(out)
"""

LOOK = """
import pathlib, sys
import sightline
from sightline.launch.configuration import files as gin_files
from sightline.objectives import registry
from sightline.tasks import corpora
root = pathlib.Path(sightline.__file__).parent
assert root == pathlib.Path(sys.argv[1], "sightline"), root
assert (root / "__main__.py").exists()
assert "runs/quickstart.gin" in gin_files.shipped(), gin_files.shipped()
assert gin_files.find("quickstart.gin").is_relative_to(root)
assert len(registry.objectives()) >= 5
assert "python_docs" in corpora.names()
assert len(list((root / "tasks" / "tokens" / "vocabularies").glob("*.model"))) >= 2
assert (root / "launch" / "terminal" / "preview.html").exists()
assert len(list((root / "launch" / "pods").rglob("*.j2"))) >= 5
assert (root / "diagnosis" / "results" / "studies" / "three_failures.json").exists()
import sightline.diagnosis.audit.declared
assert (root / "py.typed").exists()
assert not (root / "tests").exists()
import gin
assert not pathlib.Path(gin.__file__).is_relative_to(root), gin.__file__
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A wheel and an sdist, made from a copy, without a network or isolation."""
    source = tmp_path_factory.mktemp("source") / "sightline"
    shutil.copytree(ROOT, source, ignore=_outside)
    out = tmp_path_factory.mktemp("out")
    subprocess.run(
        [sys.executable, "-c", BUILD, str(out)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    return out


def _outside(folder, names):
    """What is no source; by its name at the top, gin/runs is."""
    if Path(folder) != ROOT:
        return {"__pycache__"}.intersection(names)
    return {name for name in names if name in OUTSIDE or name.endswith(".egg-info")}


def test_the_wheel_works_from_another_directory(built, tmp_path):
    (wheel,) = built.glob("sightline-*.whl")
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code = f"import sys; sys.path.insert(0, {str(target)!r})\n{LOOK}"
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)],
        cwd=elsewhere,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_sdist_has_the_same_files(built):
    (archive,) = built.glob("sightline-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    for path in (
        *ROOT.glob("gin/**/*.gin"),
        *ROOT.glob("tasks/tokens/vocabularies/*.model"),
        *ROOT.glob("launch/terminal/*.html"),
        *ROOT.glob("diagnosis/results/*.json"),
        *(
            path
            for floor in ("objectives", "models", "tasks", "diagnosis", "launch")
            for path in ROOT.glob(f"{floor}/**/*.py")
        ),
    ):
        assert str(path.relative_to(ROOT)) in names
