"""`sightline corpus`: what it says of a corpus, what it writes, what it refuses."""

import importlib.util
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from sightline.launch.commands import corpus as command
from sightline.launch.terminal import corpus as tables
from sightline.tasks import corpora, files
from sightline.tasks.corpora import _text_builder
from sightline.tasks.corpora._policies.read_back import read_back
from sightline.tasks.corpora.policies import Policies
from sightline.tasks.tokens.vocabulary import vocabulary

FEW = ("--gin.policies.train_documents=6", "--gin.policies.validation_documents=3")


@pytest.fixture(autouse=True)
def prepared_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))


NOT_READ = "text: not read, beside its documents: 1 .pdf, 1 bad document (1 empty)."


@pytest.fixture
def papers(tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    rows = [json.dumps({"text": "x " * (n + 1) + "é"}) for n in range(40)]
    (folder / "a.jsonl").write_text("\n".join(rows))
    return folder


def rows_of(printed, label):
    """The cells of a printed table's row."""
    (line,) = [x for x in printed.splitlines() if x.strip("│ ").startswith(label)]
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


def test_sizes_are_those_of_the_documents(capsys):
    assert command.main(["policies", *FEW]) == 0
    printed = capsys.readouterr().out
    corpus = Policies(train_documents=6, validation_documents=3)
    texts = list(corpus.documents("train"))
    words = [len(text.split()) for text in texts]
    tokens = [vocabulary("policies").encode(text).size for text in texts]
    low, middle, high = (np.quantile(tokens, q) for q in (0.1, 0.5, 0.9))
    assert rows_of(printed, "documents") == ["6", "3"]
    assert (
        rows_of(printed, "tokens a document")[0]
        == f"{middle:,.0f} ({low:,.0f} – {high:,.0f})"
    )
    ratio = rows_of(printed, "tokens a word (policies)")[0]
    assert float(ratio) == pytest.approx(sum(tokens) / sum(words), abs=5e-4)
    bits = sum(sum(corpus.policy("train", n).bits.values()) for n in range(6)) / 6
    found = [float(cell) for cell in rows_of(printed, "all")]
    expected = [bits, 6 * bits / sum(words), 6 * bits / sum(tokens)]
    assert found == pytest.approx(expected, abs=0.06)


def test_a_sample_is_spread_over_the_corpus():
    texts = ["x " * n for n in range(1, 102)]
    found = tables.lengths(texts, vocabulary("bytes"), most=11)
    assert found.words.tolist() == list(range(1, 102, 10))
    assert found.tokens.tolist() == [2 * n for n in range(1, 102, 10)]
    assert tables.lengths([], vocabulary("bytes"), most=3).words.size == 0


def test_policies_are_written_with_facts_and_mentions(tmp_path, capsys):
    out = tmp_path / "new" / "out"
    words = ["policies", *FEW, "--gin.policies.seed=7", f"--out={out}"]
    assert command.main([*words, "--documents=4"]) == 0
    corpus = Policies(seed=7, train_documents=6, validation_documents=3)
    assert {path.name for path in out.iterdir()} == {"train.jsonl", "validation.jsonl"}
    for split, count in (("train", 4), ("validation", 3)):
        lines = (out / f"{split}.jsonl").read_text("utf-8").splitlines()
        assert len(lines) == count
        for index, row in enumerate(map(json.loads, lines)):
            policy = corpus.policy(split, index)
            assert row["text"] == policy.text
            assert [m["start"] for m in row["mentions"]] == [
                m.start for m in policy.mentions
            ]
    assert f"wrote {out / 'train.jsonl'}" in capsys.readouterr().out


def test_another_corpus_is_written_as_text_and_reads_back(papers, tmp_path):
    out = tmp_path / "out"
    setting = f"--gin.text.folder={papers}"
    words = ["text", setting, "--gin.text.validation_percent=25", "--split=train"]
    assert command.main([*words, f"--out={out}"]) == 0
    assert [path.name for path in out.iterdir()] == ["train.jsonl"]
    corpus = corpora.get("text", folder=str(papers), validation_percent=25)
    expected = sorted(corpus.documents("train"))
    again = corpora.get("text", folder=str(out), validation_percent=0)
    assert sorted(again.documents("train")) == expected


def test_what_is_not_read_is_named_every_time(papers, capsys):
    (papers / "x.pdf").write_text("")
    (papers / "empty.txt").write_text("")
    for _ in range(2):
        words = [f"--gin.text.folder={papers}", "--gin.text.bad='skip'"]
        assert command.main(["text", *words]) == 0
        assert NOT_READ in capsys.readouterr().out.splitlines()
    assert command.main(["policies", *FEW]) == 0
    assert "not read" not in capsys.readouterr().out


def test_what_fails_while_it_is_written_leaves_nothing(papers, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_text_builder, "_TICK_NS", 0)  # keeps digests at once
    assert command.main(["text", f"--gin.text.folder={papers}"]) == 0  # prepares it
    monkeypatch.setattr(files.os, "fsync", full)
    for words in (["policies", *FEW], ["text", f"--gin.text.folder={papers}"]):
        with pytest.raises(ValueError, match="No space left on device; nothing of it"):
            command.main([*words, f"--out={tmp_path / 'out'}"])
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "words, message",
    [
        (["policie"], "no corpus 'policie'; did you mean 'policies'"),
        (["policies", "--gin.policies.sed=1"], "did you mean 'seed'"),
        (["policies", "--gin.policies.seed=x"], "it takes int"),
        (["policies", "--gin.policies.titled=2.0"], "titled is 2.0"),
        (["policies", "--gin.text.folder=x"], "no configurable 'text'"),
        (["policies", "--split=tran"], "did you mean 'train'"),
        (["policies", "--documents=0"], "--documents is 0; give 1 or more"),
        (["policies", "--outt=x"], "did you mean '--out'"),
        (["policies", f"--out={__file__}"], "is a file; name a folder"),
        (["python_docs", "--baselines"], "is for the corpus 'policies'"),
        (["text"], "text.folder is not set"),
        (["text", "--gin.text.folder=no/such"], "does not exist"),
        (["policies", "--gin.policies.train_documents=3", "--baselines"], "has 3: set"),
        (["policies", "--documents=1", "--baselines"], "--documents is 1: --baselines"),
        (["policies", "--documents=15", "--baselines"], "give 16 or more"),
    ],
)
def test_mistakes_are_named(words, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        command.main(words)


def test_a_corpus_is_not_written_among_its_own_files(papers):
    words = ["text", f"--gin.text.folder={papers}", f"--out={papers / 'sub' / '..'}"]
    with pytest.raises(ValueError, match="every document twice"):
        command.main(words)
    assert [path.name for path in papers.iterdir()] == ["a.jsonl"]


def test_baselines_say_how_to_get_what_they_need(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install -c constraints\.txt scikit-lea"):
        command.main(["policies", "--baselines"])


def test_baselines_and_the_checker_are_shown(capsys, monkeypatch):
    baselines = tables.baselines_of
    two = {name: baselines.TASKS[name] for name in ("swapped", "restated")}
    monkeypatch.setattr(baselines, "TASKS", two)
    monkeypatch.setenv("COLUMNS", "120")
    assert command.main(["policies", "--baselines", "--documents=24"]) == 0
    printed = capsys.readouterr().out
    assert rows_of(printed, "mentions misread") == ["0"]
    assert rows_of(printed, "of those, found") == ["48"]
    assert all(len(rows_of(printed, task)) == 6 for task in two)
    assert rows_of(printed, "swapped")[-1] == "1.000"


def test_reading_back_counts_a_contradiction_and_a_misreading():
    policies = [Policies(seed=1).policy("train", index) for index in range(3)]
    shifted = policies[0]._replace(text=" " + policies[0].text)
    other = policies[1].mentions[0]
    false = policies[1].text[: other.start] + "x" + policies[1].text[other.stop :]
    found = read_back([shifted, policies[2]], np.random.default_rng(0))
    assert found.misread == 2 * len(shifted.mentions)
    found = read_back([policies[1]._replace(text=false)], np.random.default_rng(0))
    assert found.misread > 0


def test_the_command_imports_nothing_heavy(tmp_path):
    code = (
        "import sys; from sightline.launch import cli\n"
        "assert cli.main(['corpus', 'policies', '--documents=2']) == 0\n"
        "assert not {'jax', 'tensorflow', 'seqio', 'sklearn'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_an_empty_split_is_an_empty_column_unless_it_is_asked_for(tmp_path, capsys):
    folder, out = tmp_path / "one", tmp_path / "out"
    folder.mkdir()
    (folder / "only.txt").write_text("The only document.")
    corpus = ["text", f"--gin.text.folder={folder}"]
    assert command.main([*corpus, f"--out={out}"]) == 0
    printed = capsys.readouterr().out
    assert rows_of(printed, "documents") == ["1", "0"]
    assert (out / "validation.jsonl").read_text() == ""
    assert "The only document." in (out / "train.jsonl").read_text()
    with pytest.raises(ValueError, match=r"no document of text\.folder"):
        command.main([*corpus, "--split=validation"])
