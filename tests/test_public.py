"""The public surface: named, documented on one page, and working as written there."""

import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "api.md"
PACKAGES = ("", ".objectives", ".models", ".tasks", ".diagnosis")


@pytest.mark.unchecked
def test_the_page_runs_as_it_is_written(make_run, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    run = make_run(tmp_path)
    run.rename(tmp_path / "runs" / "mine")
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(
        str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS
    )
    assert tried > 20 and failed == 0


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_on_the_page(package):
    module = importlib.import_module(f"sightline{package}")
    section = PAGE.read_text().split(f"## `sightline{package}`")[1].split("\n## ")[0]
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        value = getattr(module, name)
        assert inspect.getdoc(value), name
        assert f"`{name}" in section, name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("package", "absent"),
    [
        ("", "tensorflow"),
        (".objectives", "jax"),
        (".models", "tensorflow"),
        (".tasks", "tensorflow"),
        (".diagnosis", "tensorflow"),
    ],
)
def test_importing_is_light(package, absent):
    code = (
        "import sys\n"
        f"import sightline{package} as package\n"
        "assert 'numpy' not in sys.modules\n"
        "for name in package.__all__:\n"
        "    getattr(package, name)\n"
        f"assert {absent!r} not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
