"""The tables of a corpus, against the documents that they are made from."""

import io

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from rich.console import Console

from sightline.launch.terminal import corpus as tables
from sightline.launch.terminal.packing import packing_table
from sightline.tasks.corpora._policies.read_back import ReadBack
from sightline.tasks.corpora.policies import Policies
from sightline.tasks.shares.packers import Packing
from sightline.tasks.tokens.vocabulary import vocabulary

BYTES = vocabulary("bytes")

DOCUMENTS = st.lists(st.text("ab ", min_size=1, max_size=30), max_size=30)


def cells(table):
    """The cells of a table as text, row by row."""
    return list(zip(*(column.cells for column in table.columns), strict=True))


@hypothesis.given(texts=DOCUMENTS, most=st.integers(1, 40))
@hypothesis.settings(max_examples=60, deadline=None)
def test_lengths_are_those_of_evenly_spaced_documents(texts, most):
    measured = tables.lengths(texts, BYTES, most=most)
    assert measured.words.size == min(most, len(texts))
    every = [(len(text.split()), len(text)) for text in texts]
    pairs = list(zip(measured.words.tolist(), measured.tokens.tolist(), strict=True))
    if most >= len(texts):
        assert pairs == every
    elif most > 1:
        assert [pairs[0], pairs[-1]] == [every[0], every[-1]]
    assert set(pairs) <= set(every)


@hypothesis.given(train=DOCUMENTS, held_out=DOCUMENTS)
@hypothesis.settings(max_examples=40, deadline=None)
def test_a_column_for_each_split(train, held_out):
    splits = {"train": train, "validation": held_out}
    table = tables.sizes("mine", splits, BYTES, most=1000)
    assert [column.header for column in table.columns] == ["", *splits]
    rows = {label: values for label, *values in cells(table)}
    assert rows["documents"] == [f"{len(texts):,}" for texts in splits.values()]
    for texts, words, tokens, ratio in zip(
        splits.values(),
        rows["words a document"],
        rows["tokens a document"],
        rows["tokens a word (bytes)"],
        strict=True,
    ):
        if not texts:
            assert (words, tokens, float(ratio)) == ("–", "–", 0)
            continue
        middle = np.median([len(text) for text in texts])
        assert tokens.split()[0] == f"{middle:,.0f}"
        total = sum(len(text.split()) for text in texts)
        size = sum(map(len, texts))
        assert float(ratio) == pytest.approx(size / max(1, total), abs=5.001e-4)


def test_every_count_of_the_fact_checker_has_a_row():
    check = ReadBack(1000, 23456, 3, 2, 999, 998)
    values = [value for _, value in cells(tables.read_back(check))]
    assert values == ["1,000", "23,456", "3", "2", "999", "998"]


def test_no_documents_have_no_entropy():
    table = tables.entropies(Policies(), "train", BYTES, most=0)
    assert cells(table) == []


def test_items_are_tracked_on_a_terminal_only(monkeypatch):
    written = io.StringIO()
    for terminal, silent in ((False, True), (True, False)):
        screen = Console(file=written, force_terminal=terminal, width=80)
        monkeypatch.setattr(tables, "Console", lambda screen=screen, **_: screen)
        assert list(tables.tracked([3, 1, 2], "Measuring")) == [3, 1, 2]
        assert (written.getvalue() == "") == silent


def test_packers_stand_side_by_side():
    packings = [
        Packing("first-fit, every capacity", 1234, 0.98765, 56789.4),
        Packing("SeqIO, slots only", 2345, 0.5, 12.0),
    ]
    console = Console(record=True, file=io.StringIO(), width=80)
    console.print(packing_table(packings))
    lines = [line.strip("│").split("│") for line in console.export_text().splitlines()]
    rows = [[cell.strip() for cell in line] for line in lines if len(line) == 4]
    assert rows == [
        ["first-fit, every capacity", "1,234", "98.77%", "56,789"],
        ["SeqIO, slots only", "2,345", "50.00%", "12"],
    ]
