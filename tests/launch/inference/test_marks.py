"""Text with marks, to tokens and back."""

import json

import numpy as np
import pytest

from sightline.launch.inference.marks import (
    encode_inside,
    encode_pieces,
    text_after,
    text_of_pieces,
)
from sightline.objectives.errors import UsageError
from sightline.tasks.tokens.vocabulary import names, vocabulary


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize(
    "text",
    ["<mask> first", "the last <mask>", "in <mask>, side <mask> <mask>", "(<mask>)",
     "a\n<mask>\nb", "<mask>"],
)  # fmt: skip
def test_a_mark_takes_the_space_before_it(name, text):
    vocab = vocabulary(name)
    pieces = encode_pieces(vocab, text, "<mask>")
    assert len(pieces) == 1 + text.count("<mask>")
    tokens = text_of_pieces(pieces, vocab.special_ids.mask)
    # One of the vocabularies begins every text with a space.
    assert vocab.decode(tokens).lstrip(" ") == text.replace(" <mask>", "<mask>")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("text", [" a word", "a word", ". It", "\n\nA", "'s", " "])
def test_text_inside_a_text_has_no_space_put_before_it(name, text):
    vocab = vocabulary(name)
    before = vocab.encode("Some text")
    inside = encode_inside(vocab, text)
    whole = vocab.decode(np.concatenate([before, inside]))
    assert whole.lstrip(" ") == "Some text" + text
    assert text_after(vocab, before, inside) == text


def test_only_names_of_reserved_ids_are_refused():
    vocab = vocabulary("bytes")
    for plain in ("<b>bold</b>", "a < b > c", "<task>", "<step>", "<T>"):
        assert len(encode_pieces(vocab, plain, "<mask>")) == 1
    for name in ("<eos>", "<sentinel_200>", "<mode_Q>", "<blank>", "<msk>", "<MASK>"):
        with pytest.raises(UsageError, match=name):
            encode_pieces(vocab, f"a {name} b", "<mask>")


@pytest.mark.parametrize("ids", [{"eos": 1}, {"eos": None}])
def test_a_vocabulary_that_lacks_a_mask_encodes_text_inside_a_text(tmp_path, ids):
    path, lacking = tmp_path / "vocabulary.json", {"bos": None, "mask": None}
    told = {"format": 1, "base": "bytes", "size": 300, "sentinels": []}
    path.write_text(json.dumps({**told, "ids": {"pad": 0, **lacking, **ids}}))
    vocab = vocabulary(str(path))
    assert vocab.decode(encode_inside(vocab, " a word")) == " a word"
