"""Negatives of the shortest windows, looked for in all documents, not those drawn."""

import numpy as np
import pytest

from sightline.objectives import registry
from sightline.objectives.errors import NoExampleError
from sightline.objectives.text import Text
from sightline.tasks import corpora
from sightline.tasks.tokens.tokenised_documents import TokenisedDocuments
from sightline.tasks.tokens.vocabulary import vocabulary


@pytest.fixture(scope="module")
def documents():
    corpus, vocab = corpora.get("python_docs"), vocabulary("python_docs")
    return TokenisedDocuments(corpus, "train", vocab)


@pytest.fixture(scope="module")
def texts(documents):
    return [documents[n].astype(np.int32) for n in range(len(documents))]


def runs(texts, length):
    """All runs of `length` tokens."""
    return {
        text[at : at + length].tobytes()
        for text in texts
        for at in range(len(text) - length + 1)
    }


@pytest.mark.parametrize("kind", ["other", "further", "swapped"])
def test_no_negative_of_the_shortest_window_stands_in_the_corpus(
    documents, texts, kind
):
    rates = dict.fromkeys(("other", "further", "swapped"), 0.0) | {kind: 1.0}
    objective = registry.get("sentence_pair").with_settings(**rates)
    ids = vocabulary("python_docs").special_ids
    size = objective.smallest()
    standing, rng = runs(texts, size), np.random.default_rng(0)
    for _ in range(400):
        index = int(rng.integers(len(texts)))
        start = int(rng.integers(max(1, len(texts[index]) - size - 1)))
        if len(texts[index]) < start + size + 2:
            continue
        text = Text(texts[index], start, start + size, documents.others(index))
        try:
            inputs = objective(text, rng, ids).inputs
        except NoExampleError:  # the window repeats itself
            continue
        pair = inputs[inputs != ids.sep].astype(np.int32)
        assert len(pair) == size
        assert pair.tobytes() not in standing
