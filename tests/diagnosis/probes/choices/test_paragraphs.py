import itertools
import re

from hypothesis import given, strategies as st

from sightline.diagnosis.probes.choices.paragraphs import (
    beginning,
    ending,
    paragraphs,
    sentences,
    word_count,
)

texts = st.lists(
    st.sampled_from(["A", "b.", "Cd", "ef!", '"Gh."', "\n\n", " ", "\n", "(i) ", "é. "])
).map(" ".join)


@given(texts)
def test_joining_gives_the_text_back(text):
    assert "".join(sentences(text)) == text
    assert "".join(paragraphs(text)) == text
    assert "".join(paragraphs(text, fewest=1)) == text


@given(texts)
def test_no_piece_is_blank_where_the_text_is_not(text):
    if text.strip():
        assert all(piece.strip() for piece in sentences(text) + paragraphs(text))


BLANK = re.compile(r"([.!?:][\"'”’)\]]*)?(\s+)(?=[\"'“‘(\[`*]*(\S))")


@given(st.text("aB. !?:\"'”)]\n\t(“[`*\u00a0\u2028", max_size=40), st.integers(1, 4))
def test_sentences_are_those_of_looking_at_every_blank(text, shortest):
    ends = [0]
    for blank in BLANK.finditer(text):
        at = blank.start(2)
        long = len(text[ends[-1] : at].split()) >= shortest
        stop = blank[1] and not blank[3].islower() and long
        if blank[2].count("\n") > 1 or stop:
            ends.append(at)
    pieces = [text[a:b] for a, b in itertools.pairwise([*ends, len(text)])]
    found = sentences(text, shortest=shortest)
    places = set(itertools.accumulate(map(len, found)))
    assert places <= set(itertools.accumulate(map(len, pieces)))
    # Those of blanks alone are joined to others.
    whole = [piece for piece in pieces if piece.strip()]
    assert len(found) == max(len(whole), bool(text))


def test_sentences_end_where_a_reader_would_say():
    text = (
        'Review. Nobody reads e.g. this one here. "So it was." Then he left'
        "\n\nA title\n\nAnd the end."
    )
    assert sentences(text) == [
        "Review. Nobody reads e.g. this one here.",
        ' "So it was." Then he left',
        "\n\nA title",
        "\n\nAnd the end.",
    ]


def test_few_paragraphs_give_way_to_groups_of_sentences():
    text = " ".join(f"This is sentence number {n}." for n in range(7))
    assert list(map(word_count, paragraphs(text))) == [10, 10, 10, 5]
    text = "\n\n".join(f"Paragraph {n}." for n in range(7))
    assert len(paragraphs(text)) == 7


@given(texts)
def test_a_beginning_and_an_ending_are_parts_of_the_text(text):
    for most in (1, 3, 100):
        assert text.startswith(beginning(text, most))
        assert text.rstrip().endswith(ending(text, most).rstrip())
        assert word_count(beginning(text, most)) == min(most, word_count(text))
        assert word_count(ending(text, most)) <= most


def test_an_ending_begins_with_a_sentence():
    text = "One two three four. Five six seven eight. Nine ten eleven twelve."
    assert ending(text, 9) == "Five six seven eight. Nine ten eleven twelve."
    assert ending(text, 2) == "eleven twelve."
