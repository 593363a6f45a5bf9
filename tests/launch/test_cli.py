"""The command line: help at once, one clean message for a mistake."""

import subprocess
import sys
import time

import pytest

from sightline.launch import cli


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "sightline.launch.cli", *words],
        capture_output=True,
        text=True,
    )


def test_help_is_quick_and_light():
    begin = time.perf_counter()
    done = run("--help")
    assert time.perf_counter() - begin < 1.0  # 0.1 s where nothing else runs
    assert done.returncode == 0
    assert all(name in done.stdout for name in cli.commands())


def test_the_command_line_imports_nothing_heavy():
    code = (
        "import sys, sightline.launch.cli, sightline.launch.commands.train as t\n"
        "assert not {'jax', 'tensorflow', 'gin', 'numpy'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_mistake_is_one_line_and_status_2():
    done = run("train", "--gin_file=quickstrat.gin", "--run_dir=unused")
    assert done.returncode == 2
    assert done.stderr.startswith("sightline: no gin file 'quickstrat.gin'; did you")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words, message",
    [
        (["tran"], "no command 'tran'; did you mean 'train'"),
        (
            ["train", "--gin_file=a", "--run_dir=b", "--gin_fil=c"],
            "no option '--gin_fil'; did you mean '--gin_file'",
        ),
        (["doctor", "--verbose"], "no option '--verbose'"),
    ],
)
def test_unknown_words_name_the_nearest(capsys, words, message):
    assert cli.main(words) == 2
    assert message in capsys.readouterr().err


def test_an_unexpected_error_keeps_its_traceback(monkeypatch, capsys):
    monkeypatch.setitem(cli.commands(), "train", ("", "json"))
    monkeypatch.setattr(
        cli.importlib, "import_module", lambda *_: (_ for _ in ()).throw(ValueError(1))
    )
    assert cli.main(["train"]) == 1
    assert "Traceback" in capsys.readouterr().err
