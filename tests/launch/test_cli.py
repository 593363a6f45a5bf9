"""The command line: help at once, one clean message for a mistake."""

import os
import subprocess
import sys
import time

import pytest

from sightline import __version__
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


@pytest.mark.parametrize("name", cli.commands())
def test_every_command_explains_itself(capsys, name):
    try:
        status = cli.main([*name.split(), "--help"])
    except SystemExit as left:  # argparse leaves in its own way
        status = left.code
    assert status == 0
    assert f"sightline {name} " in capsys.readouterr().out


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


def test_the_package_runs_and_says_its_version():
    code = [sys.executable, "-m", "sightline", "--version"]
    done = subprocess.run(code, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"sightline {__version__}\n")


def test_a_reader_that_leaves_is_no_error_of_ours():
    code = f"{sys.executable} -m sightline --help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    # Help may be written before the reader leaves.
    assert done.stdout in ("141\n", "0\n") and not done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line():
    code = f"{sys.executable} -m sightline --help > /dev/full"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "sightline: standard output cannot be written: No space left on device.\n"
    )
