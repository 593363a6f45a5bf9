"""Tokens on disk against those of the documents, across the ends of ranges."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.recorded import token_cache
from sightline.tasks.recorded.token_cache import (
    CachedTokens,
    TokenRange,
    ranges,
    write_range,
)
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked


class Named:
    """A corpus, of which the cache asks the name alone."""

    name = "notes/text"


def cached(folder, texts, *, name="bytes", split="train"):
    """The tokens of some documents through the files of the cache."""
    mixture = Mixture("m", {"policies.causal": 1}, vocabulary=name)
    for part in ranges(Named.name, split, len(texts)):
        write_range(folder, part, mixture=mixture, open_documents=lambda *_: texts)
    return CachedTokens(folder, Named, split=split, documents=len(texts))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("abc é", max_size=9), max_size=8), st.randoms())
def test_documents_are_read_as_they_were_tokenised(tmp_path_factory, texts, rng):
    folder = tmp_path_factory.mktemp("tokens")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(token_cache, "RANGE", 3)
        found = cached(folder, texts)
        assert len(found) == len(texts) and found.name == "notes/text:train"
        order = rng.sample(range(len(texts)), len(texts))
        for index in order:
            tokens = vocabulary("bytes").encode_document(texts[index])
            assert found[index].tolist() == tokens.tolist()
            assert found[index].dtype == np.int32
            assert found.lengths[index] == len(tokens)
        files = {path.name for path in folder.iterdir()}
        assert len(files) == 2 * -(-len(texts) // 3)


def test_ranges_cover_the_documents_once():
    assert ranges("a", "train", 0) == []
    assert [r.number for r in ranges("a", "train", 1024)] == [0]
    last = ranges("a", "train", 1025)[-1]
    assert last == TokenRange("a", "train", 1)
    assert str(last) == "tokens of a:train from document 1,024"


@pytest.mark.parametrize(("size", "bytes_each"), [(2**16, 2), (2**16 + 1, 4)])
def test_the_last_id_of_a_large_vocabulary_comes_back(tmp_path, size, bytes_each):
    content = {"format": 1, "base": "bytes", "size": size, "sentinels": []}
    ids = {"pad": 0, "eos": size - 1}
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps({**content, "ids": ids}))
    found = cached(tmp_path, ["ab"], name=str(path))
    assert found[0].tolist() == [100, 101, size - 1]
    (tokens,) = tmp_path.glob("*.tokens.npy")
    assert np.load(tokens).itemsize == bytes_each


@pytest.mark.parametrize(
    "harm",
    [
        lambda lengths, tokens: lengths.unlink(),
        lambda lengths, tokens: tokens.unlink(),
        lambda lengths, tokens: lengths.write_bytes(b""),
        lambda lengths, tokens: tokens.write_bytes(tokens.read_bytes()[:40]),
        # Of another length than the documents.
        lambda lengths, tokens: np.save(tokens, np.load(tokens)[:-1]),
    ],
)
def test_only_a_range_that_is_not_whole_is_tokenised_again(tmp_path, harm):
    def read(*texts):
        found = cached(tmp_path, texts)
        return [found[n].tolist() for n in range(len(texts))]

    encode = vocabulary("bytes").encode_document
    first, second = (
        [encode(text).tolist() for text in texts] for texts in (("one", "two"), "xy")
    )
    assert read("one", "two") == first == read("x", "y")
    harm(next(tmp_path.glob("*.lengths.npy")), next(tmp_path.glob("*.tokens.npy")))
    assert read("x", "y") == second
