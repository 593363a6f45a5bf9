"""`--import`: a user's module by name or path, and what is said where it fails."""

import importlib
import sys
import types

import pytest

from sightline.objectives.errors import UsageError
from sightline.tasks import user_modules


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working directory, and no module imported so far."""
    monkeypatch.setattr(user_modules, "_expected", [])
    monkeypatch.setattr(user_modules, "_loaded", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, name, text="SEEN = True\n"):
    (folder / name).write_text(text)


def message_of(name):
    with pytest.raises(UsageError) as raised:
        user_modules.import_modules([name])
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_dotted_name_is_found_in_the_working_directory(folder):
    (folder / "a_team").mkdir()
    write(folder / "a_team", "a_task.py")
    user_modules.import_modules(["a_team.a_task"])
    assert sys.modules["a_team.a_task"].SEEN
    assert user_modules.expected() == ("a_team.a_task",)


def test_a_path_is_a_module_with_its_folder_beside_it(folder):
    (folder / "there").mkdir()
    write(folder / "there", "a_mine.py", "import a_helper_of_mine\n")
    write(folder / "there", "a_helper_of_mine.py")
    user_modules.import_modules(["there/a_mine.py"])
    user_modules.import_modules(["there/a_mine.py"])  # once is enough
    assert sys.modules["a_mine"].a_helper_of_mine.SEEN


def test_installed_modules_win_over_files_of_the_working_directory(folder):
    sys.modules.pop("colorsys", None)
    write(folder, "colorsys.py", "raise SystemExit\n")
    user_modules.import_modules(["colorsys"])
    assert sys.modules["colorsys"].rgb_to_hsv


def test_a_missing_module_names_those_that_are_there(folder):
    write(folder, "my_tasks.py")
    message = message_of("my_task")
    assert "--import=my_task: there is no module 'my_task', installed or in" in message
    assert "did you mean 'my_tasks'?" in message
    assert "there is no file" in message_of("my_task.py")
    assert "there is no module 'my_task'" in message_of("my_task.inner")


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("x = 1\nraise KeyError('no')\n", "a_bad.py:2: KeyError: 'no'"),
        ("import no_such_module\n", "a_bad.py:1: ModuleNotFoundError: No module named"),
        ("def f(:\n", "a_bad.py:1: SyntaxError: invalid syntax"),
        ("import sys\nsys.exit('stop')\n", "a_bad.py:2: SystemExit: stop"),
        ("def f():\n    return 1 / 0\n\nf()\n", "a_bad.py:2: ZeroDivisionError"),
    ],
)
@pytest.mark.parametrize("name", ["a_bad", "a_bad.py"])
def test_a_module_that_fails_is_one_line_with_its_place(folder, text, last, name):
    write(folder, "a_bad.py", text)
    message = message_of(name)
    assert message.startswith(f"--import={name}: ") and last in message
    assert "a_bad" not in sys.modules


def test_a_path_that_would_hide_another_module_is_refused(folder):
    write(folder, "json.py")
    assert "a module named 'json' is loaded already" in message_of("json.py")


def test_the_digest_is_that_of_what_lies_beside_the_modules(folder):
    write(folder, "a_digested.py", "import a_beside\n")
    write(folder, "a_beside.py")
    write(folder, "not_imported.py")
    user_modules.import_modules(["a_digested"])
    before = user_modules.digest()
    write(folder, "not_imported.py", "other\n")
    assert user_modules.digest() == before
    write(folder, "a_beside.py", "OTHER = 1\n")
    assert user_modules.digest() != before


def test_the_digest_is_not_of_what_others_load_beside_the_modules(folder):
    write(folder, "a_mine.py", "import an_installed\nimport sightline.a_part\n")
    for part in ("a_venv/site-packages", "sightline"):
        (folder / part).mkdir(parents=True)
    sys.path.append(str(folder / "a_venv" / "site-packages"))
    write(folder / "a_venv" / "site-packages", "an_installed.py")
    write(folder / "sightline", "a_part.py")
    sightline = sys.modules["sightline"] = types.ModuleType("sightline")
    sightline.__path__ = [str(folder / "sightline")]
    write(folder, "a_late.py")
    user_modules.import_modules(["a_mine.py"])
    before = user_modules.digest()
    importlib.import_module("a_late")
    write(folder / "a_venv" / "site-packages", "an_installed.py", "OTHER = 1\n")
    write(folder / "sightline", "a_part.py", "OTHER = 1\n")
    assert user_modules.digest() == before
    write(folder, "a_mine.py", "OTHER = 1\n")
    assert user_modules.digest() != before


@pytest.mark.parametrize("first", [True, False])
def test_the_digest_is_of_what_a_module_imports_even_if_it_was_loaded(folder, first):
    write(folder, "a_mine.py", "import a_helper\n")
    write(folder, "a_helper.py")
    if first:
        sys.path.append(str(folder))
        importlib.import_module("a_mine")
    user_modules.import_modules(["a_mine"])
    before = user_modules.digest()
    write(folder, "a_helper.py", "OTHER = 1\n")
    assert user_modules.digest() != before


def test_what_is_expected_is_imported_when_it_is_needed(folder):
    write(folder, "a_late.py")
    user_modules.expect(["a_late"])
    assert "a_late" not in sys.modules
    user_modules.load()
    assert "a_late" in sys.modules
