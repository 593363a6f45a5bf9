"""Paths that a user gives: wrong ones are one line, odd ones are taken as they are."""

import os

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
    assert "note: t5.gin is the file in the working directory" in error


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
