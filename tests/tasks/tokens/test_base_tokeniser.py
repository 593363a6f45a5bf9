"""The base tokenisers: bytes against Python's codec, SentencePiece against its text."""

import pytest
from hypothesis import example, given, settings, strategies as st

from sightline.tasks.tokens.vocabulary import names, vocabulary

SPACE = "▁"  # SentencePiece writes a space so, and so reads this character as one
LOSSLESS = ("bytes", "english", "policies", "python_docs")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(LOSSLESS), st.text(st.characters(codec="utf-8")))
@example("bytes", SPACE)
def test_any_text_comes_back(name, text):
    words = vocabulary(name)
    expected = text if name == "bytes" else text.replace(SPACE, " ")
    assert words.decode(words.encode(text)) == expected


@given(st.binary(max_size=30))
def test_bytes_are_numbered_from_three_as_in_byt5(data):
    words = vocabulary("bytes")
    assert words.decode(3 + byte for byte in data) == data.decode(errors="replace")
    text = data.decode(errors="ignore")
    assert words.encode(text).tolist() == [3 + byte for byte in text.encode()]


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(("english", "policies", "python_docs")),
    st.text(st.characters(min_codepoint=9, max_codepoint=126), min_size=1),
)
def test_the_pieces_of_a_text_are_spelt_as_it_is_behind_a_space(name, text):
    words = vocabulary(name)
    assert "".join(map(words.spell, words.encode(text).tolist())) == f" {text}"


@pytest.mark.parametrize("name", names())
def test_every_id_is_spelt_as_it_begins(name):
    """The parts of a character, which have no spelling, are told by their byte."""
    words = vocabulary(name)
    parts = set()
    for id_ in words.special_ids.text.tolist():
        spelt, first = words.spell(id_), words.base.first_byte(id_)
        if spelt:
            assert spelt.encode()[0] == first
        else:
            parts.add(first)
    assert parts == set(range(128, 256))
    assert all(words.spell(id_) == words.decode([id_]) for id_ in range(3))
