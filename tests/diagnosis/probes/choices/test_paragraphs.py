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
