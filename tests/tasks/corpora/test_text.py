"""The corpus `text`: what is read is what was written, and what is bad is named."""

import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from sightline.objectives.errors import UsageError
from sightline.tasks import corpora
from sightline.tasks.corpora import (
    _text_builder as builder,
    _text_files as text_files,
    text as text_corpus,
)
from sightline.tasks.user_folder import user_folder

TEXTS = st.text(min_size=1, max_size=60).filter(str.strip)
NAMES = st.sampled_from(["a", "b", "sub/a", "sub/deeper/é", "Z"])
FILES = st.dictionaries(
    st.tuples(
        NAMES, st.sampled_from([".txt", ".jsonl", ".TXT", ".txt.gz", ".jsonl.gz"])
    ),
    st.lists(TEXTS, min_size=1, max_size=6),
    min_size=1,
    max_size=4,
)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "papers"
    made.mkdir()
    return made


@pytest.fixture
def prepared_in(data_dir):
    """The names in the folder where text is prepared."""
    root = data_dir / "text"

    def names():
        return sorted(path.name for path in root.iterdir()) if root.is_dir() else []

    return names


def put(folder, name, data):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, str):
        data = data.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)


def lines(*texts, key="text", end="\n"):
    return end.join(json.dumps({"id": 1, key: text}) for text in texts) + end


def read(folder, **options):
    """Both splits of the corpus; one may have no document."""
    corpus = corpora.get("text", folder=str(folder), **options)
    found = {}
    for split in corpus.splits:
        try:
            found[split] = list(corpus.documents(split))
        except ValueError as error:
            if "is in the split" not in str(error):
                raise
            found[split] = []
    return found


def read_all(folder, **options):
    return [text for texts in read(folder, **options).values() for text in texts]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES, st.sampled_from(["\n", "\r\n", "\n\n", "\n \t\n"]), st.booleans())
def test_documents_are_those_that_were_written(files, end, mark):
    with tempfile.TemporaryDirectory() as made:
        expected = []
        for (name, ending), texts in files.items():
            whole = not ending.startswith(".jsonl")
            content = "".join(texts) if whole else lines(*texts, end=end)
            if not whole:
                expected += texts
            else:
                expected.append(content.removeprefix("\ufeff").replace("\r\n", "\n"))
            put(Path(made), name + ending, ("\ufeff" if mark else "") + content)
            if whole and mark:  # only one mark is dropped
                expected[-1] = content.replace("\r\n", "\n")
        expected = [text for text in expected if text.strip()]
        assert sorted(read_all(made, bad="skip")) == sorted(expected)


def test_json_that_is_not_escaped_and_a_last_line_without_its_end(folder):
    put(folder, "a.jsonl", '{"text": "one\u2028line\x85é"}\n\n{"text": "two"}')
    assert sorted(read_all(folder)) == ["one\u2028line\x85é", "two"]


def test_windows_line_ends_are_read_as_line_feeds(folder):
    put(folder, "a.txt", "one\r\ntwo\r\n\rthree")
    put(folder, "b.jsonl", lines("one\r\ntwo"))  # a string is as it is
    assert sorted(read_all(folder)) == ["one\n" + "two\n\rthree", "one\r\ntwo"]


def test_another_key(folder):
    put(folder, "a.jsonl", lines("one", "two", key="body"))
    assert sorted(read_all(folder, key="body")) == ["one", "two"]


BAD = {
    "not UTF-8": [
        ("a.txt", b"one\ntwo \xff\n", r"a\.txt:2: byte 5 of the line, 0xff"),
        ("a.txt", b"\xef\xbb\xbfone \xc3(", r"a\.txt:1: byte 8 of the line, 0xc3"),
        ("a.txt", "one".encode("utf-16"), r"a\.txt:1: byte 1 .* as UTF-16 does"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xe9"}', r"a\.jsonl:2: byte 11 of"),
        ("a.txt.gz", b"one\n\xff", r"a\.txt\.gz:2: byte 1 of the line, 0xff"),
    ],
    "empty": [
        ("a.txt", b"", r"a\.txt:1: the file has no text"),
        ("a.txt", b" \n\t\r\n", r"a\.txt:1: the file has no text"),
        ("a.txt", b"\xef\xbb\xbf", r"a\.txt:1: the file has no text"),
        ("a.jsonl", b"", r"a\.jsonl:1: the file has no line"),
        ("a.jsonl", b"\n \n", r"a\.jsonl:1: the file has no line"),
        ("a.jsonl.gz", b"", r"a\.jsonl\.gz:1: the file has no line"),
        ("a.jsonl", b'{"text": "a"}\n{"text": " "}', r"a\.jsonl:2: the text under"),
    ],
    "not JSON": [
        ("a.jsonl", b'{"text": "a"}\n\n{"text": ', r":3: .* value .column 10."),
        ("a.jsonl", b"[" * 100_000, r"a\.jsonl:1: the line cannot be read as JSON"),
        ("a.jsonl", b'{"text": "a", "n": ' + b"1" * 9_999 + b"}", r":1: the line ca"),
    ],
    "not an object": [
        ("a.jsonl", b'["text"]', r"a\.jsonl:1: the line is a JSON list, not an obj"),
        ("a.jsonl", b'"text"', r"a\.jsonl:1: the line is a JSON string"),
    ],
    "without the key": [
        ("a.jsonl", b'{"texts": "a"}', r":1: no key 'text'; did .*'texts'.*text\.key"),
        ("a.jsonl", b"{}", r":1: no key 'text'; there are none\. Set text\.key"),
    ],
    "no string": [
        ("a.jsonl", b'{"text": null}', r":1: the value of 'text' is a null, not a"),
        ("a.jsonl", b'{"text": 1.5}', r":1: the value of 'text' is a number"),
        ("a.jsonl", b'{"text": ["a"]}', r":1: the value of 'text' is a list"),
    ],
    "not Unicode": [
        ("a.jsonl", rb'{"text": "a\ud800b"}', r":1: character 2 of .* surrogate pair"),
    ],
}
CASES = [(kind, *case) for kind, cases in BAD.items() for case in cases]


@pytest.mark.parametrize(("kind", "name", "data", "message"), CASES)
def test_a_bad_document_is_an_error_or_a_counted_skip(
    kind, name, data, message, folder, prepared_in, capfd
):
    put(folder, "good.txt", "good")
    put(folder, name, data)
    before = prepared_in()
    with pytest.raises(ValueError, match=message) as raised:
        read(folder)
    assert "set text.bad = 'skip'" in str(raised.value)
    assert prepared_in() == before
    found = read_all(folder, bad="skip")
    assert "good" in found and set(found) <= {"good", "a"}
    (made,) = set(prepared_in()) - set(before)
    summary = json.loads((data_of(made) / "prepared.json").read_text())
    assert [summary["skipped"][kind]["number"], len(summary["skipped"])] == [1, 1]
    said = capfd.readouterr().err
    total = len(found) + 1
    assert said.startswith(
        f"text: skipped 1 of {total} documents of {folder}: 1 {kind}"
    )
    assert said.count("\n") == 1  # once, though both splits were opened
    assert f"(first: {folder / name}:" in said


def data_of(name):
    return user_folder() / "text" / name


def test_skips_are_counted_by_kind(folder, capfd):
    put(folder, "a.jsonl", lines("good", "", " ") + '{"body": 1}\n{"text": 1}\n')
    put(folder, "b.txt", b"\xff")
    assert read_all(folder, bad="skip") == ["good"]
    assert (
        f"skipped 5 of 6 documents of {folder}: 2 empty (first: {folder}/a.jsonl:2); "
        f"1 without the key (first: {folder}/a.jsonl:4); "
        f"1 no string (first: {folder}/a.jsonl:5); "
        f"1 not UTF-8 (first: {folder}/b.txt:1)."
    ) in capfd.readouterr().err


def test_skips_are_told_every_time(folder):
    put(folder, "good.txt", "good")
    put(folder, "b.txt", b"\xff")
    put(folder, "c.pdf", "x")
    corpus = corpora.get("text", folder=str(folder), bad="skip")
    assert corpus.unread() == "1 .pdf"  # the documents have not been read yet
    corpus.documents("train")
    assert corpus.unread() == "1 .pdf, 1 bad document (1 not UTF-8)"
    for name in ("d.txt", "e.txt.gz"):
        put(folder, name, b"")
    for _ in range(2):
        corpus.documents("train")
        told = "1 .pdf, 3 bad documents (1 not UTF-8; 2 empty)"
        assert corpus.unread() == told


def test_nothing_good_is_an_error(folder, prepared_in):
    put(folder, "a.txt", "")
    before = prepared_in()
    with pytest.raises(
        ValueError, match=r"no document that can be used\. skipped 1 of"
    ):
        corpora.get("text", folder=str(folder), bad="skip").documents("train")
    assert prepared_in() == before


@pytest.mark.parametrize("bad", ["error", "skip"])
@pytest.mark.parametrize("damage", ["cut", "changed", "garbage", "not gzip"])
def test_a_damaged_archive_is_always_an_error(folder, damage, bad, prepared_in):
    packed = gzip.compress(lines(*map(str, range(3000))).encode(), mtime=0)
    middle = len(packed) // 2
    damaged = {
        "cut": packed[:middle],
        "changed": packed[:-6] + bytes([packed[-6] ^ 255]) + packed[-5:],  # the sum
        "garbage": packed + b"garbage",
        "not gzip": b'{"text": "a"}\n',
    }[damage]
    (folder / "a.jsonl.gz").write_bytes(damaged)
    before = prepared_in()
    with pytest.raises(
        ValueError, match=r"papers/a\.jsonl\.gz is cut short or damaged"
    ):
        read(folder, bad=bad)
    assert prepared_in() == before


def test_a_document_above_the_limit_is_bad_and_the_next_one_good():
    data = lines("a" * 100, "b" * 5, "c" * 300, "d").encode()
    found = list(
        text_files.documents(io.BytesIO(data), "a.jsonl", key="text", largest=60)
    )
    assert [(item.line, getattr(item, "kind", "good")) for item in found] == [
        (1, "too large"),
        (2, "good"),
        (3, "too large"),
        (4, "good"),
    ]
    whole = io.BytesIO(gzip.compress(b"a" * 61))
    (only,) = text_files.documents(whole, "a.txt.gz", key="text", largest=60)
    assert only.kind == "too large" and "the file is above 60 bytes" in only.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"text\.folder is not set; .*text\.folder = 'papers'"),
        (
            {"folder": "nowhere"},
            r"text\.folder 'nowhere' does not exist \(/.*nowhere\)",
        ),
        ({"folder": __file__}, r"is a file"),
    ],
)
def test_no_folder_is_an_error(options, message):
    corpus = corpora.get("text", **options)
    for use in (corpus.check, lambda: corpus.documents("train")):
        with pytest.raises(ValueError, match=message):
            use()


def test_a_folder_without_text_is_an_error_that_says_what_is_there(folder):
    for name in ("a.pdf", "sub/b.pdf", "README", ".hidden.txt"):
        put(folder, name, "x")
    with pytest.raises(
        ValueError, match=r"there is 2 \.pdf, 1 hidden, 1 without an ending below"
    ):
        corpora.get("text", folder=str(folder)).check()


@pytest.mark.parametrize("percent", [-1, 100, float("nan")])
def test_a_percentage_out_of_range_is_an_error(percent):
    with pytest.raises(ValueError, match=r"validation_percent is .* within \[0, 100\)"):
        corpora.get("text", validation_percent=percent)


def test_links_are_followed_and_nothing_is_read_twice(folder, tmp_path):
    put(folder, "a.txt", "a")
    put(tmp_path, "elsewhere/b.txt", "b")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "linked_again").symlink_to(tmp_path / "elsewhere")
    (folder / "circle").symlink_to(folder)
    (folder / "z.txt").symlink_to(folder / "a.txt")
    assert sorted(read_all(folder)) == ["a", "b"]
    (folder / "broken.txt").symlink_to(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"broken\.txt is a link to nothing"):
        read(folder)


def test_the_split_is_a_hash_so_that_adding_files_moves_nothing(folder):
    put(folder, "m.jsonl", lines(*(f"m{n}" for n in range(400))))
    before = read(folder, validation_percent=10)
    assert 20 <= len(before["validation"]) <= 60
    put(folder, "a.jsonl", lines(*(f"a{n}" for n in range(400))))
    put(folder, "m.jsonl.gz", lines(*(f"m{n}" for n in range(400))))
    (folder / "m.jsonl").unlink()
    after = read(folder, validation_percent=10)
    for split, texts in before.items():
        assert {t for t in after[split] if t.startswith("m")} == set(texts)
    assert len(after["train"] + after["validation"]) == 800


@pytest.mark.parametrize("documents", [2, 3, 20])
def test_of_two_documents_one_is_held_out(folder, documents):
    put(folder, "a.jsonl", lines(*map(str, range(documents))))
    found = read(folder, validation_percent=1e-9)
    assert [len(found["train"]), len(found["validation"])] == [documents - 1, 1]
    place = {str(n): builder.place_of("a.jsonl", n + 1) for n in range(documents)}
    assert found["validation"] == [min(place, key=place.__getitem__)]


def test_a_split_without_documents_is_an_error(folder):
    put(folder, "a.txt", "only")
    corpus = corpora.get("text", folder=str(folder), validation_percent=99.9)
    assert list(corpus.documents("train")) == ["only"]
    with pytest.raises(ValueError, match=r"in the split 'validation'; all are in 'tra"):
        corpus.documents("validation")
    put(folder, "b.txt", "second")
    corpus = corpora.get("text", folder=str(folder), validation_percent=0)
    assert len(corpus.documents("train")) == 2
    with pytest.raises(ValueError, match=r"text\.validation_percent = 0\. Change it"):
        corpus.documents("validation")
    with pytest.raises(ValueError, match="no split 'test'"):
        corpus.documents("test")


def test_a_change_prepares_anew_and_no_change_does_not(folder, prepared_in):
    put(folder, "a.txt", "old")
    first = prepared_in()
    assert read_all(folder) == ["old"]
    second = prepared_in()
    assert len(second) == len(first) + 1
    assert read_all(folder) == ["old"] and prepared_in() == second
    put(folder, "a.txt", "new")
    os.utime(folder / "a.txt", ns=(1, 1))
    assert read_all(folder) == ["new"]
    put(folder, "a.txt", "won")  # as long
    os.utime(folder / "a.txt", ns=(2, 1 + 1))
    assert read_all(folder) == ["won"]
    put(folder, "b.jsonl", lines("more"))
    assert sorted(read_all(folder)) == ["more", "won"]


def test_other_settings_prepare_anew(folder):
    text = '{"text": "t", "body": "b"}\n'
    put(folder, "a.jsonl", text * 40)
    assert set(read_all(folder)) == {"t"}
    assert set(read_all(folder, key="body")) == {"b"}
    sizes = [len(read(folder, validation_percent=p)["validation"]) for p in (5, 60)]
    assert sizes[0] < 10 < sizes[1]


def test_a_change_meanwhile_is_an_error(folder, prepared_in, monkeypatch):
    put(folder, "a.txt", "a")
    before = prepared_in()

    def changing(*args, **options):
        put(folder, "b.txt", "b")
        return read_one(*args, **options)

    read_one = text_files.documents
    monkeypatch.setattr(builder, "documents", changing)
    with pytest.raises(ValueError, match="changed while they were read"):
        read(folder)
    assert prepared_in() == before


PREPARE = """
import signal, sys, time
from pathlib import Path
from sightline.tasks import corpora
# Ignored where the tests run in the background of a shell.
signal.signal(signal.SIGINT, signal.default_int_handler)
from sightline.tasks.corpora import _text_builder as builder
folder, ready, others = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
real = builder._write
def write(*args):
    made = real(*args)
    ready.touch()  # both have written, neither has renamed
    while len(list(ready.parent.glob("ready*"))) < others: time.sleep(0.01)
    return made
builder._write = write
print(sorted(corpora.get("text", folder=str(folder)).documents("train")))
"""


def start(folder, ready, others, data):
    return subprocess.Popen(
        [sys.executable, "-c", PREPARE, str(folder), str(ready), str(others)],
        env={**os.environ, "SIGHTLINE_DATA_DIR": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_that_prepare_at_once_both_succeed(folder, tmp_path):
    put(folder, "a.jsonl", lines("a", "b", "c"))
    running = [start(folder, tmp_path / f"ready{n}", 2, tmp_path / "d") for n in (0, 1)]
    printed = [process.communicate(timeout=240) for process in running]
    assert [process.returncode for process in running] == [0, 0], printed
    assert printed[0][0] == printed[1][0] != ""
    (made,) = (tmp_path / "d" / "text").iterdir()
    assert {p.name for p in made.iterdir()} == {"train", "validation", "prepared.json"}


def test_an_interrupted_preparation_leaves_nothing(folder, tmp_path):
    put(folder, "a.jsonl", lines("a", "b", "c"))
    process = start(folder, tmp_path / "ready", 99, tmp_path / "d")
    while not (tmp_path / "ready").exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=240)
    assert process.returncode != 0
    assert list((tmp_path / "d" / "text").iterdir()) == []


def test_threads_share_the_documents(folder):
    put(folder, "a.jsonl", lines(*(f"{n} " * 50 for n in range(500))))
    documents = corpora.get("text", folder=str(folder)).documents("train")
    expected = list(documents)
    found = {}

    def reading(start):
        found[start] = [documents[(start + n) % len(documents)] for n in range(1500)]

    threads = [threading.Thread(target=reading, args=(n * 37,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    for at, texts in found.items():
        assert texts == [expected[(at + n) % len(expected)] for n in range(1500)]
    with pytest.raises(IndexError, match=f"document {len(expected)} of"):
        documents[len(expected)]


def test_a_corpus_is_what_its_files_hold(folder, tmp_path, prepared_in):
    put(folder, "a.txt", "one")
    put(folder, "sub/b.jsonl", lines("two", "three"))
    first = corpora.get("text", folder=str(folder)).identity()
    read(folder)
    prepared = prepared_in()

    os.utime(folder / "a.txt", ns=(5, 5))
    assert corpora.get("text", folder=str(folder)).identity() == first
    copied = shutil.copytree(folder, tmp_path / "copy [2]")
    assert corpora.get("text", folder=str(copied)).identity() == first
    moved = folder.rename(tmp_path / "moved")
    assert corpora.get("text", folder=str(moved)).identity() == first
    read(copied)
    assert prepared_in() == prepared  # nothing was prepared again

    put(copied, "a.txt", "onE")
    assert corpora.get("text", folder=str(copied)).identity() != first
    (moved / "a.txt").rename(moved / "c.txt")  # another split, perhaps
    assert corpora.get("text", folder=str(moved)).identity() != first


def test_what_is_not_read_is_named(folder):
    put(folder, "a.txt", "one")
    corpus = corpora.get("text", folder=str(folder))
    assert corpus.unread() == ""
    for name in ("b.pdf", "sub/c.pdf", "d", ".hidden.txt", ".git/e.txt"):
        put(folder, name, "x")
    assert corpus.unread() == "2 .pdf, 2 hidden, 1 without an ending"
    for ending in "abcdefgh":
        put(folder, f"f.{ending}", "x")
    assert corpus.unread() == (
        "2 .pdf, 2 hidden, 1 .a, 1 .b, 1 .c, 1 .d, 1 .e, 1 .f, 3 of other kinds"
    )
    (folder / "sub" / "circle").symlink_to(folder)
    for ending in "abcdefgh":
        (folder / f"f.{ending}").unlink()
    assert corpus.unread() == "2 .pdf, 2 hidden, 1 without an ending"


def test_pipes_and_second_names_are_named_whatever_their_ending(folder):
    os.mkfifo(folder / "p.txt")
    corpus = corpora.get("text", folder=str(folder))
    with pytest.raises(UsageError, match=r"there is 1 special \(pipe, socket or devi"):
        corpus.check()
    put(folder, "a.txt", "one")
    identity = corpus.identity()
    os.link(folder / "a.txt", folder / "b.txt")
    (folder / "c.TXT.gz").symlink_to(folder / "a.txt")
    (folder / "d.pdf").symlink_to(folder / "a.txt")
    assert corpus.unread() == (
        "2 repeated (links to files that are read), 1 .pdf, "
        "1 special (pipe, socket or device)"
    )
    assert read_all(folder) == ["one"] and corpus.identity() == identity


@pytest.mark.parametrize("damage", ["cut", "flipped", "missing"])
def test_a_damaged_prepared_corpus_is_named_with_the_cure(
    folder, damage, tmp_path, monkeypatch
):
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    put(folder, "a.jsonl", lines(*(f"text {n}" for n in range(9))))
    read(folder)
    (prepared,) = (tmp_path / "data" / "text").iterdir()
    file = prepared / "train"
    data = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    else:
        data[::50] = (byte ^ 255 for byte in data[::50])
        file.write_bytes(data if damage == "flipped" else data[:100])
    text_corpus._open.cache_clear()
    with pytest.raises(UsageError, match=f"prepared corpus {prepared} is damaged"):
        read(folder)
    shutil.rmtree(prepared)
    text_corpus._open.cache_clear()
    assert len(read_all(folder)) == 9


def test_other_text_of_the_same_size_and_time_is_another_corpus(folder):
    put(folder, "a.txt", "one")
    file, corpus = folder / "a.txt", corpora.get("text", folder=str(folder))
    before, state = corpus.identity(), file.stat()
    time.sleep(0.02)  # a tick of the clock that stamps files
    file.write_text("two")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert corpus.identity() != before
