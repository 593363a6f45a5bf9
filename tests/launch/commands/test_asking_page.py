"""docs/asking.md: every command of it runs as written, and its table is the code's."""

import io
import re
import shlex
from pathlib import Path

import pytest

from sightline.launch.cli import main
from sightline.launch.inference.modes import MODES

pytestmark = pytest.mark.unchecked

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "asking.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("page")
    (path / "runs").mkdir()
    (path / "runs" / "mine").symlink_to(run)
    (path / "in.jsonl").write_text('{"prompt": "The team"}\n')
    (path / "other.gin").write_text(
        "Mixture.name = 'other'\nMixture.rates = {'policies.causal': 1}\n"
        "Mixture.vocabulary = 'policies'\n"
        "policies.train_documents = 60\npolicies.validation_documents = 24\n"
    )
    return path


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_runs(line, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    program, *arguments = shlex.split(line)
    assert program == "sightline"
    assert main(arguments) == 0, capsys.readouterr().err


def test_the_page_names_every_mode_and_its_forms():
    assert len(COMMANDS) == 10
    for mode in MODES.values():
        (row,) = re.findall(rf"^\| `{mode.name}` \|.*$", PAGE, re.MULTILINE)
        keys, forms = row.split("|")[2], row.split("|")[4]
        assert re.findall(r"`(\w+)`", keys) == list(mode.keys)
        named = re.findall(r"`([\w.]+)`", forms)
        assert [name for name in named if "." not in name] == list(mode.forms)
