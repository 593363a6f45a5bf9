"""Text files of a path: what is listed, and where a mistake is said to be."""

import gzip
import json
import zipfile

import pytest

from sightline.diagnosis.probes.published.files import data_files
from sightline.objectives.errors import UsageError


def only(path):
    (file,) = data_files(path).files
    return file


def test_lines_and_objects_have_their_numbers_and_blank_ones_are_passed_over(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"a": 1}\n  \n{"a": 2}\n')
    file = only(path)
    assert list(file.lines()) == [(2, '{"a": 1}'), (4, '{"a": 2}')]
    assert list(file.objects()) == [(2, {"a": 1}), (4, {"a": 2})]
    assert file.first_object == {"a": 1}


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("text", ["{", "[" * 200_000])
def test_a_first_line_that_is_no_json_is_refused_at_its_own_line(tmp_path, blank, text):
    path = tmp_path / "a.jsonl"
    path.write_text("\n" * blank + text)
    with pytest.raises(UsageError, match=rf"line {blank + 1}: no JSON in UTF-8 \("):
        only(path).first_object  # noqa: B018


def test_a_later_line_that_is_no_json_is_told_from_one_that_is_no_object(tmp_path):
    path = tmp_path / "a.jsonl"
    for line, message in (
        ("{", r"line 2: no JSON in UTF-8 \("),
        ("3", "no JSON object"),
    ):
        path.write_text(f"{{}}\n{line}")
        with pytest.raises(UsageError, match=message):
            list(only(path).objects())


def test_only_json_lines_have_a_first_object(tmp_path):
    for name, text in (("a.txt", '{"a": 1}'), ("b.jsonl", "[1]"), ("c.jsonl", "3")):
        (tmp_path / name).write_text(text)
        assert only(tmp_path / name).first_object == {}


def test_a_byte_order_mark_is_no_text_of_the_first_line_and_one_of_the_others(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa\n\ufeffb".encode())
    assert only(path).first == "a"
    assert list(only(path).lines()) == [(1, "a"), (2, "\ufeffb")]


def test_a_line_that_is_not_utf8_is_refused_with_its_number(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n\nb\xff\n")
    with pytest.raises(UsageError, match=r"a\.txt, line 3: not UTF-8; save"):
        list(only(path).lines())


def test_what_is_empty_or_no_text_is_listed_apart(tmp_path):
    for name, content in {
        "empty.jsonl": b"",
        "blank.txt": b" \n\n",
        "picture.png": b"x",
        "b.txt": b"text",
        "sub/a.csv.gz": gzip.compress(b"a,b"),
        "a.json": b"{}",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    listing = data_files(tmp_path)
    assert [file.name for file in listing.files] == ["b.txt", "sub/a.csv"]
    assert listing.others == ("a.json", "blank.txt", "empty.jsonl", "picture.png")
    assert listing.files[1].parts == ("sub", "a")
    assert listing.files[1].shown == str(tmp_path / "sub" / "a.csv.gz")


def test_a_file_of_an_archive_is_shown_with_it(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("in/B.txt", "text")
    assert only(path).shown == f"{path}: in/B.txt"
    assert only(path).parts == ("in", "b")
    single = tmp_path / "one.txt"
    single.write_text("text")
    assert only(single).shown == str(single)


@pytest.mark.parametrize("name", ["a.tgz", "a.txz", "a.tar.gz", "a.tar", "a.whl"])
def test_every_kind_of_archive_is_opened_as_one(tmp_path, name):
    (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(UsageError, match=rf"{name} is broken \((.|\n)*fetch it again"):
        data_files(tmp_path / name)


def test_what_cannot_be_read_says_so(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("text")
    file = only(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match=r"a\.txt cannot be read \(.*another path"):
        list(file.lines())


def test_objects_may_be_read_again(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps({"a": 1}).encode()))
    assert list(only(path).objects()) == list(only(path).objects()) == [(1, {"a": 1})]
