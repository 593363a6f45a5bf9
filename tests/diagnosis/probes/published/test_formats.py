"""Published formats: recognised, read, and refused where they are malformed."""

import gzip
import json
import tarfile
import zipfile

import pytest

from sightline.diagnosis.probes.published.discoeval import text
from sightline.diagnosis.probes.published.published import catalogued, read_published
from sightline.objectives.errors import UsageError

from .formats import BLIMP, LAMBADA, PAIR, STORY, STORY_HEAD, written


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path / "tests")


def questions(path, name):
    (read,) = [read for read in read_published(path).tests if read.test.name == name]
    return read.questions


def test_every_test_of_a_folder_is_found_and_what_is_none_is_named(folder):
    data = read_published(folder)
    assert [read.test.name for read in data.tests] == list(catalogued())
    assert all(len(read.questions) == read.available == 1 for read in data.tests)
    assert data.unread == ("SP/wiki/train.txt", "notes.txt")


def test_what_is_read_of_each(folder):
    (blimp,) = questions(folder, "BLiMP")
    assert blimp.kinds == ("verbs_1", "agreement", "syntax_semantics")
    assert blimp.candidates == (("", "The cat sleeps."), ("", "The cat sleep."))
    (pair,) = questions(folder, "minimal pairs")
    assert pair.kinds == ("reflexives",) and pair.answer == 0
    (word,) = questions(folder, "LAMBADA")
    assert word.candidates[0][1] == " kite" and word.kinds == ("1–40 words",)
    (story,) = questions(folder, "story cloze")
    assert story.candidates[story.answer] == (
        "It rained, again. We had no hat. We ran. We fell.",
        " We got wet.",
    )
    (order,) = questions(folder, "sentence order")
    assert order.candidates == (
        ("One came.", " Two didn't."),
        ("Two didn't.", " One came."),
    )
    (position,) = questions(folder, "sentence position")
    assert len(position.candidates) == 5
    right = "One came. Two didn't. Three sat (here). Four. Five."
    assert position.candidates[position.answer] == ("", right)
    (passages,) = questions(folder, "discourse coherence")
    assert "Other." in passages.candidates[passages.answer][1]


def test_tokens_become_text_again():
    assert text("`` Go , '' he did n't say ( 5 % ) .") == '"Go," he didn\'t say (5%).'


@pytest.mark.parametrize("pack", ["tar", "zip", "gz"])
def test_archives_are_read_as_folders_are(folder, tmp_path, pack):
    path = tmp_path / f"all.{'jsonl.gz' if pack == 'gz' else pack}"
    if pack == "tar":
        path = tmp_path / "all.tar.xz"
        with tarfile.open(path, "w:xz") as archive:
            archive.add(folder / "blimp", "blimp")
    elif pack == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(folder / "blimp/verbs_1.jsonl", "blimp/verbs_1.jsonl")
    else:
        path.write_bytes(gzip.compress(json.dumps(BLIMP).encode()))
    assert questions(path, "BLiMP") == questions(folder, "BLiMP")


def test_a_csv_of_pairs_and_a_passage_of_one_text(tmp_path):
    (tmp_path / "pairs.csv").write_text(
        'UID,sentence_good,sentence_bad\nours,"Yes, it is.",Yes it are.\n'
    )
    passage = {"text": "They met at noon and ate at noon"}
    (tmp_path / "lambada_test.jsonl").write_text(json.dumps(passage))
    (pair,) = questions(tmp_path, "minimal pairs")
    assert pair.kinds == ("ours",) and pair.candidates[0] == ("", "Yes, it is.")
    (word,) = questions(tmp_path, "LAMBADA")
    assert word.candidates == (("They met at noon and ate at", " noon"),)


def test_a_paradigm_may_be_a_number(tmp_path):
    (tmp_path / "p.jsonl").write_text(json.dumps(PAIR | {"UID": 0}))
    (found,) = questions(tmp_path, "minimal pairs")
    assert found.kinds == ("0",)


def test_draws_depend_on_the_seed_alone(tmp_path):
    rows = [PAIR | {"sentence_good": f"Number {n}."} for n in range(40)]
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    drawn = [
        read_published(tmp_path, pairs=8, seed=seed).tests[0] for seed in (0, 0, 1)
    ]
    assert drawn[0].questions == drawn[1].questions != drawn[2].questions
    assert len(drawn[0].questions) == 8 and drawn[0].available == 40


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("p.jsonl", json.dumps(PAIR) + "\n{", r"p\.jsonl, line 2: no JSON"),
        ("p.jsonl", json.dumps(PAIR) + "\n[1]", r"line 2: no JSON object"),
        (
            "p.jsonl",
            json.dumps(PAIR) + '\n\n{"sentence_good": "A."}',
            r"line 3: 'sentence_bad' is None; give a text",
        ),
        ("s.csv", f"{STORY_HEAD}\n{STORY},9", r"s\.csv, line 2: 9 fields"),
        ("s.csv", f"{STORY_HEAD}\n{STORY[:-1]}3", "AnswerRightEnding is '3'"),
        (
            "SP/a/test.txt",
            "7\ta\tb\tc\td\te",
            "the place '7' is none of 0 to 4",
        ),
        ("SP/a/test.txt", "1\ta\tb", "line 1: 3 fields divided by tabs; this format"),
        ("DC/a/test.txt", "0\ta\tb\tc\td\te\tf", "without the other of its pair"),
        (
            "DC/a/test.txt",
            "0\ta\tb\tc\td\te\tf\n1\ta\tb\tc\tx\ty\tf",
            "line 2: not the line before with one sentence replaced",
        ),
        (
            "lambada.jsonl",
            json.dumps(LAMBADA | {"request": {"context": " ", "continuation": "a"}}),
            "line 1: 'context' is ' '",
        ),
        ("b.jsonl", json.dumps(BLIMP | {"UID": 3}), "line 1: 'UID' is 3"),
        (
            "p.jsonl",
            "\n" + json.dumps(PAIR | {"sentence_bad": "a\ud800"}),
            "line 2: 'sentence_bad' is .*: no Unicode at character 2",
        ),
    ],
)
def test_a_malformed_file_is_refused_by_path_and_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        read_published(tmp_path)


def test_a_path_without_tests_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not there; give a folder"):
        read_published(tmp_path / "none")
    (tmp_path / "a.txt").write_text("Some text.")
    with pytest.raises(UsageError, match=r"holds no published test .* 1 files"):
        read_published(tmp_path)
    broken = tmp_path / "all.tar.xz"
    broken.write_bytes(b"no archive")
    with pytest.raises(UsageError, match="is broken"):
        read_published(broken)
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(json.dumps(PAIR).replace("She", "\xe9").encode("latin-1"))
    with pytest.raises(UsageError, match="line 1: not UTF-8"):
        read_published(latin)


@pytest.mark.parametrize(
    "name, content",
    [
        ("README.txt", "Données\n".encode("latin-1")),
        ("excel.csv", "sentence_good,sentence_bad\n".encode("utf-16")),
        ("long.csv", b"x" * 200_000 + b"\na,b\n"),
        ("cr.csv", b"a,b\r1,2\r"),
        ("rows.jsonl", b"[1, 2]\n"),
        (".p.jsonl", b"{"),
        (".cache/p.jsonl", b"{"),
        ("__MACOSX/._p.jsonl", b"\x00\x05\x16\x07\xff"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("pack", ["folder", "zip", "tar"])
def test_what_is_no_test_may_be_anything(tmp_path, pack, name, content):
    folder = tmp_path / "tests"
    files = {"p.jsonl": json.dumps(PAIR).encode(), name: content}
    for each, data in files.items():
        path = folder / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    source = folder
    if pack == "zip":
        source = tmp_path / "tests.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for each, data in files.items():
                archive.writestr(each, data)
    elif pack == "tar":
        source = tmp_path / "tests.tar"
        with tarfile.open(source, "w") as archive:
            archive.add(folder, ".")
    data = read_published(source)
    assert [len(read.questions) for read in data.tests] == [1]
    hidden = any(part.startswith(".") for part in name.split("/"))
    assert [unread.removeprefix("./") for unread in data.unread] == (
        [] if hidden else [name]
    )


def test_a_link_of_an_archive_to_nothing_is_passed_over(tmp_path):
    (tmp_path / "p.jsonl").write_text(json.dumps(PAIR))
    (tmp_path / "q.jsonl").symlink_to("nowhere.jsonl")
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        for name in ("p.jsonl", "q.jsonl"):
            archive.add(tmp_path / name, name)
    assert len(questions(tmp_path / "all.tar", "minimal pairs")) == 1


CSV = "sentence_good,sentence_bad\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_they_do_on_any_system(tmp_path, end):
    text = f'{CSV}a b,a c\n"x\ny",x z\n'.replace("\n", end)
    (tmp_path / "p.csv").write_bytes(text.encode())
    found = [
        question.candidates[0] for question in questions(tmp_path, "minimal pairs")
    ]
    assert found == [("", "a b"), ("", "x\ny")]
    (tmp_path / "p.csv").write_bytes(f"{text}{end}{end}a".encode())
    with pytest.raises(UsageError, match="line 7: 1 fields, and the head has 2"):
        read_published(tmp_path)


@pytest.mark.parametrize(
    "text, line",
    [
        ('a b,a c\nx y,"x z\nd e,d f\ng h,g i', 3),
        ('a b,a c\n\n\n"x" y,x z\n', 5),
        ('a b,"a c\n' + "d e,d f\n" * 20_000, 2),
    ],
    ids=["not closed", "closed early", "not closed in 128 KB"],
)
def test_a_stray_quote_is_refused_where_its_record_begins(tmp_path, text, line):
    (tmp_path / "p.csv").write_text(CSV + text)
    with pytest.raises(UsageError, match=f"line {line}: a record .* double quote"):
        read_published(tmp_path)


def test_a_file_that_ends_early_is_refused_wherever_it_ends(tmp_path):
    rows = [json.dumps(PAIR | {"pairID": n * 2654435761 % 2**32}) for n in range(5000)]
    whole = gzip.compress("\n".join(rows).encode())
    for size in (20, len(whole) // 2, len(whole) - 4):
        (tmp_path / "p.jsonl.gz").write_bytes(whole[:size])
        with pytest.raises(UsageError, match=r"p\.jsonl\.gz is broken .* fetch it"):
            read_published(tmp_path)


@pytest.mark.parametrize("flag, method", [(1, 0), (0, 99)])
def test_a_zip_that_cannot_be_unpacked_is_refused(tmp_path, flag, method):
    """With the flag of encryption, or an unknown method, in both of its heads."""
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("p.jsonl", json.dumps(PAIR))
    data = bytearray(path.read_bytes())
    for head, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.index(head) + at
        data[start], data[start + 2] = flag, method
    path.write_bytes(data)
    with pytest.raises(UsageError, match=r"p\.jsonl cannot be unpacked .* the folder"):
        read_published(path)


def test_no_question_and_the_same_ones_twice_are_refused(tmp_path):
    (tmp_path / "p.csv").write_text(CSV)
    with pytest.raises(UsageError, match=r"p\.csv holds no question of minimal pairs"):
        read_published(tmp_path)
    good, bad = PAIR.values()
    (tmp_path / "p.csv").write_text(f"{CSV}{good},{bad}\n")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/q.jsonl").write_text(json.dumps(PAIR))
    with pytest.raises(UsageError, match=r"q\.jsonl and .*p\.csv hold the same quest"):
        read_published(tmp_path)
