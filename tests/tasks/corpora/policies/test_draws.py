"""Random choices, and the bits that each of them is counted as."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from sightline.tasks.corpora._policies.draws import ACCOUNTS, Draws
from sightline.tasks.corpora._policies.entropy import entropy, table
from sightline.tasks.corpora._policies.policy import Policy

pytestmark = pytest.mark.unchecked


def draws(seed=0):
    return Draws(np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("draw", "bits"),
    [
        (lambda d: d.between(3, 10, "order"), 3),
        (lambda d: d.between(7, 7, "order"), 0),
        (lambda d: d.pick("abcd", "order"), 2),
        (lambda d: d.sample("abcde", 2, "order"), math.log2(20)),
        (lambda d: d.subset("abcde", 2, "order"), math.log2(10)),
        (lambda d: d.subset("abc", 3, "order"), 0),
    ],
)
def test_equally_likely_outcomes_count_the_logarithm_of_their_number(draw, bits):
    drawn = draws()
    draw(drawn)
    draw(drawn)
    assert drawn.bits == {**dict.fromkeys(ACCOUNTS, 0.0), "order": 2 * bits}


def test_a_chance_counts_by_its_outcome():
    found = {}
    for seed in range(30):
        drawn = draws(seed)
        outcome = drawn.chance(0.25, "words")
        found[outcome] = drawn.bits["words"]
    assert found == {True: 2, False: pytest.approx(math.log2(4 / 3))}


@pytest.mark.parametrize(("share", "outcome"), [(0.0, False), (1.0, True)])
def test_what_is_certain_happens_and_counts_nothing(share, outcome):
    drawn = draws()
    assert {drawn.chance(share, "words") for _ in range(200)} == {outcome}
    assert drawn.bits["words"] == 0


@given(st.integers(0, 2**32), st.integers(0, 7), st.data())
def test_subsets_keep_the_order_and_samples_repeat_nothing(seed, count, data):
    size = data.draw(st.integers(0, count))
    options = list(range(10, 10 + count))
    subset = draws(seed).subset(options, size, "order")
    assert subset == sorted(subset)
    sample = draws(seed).sample(options, size, "order")
    for chosen in (subset, sample):
        assert len(set(chosen)) == len(chosen) == size and set(chosen) <= set(options)


@pytest.mark.parametrize(
    ("draw", "outcomes"),
    [
        (lambda d: d.between(3, 6, "order"), 4),
        (lambda d: d.pick("abcde", "order"), 5),
        (lambda d: tuple(d.sample("abcd", 2, "order")), 12),
        (lambda d: tuple(d.subset("abcd", 2, "order")), 6),
    ],
)
def test_every_outcome_is_equally_likely(draw, outcomes):
    drawn = draws()
    counts = Counter(draw(drawn) for _ in range(4000))
    assert len(counts) == outcomes
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


def test_a_chance_is_the_share_that_comes_true():
    drawn = draws()
    share = np.mean([drawn.chance(0.3, "order") for _ in range(4000)])
    assert abs(share - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 4000)
    # The mean information is the entropy of the chance.
    expected = stats.entropy([0.3, 0.7], base=2)
    assert drawn.bits["order"] / 4000 == pytest.approx(expected, rel=0.03)


def test_entropy_is_the_mean_over_documents_by_account():
    def policy(text, **bits):
        return Policy(text, "", (), (), (), (), {**dict.fromkeys(ACCOUNTS, 0.0)} | bits)

    both = [policy("one two", values=6.0), policy("a b c d", values=2.0, order=1.0)]
    found = entropy(both)
    assert (found.documents, found.tokens) == (2, 3)
    assert found.bits == {"values": 4, "words": 0, "templates": 0, "order": 0.5}
    assert found.per_token() == 1.5 and found.per_token("order") == pytest.approx(1 / 6)
    letters = entropy([policy("ab c", values=8)], tokenise=list)
    assert letters.tokens == 4 and letters.per_token("values") == 2
    cells = [line.split() for line in table(found).splitlines()]
    assert ["values", "4.0", "1.333"] in cells and cells[-1] == ["all", "4.5", "1.500"]
