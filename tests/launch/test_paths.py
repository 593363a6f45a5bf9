"""Paths that a user gives: wrong ones are one line, odd ones are taken as they are."""

import os
import re

import pytest

from sightline.launch import cli

ODD = ["a [1]", "b*", "c?", "d{x,y}", "e#1", "f%41", "g h", "größe", "文"]
GIN = "Mixture.name = 'm'\nMixture.rates = {'policies.causal': 1}\n"


def run(capsys, *words):
    status = cli.main(list(words))
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x7fELF\x02\x01\xff\xfe", "it is not UTF-8 text"),
        (GIN.encode("utf-16"), "it is not UTF-8 text"),
        (GIN.encode("utf-16-le"), "NUL bytes"),
    ],
)
def test_a_gin_file_that_is_no_text(tmp_path, capsys, content, message):
    path = tmp_path / "x.gin"
    path.write_bytes(content)
    status, error = run(capsys, "mix", "preview", f"--gin_file={path}")
    assert status == 2 and error.count("\n") == 1
    assert message in error and str(path) in error


def test_a_byte_order_mark_is_no_part_of_a_gin_file(tmp_path, capsys):
    path = tmp_path / "x.gin"
    path.write_bytes(b"\xef\xbb\xbf" + GIN.encode() + b"x.y = 1\n")
    status, error = run(capsys, "mix", "preview", f"--gin_file={path}")
    assert status == 2 and "x.gin:3" in error and "'x'" in error


def test_a_shipped_name_that_is_shadowed_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t5.gin").write_text("Mixture.nam = 1\n")
    status, error = run(capsys, "mix", "preview", "--gin_file=t5.gin")
    assert status == 2
    assert f"note: t5.gin is {tmp_path / 't5.gin'}, not the shipped" in error


@pytest.mark.parametrize(
    "words",
    [
        ["mix", "preview", "--gin_file=five.gin", "--html=/proc/none/x.html"],
        ["mix", "preview", "--gin_file=five.gin", "--html=/proc"],
        ["corpus", "policies", "--documents=2", "--out=/proc/none"],
        ["diagnose", "/proc/none", "--out=out"],
        ["diagnose", "--gin_file=five.gin", "--out=out", "--failures=/proc/x.csv"],
        ["audit", "--run_dir=/proc/none"],
        ["mix", "show", "--gin_file=/proc/none.gin"],
        ["mix", "show", "--gin_file=/proc"],
    ],
)
def test_a_path_that_cannot_be_used_is_one_line(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, error = run(capsys, *words)
    assert status == 2, error
    assert error.startswith("sightline: ") and error.count("\n") == 1
    assert "/proc" in error


FIVE = "--gin_file=five.gin"


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["mix", "preview", FIVE, "--html="], "--html"),
        (["mix", "show", FIVE, "--recording", ""], "--recording"),
        (["mix", "show", "--gin_file="], "--gin_file"),
        (["record", FIVE, "--out="], "--out"),
        (["train", FIVE, "--run_dir="], "--run_dir"),
        (["train", FIVE, "--run_dir=x", "--copy_to="], "--copy_to"),
        (["tune", "confirm", FIVE, "--recommendation=", "--out=x"], "--recommendation"),
        (["export", "x", "--format=hf", "--out="], "--out"),
        (["status", ""], "RUN"),
        (["audit", FIVE, "--import="], "--import"),
    ],
)
def test_an_empty_path_is_said_to_be_empty(
    words, option, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    status, error = run(capsys, *words)
    assert status == 2 and error.count("\n") == 1
    assert error.startswith(f"sightline: {option} is empty; give ")
    assert list(tmp_path.iterdir()) == []


FOLDERS = {
    "record": ["record", FIVE, "--rows=1", "--gin.train.seed=0", "--out"],
    "export": ["export", "x", "--format=hf", "--out"],
    "import": ["import", "hf:x", "--out"],
    "corpus": ["corpus", "policies", "--documents=2", "--out"],
    "diagnose": ["diagnose", FIVE, "--out"],
    "audit": ["audit", FIVE, "--pictures"],
    "study": ["study", "--gin_file=three_failures.gin", "--out"],
    "train": ["train", "--gin_file=quickstart.gin", "--run_dir"],
}


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize(
    ("given", "said"),
    [("file", r"'file'.* is a file"), ("/proc/x", "'/proc/x'")],
)
def test_a_folder_that_cannot_be_made_is_named_as_it_was_given(
    given, said, name, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    *words, option = FOLDERS[name]
    status, error = run(capsys, *words, f"{option}={given}")
    assert status == 2 and re.search(said, error) and error.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("how", ["named", "included"])
def test_a_folder_in_place_of_a_gin_file_is_said_to_be_one(
    how, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "x.gin").write_text("include 'mine'\n")
    name = "mine" if how == "named" else "x.gin"
    status, error = run(capsys, "mix", "show", f"--gin_file={name}")
    assert status == 2 and "'mine' is a folder, and no gin file" in error


def test_an_error_of_the_file_system_is_the_users_where_the_path_is(
    capsys, tmp_path, monkeypatch
):
    def fails(path):
        def main(words):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr("sightline.launch.commands.doctor.main", main)

    fails(tmp_path / "mine")
    status, error = run(capsys, "doctor")
    assert status == 2 and str(tmp_path / "mine") in error and error.count("\n") == 1
    fails(os.path.join(os.path.dirname(cli.__file__), "preview.html"))
    status, error = run(capsys, "doctor")
    assert status == 1 and "Traceback" in error


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RuntimeError("x")])
def test_a_bug_keeps_its_traceback(error, capsys, monkeypatch):
    def main(words):
        raise error

    monkeypatch.setattr("sightline.launch.commands.doctor.main", main)
    status, message = run(capsys, "doctor")
    assert status == 1 and "Traceback" in message


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_taken_as_they_are(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"{name}.gin").write_text(GIN)
    gin = f"--gin_file={folder / name}.gin"
    out = folder / f"{name}.html"
    assert cli.main(["mix", "preview", gin, f"--html={out}"]) == 0
    assert out.read_text().startswith("<!doctype html>")
    words = ["corpus", "policies", "--documents=2", f"--out={folder / 'out'}"]
    assert cli.main(words) == 0
    assert (folder / "out" / "train.jsonl").exists()


def test_both_forms_of_a_binding(capsys):
    words = ["corpus", "policies", "--documents=2"]
    for binding in (["--gin.policies.seed=3"], ["--gin.policies.seed", "3"]):
        assert cli.main([*words, *binding]) == 0
    status, error = run(capsys, *words, "--gin.policies.seed")
    assert status == 2 and "write --gin.policies.seed=VALUE" in error


@pytest.mark.parametrize("place", ["/proc/none", __file__])
def test_a_data_folder_that_cannot_be_is_told_before_anything_is_made(
    place, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", place)
    run_dir = tmp_path / "run"
    status, error = run(
        capsys, "train", "--gin_file=quickstart.gin", f"--run_dir={run_dir}"
    )
    assert status == 2, error
    assert "set SIGHTLINE_DATA_DIR to another folder" in error
    assert place in error and not run_dir.exists()
