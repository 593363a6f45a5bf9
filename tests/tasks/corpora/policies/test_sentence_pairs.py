"""Pairs that `sentence_pair` makes of policies: what shallow baselines make of them."""

import math

import numpy as np
import pytest

from sightline.objectives.sentence_cuts import matched_pairs
from sightline.objectives.text import Text
from sightline.tasks.corpora._policies.baselines import accuracy, ngram_score
from sightline.tasks.corpora._policies.pairs import Choice
from sightline.tasks.corpora.policies import Policies
from sightline.tasks.examples.windows import windows
from sightline.tasks.shallow.bags import bag_of_words, both_bags, words
from sightline.tasks.shallow.ngram import Ngrams
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked

KINDS = ("swapped", "other", "further")
WINDOW = 254


@pytest.fixture(scope="module")
def language(policies):
    return Ngrams(words(policy.text) for policy in policies[:200])


@pytest.fixture(scope="module")
def documents(policies):
    encode = vocabulary(Policies.vocabulary).encode_document
    return [encode(policy.text) for policy in policies]


def pairs_of(documents, kind, *, distance=None):
    """A choice from each window, of windows that have one of that kind."""
    tokens = vocabulary(Policies.vocabulary)
    rng = np.random.default_rng(0)
    found = []
    for index, document in enumerate(documents):
        others = documents[:index] + documents[index + 1 :]
        for start, stop in windows(len(document), window=WINDOW, smallest=4):
            text = Text(
                document,
                start,
                stop,
                lambda rng, o=others: o[int(rng.integers(len(o)))],
            )
            rates = {**dict.fromkeys(KINDS, 0.0), kind: 0.5}
            made = matched_pairs(
                text, rng, tokens.special_ids, rates=rates, distance=distance
            )
            if made is None:
                continue
            keeps_first = np.array_equal(made.true[0], made.false[0])
            if keeps_first == (kind != "swapped"):
                true, false = (
                    (tokens.decode(a), tokens.decode(b))
                    for a, b in (made.true, made.false)
                )
                found.append(Choice(true, false))
    return found


def surface(pair):
    """What shows without a look at the words."""
    lengths = [len(text) / 100 for text in pair]
    ends = [float(text.rstrip().endswith(".")) for text in pair]
    marks = [text.count(".") + 0.0 for text in pair]
    return {str(n): value for n, value in enumerate([*lengths, *ends, *marks])}


@pytest.mark.parametrize(
    ("kind", "distance"),
    [("swapped", None), ("other", None), ("further", None), ("further", 64)],
)
def test_shallow_baselines_are_near_chance(kind, distance, documents, language):
    fitted = pairs_of(documents[:200], kind, distance=distance)
    items = pairs_of(documents[200:], kind, distance=distance)
    assert len(items) > 700
    scores = {
        "5-gram": ngram_score(language, kind),
        "bag of words": bag_of_words(fitted, features=both_bags),
        "surface": bag_of_words(fitted, features=surface),
    }
    for name, score in scores.items():
        found = accuracy(kind, name, score, items)
        # Another document has its own subjects, which the 5-gram meets a little.
        slack = 0.06 if kind == "other" else 0.03
        assert abs(found.accuracy - 0.5) < slack + 4 * 0.5 / math.sqrt(len(items)), (
            found
        )


def test_the_5_gram_tells_where_a_sentence_is_cut(documents, language):
    """The control: the same windows, swapped at any token."""
    tokens = vocabulary(Policies.vocabulary)
    rng, items = np.random.default_rng(0), []
    for document in documents[200:]:
        cut = int(rng.integers(100, 160))
        first, second = tokens.decode(document[:cut]), tokens.decode(document[cut:254])
        items.append(Choice((first, second), (second, first)))
    assert (
        accuracy("cut", "5-gram", ngram_score(language, "cut"), items).accuracy > 0.85
    )
