"""Sources of a corpus add up, and its samples are spread over it."""

import re

import hypothesis
import hypothesis.strategies as st
from rich.console import Console

from sightline.launch.terminal.english import samples, sources
from sightline.tasks.corpora._english.store import Holding

COUNTS = st.integers(0, 10**7)


def held(source, part, split, documents, words, size):
    return Holding(
        *(source, part, split, "texts", "1.0", "0" * 64, "MIT"),
        *(documents, words, size, (10, 1_200, 30_000), "0"),
    )


HOLDINGS = st.lists(
    st.builds(
        held,
        *(st.text("ab[]", min_size=1), st.sampled_from(["prose", "manuals"])),
        *(st.sampled_from(["train", "validation"]), COUNTS, COUNTS, COUNTS),
    ),
    min_size=1,
    max_size=6,
)


@hypothesis.given(HOLDINGS)
@hypothesis.settings(max_examples=50, deadline=None)
def test_sources_add_up_to_their_part_and_parts_to_all(rows_of, holdings):
    rows = rows_of(sources(holdings, {"prose": 0.01}))
    whole, each, parts = rows[-1], [], {}
    for row in rows[:-1]:
        (each.append if row[1] else parts.setdefault(row[0], []).append)(row)
    assert sorted(row[0] for row in each) == sorted(h.source for h in holdings)
    assert {name: len(found) for name, found in parts.items()} == dict.fromkeys(
        {h.part for h in holdings}, 1
    )

    def counts(row):
        documents, words, size = (cell.replace(",", "") for cell in row[4:7])
        return int(documents), int(words), float(size)

    for some, row in (
        (holdings, whole),
        *(([h for h in holdings if h.part == name], parts[name][0]) for name in parts),
    ):
        documents, words, size = counts(row)
        assert documents == sum(h.documents for h in some)
        assert words == sum(h.words for h in some)
        assert abs(size - sum(h.bytes for h in some) / 1e6) <= 0.0501
    assert {row[1] for row in each} <= {"train", "held out"}
    assert {row[7] for row in each} == {"1,200\n10–30,000"}


@hypothesis.given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)))
@hypothesis.settings(max_examples=60, deadline=None)
def test_samples_are_spread_over_all_documents(sizes):
    """One of each third, so that the first and the last source are seen."""
    places = [(split, n) for split, size in sizes.items() for n in range(size)]
    texts = {
        split: [f"text {split}{n}" for n in range(size)]
        for split, size in sizes.items()
    }
    console = Console(record=True, width=60, file=open("/dev/null", "w"))
    with console.file:
        console.print(samples(texts))
    shown = re.findall(
        r"(\w), document (\d+).*\n.*text (\w)(\d+)", console.export_text()
    )
    assert all(title == text for *title, a, b in shown for text in ([a, b],))
    found = [places.index((split, int(n))) for split, n, *_ in shown]
    assert len(set(found)) == len(found) == min(3, len(places))
    if len(places) >= 3:
        assert [place * 3 // len(places) for place in found] == [0, 1, 2]


def test_a_long_document_is_cut_at_a_word():
    text = "word " * 1000
    console = Console(record=True, width=2000, file=open("/dev/null", "w"))
    with console.file:
        console.print(samples({"train": [f"title\n\n{text}"]}))
    shown = console.export_text()
    assert "title ¶ word word" in shown and "word …" in shown
    assert 600 < shown.count("word") * 5 <= 700
