"""Corruptions: as much as asked, and the rest still there."""

import inspect
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from sightline.diagnosis.probes.reconstruction.corruptions import (
    KINDS,
    RATES,
    can_corrupt,
    corrupt,
)
from sightline.objectives.words import sentence_begins

END, START = 10, 3
"""Ids of the vocabulary of `ids` that end a sentence and begin a word."""

excerpts = st.lists(st.integers(3, 999), min_size=2, max_size=80)
seeds = st.integers(0, 2**32)


def tokens_of(listed):
    return np.array(listed, np.int32)


def sentences(sizes):
    """Sentences of these sizes ≥ 2; every token is another one."""
    inner = iter(i for i in range(300, 999) if i % 3 and (i - END) % 11)
    starts = iter(range(START + 33, 300, 33))  # begin a word, end no sentence
    ends = iter(range(END + 33, 999, 33))  # end a sentence, begin no word
    text = []
    for size in sizes:
        text += [next(starts), *(next(inner) for _ in range(size - 2)), next(ends)]
    return tokens_of(text)


def spans(tokens, ids):
    """The sentences of a text, as tuples."""
    starts = np.flatnonzero(sentence_begins(tokens, ids))
    return [tuple(part.tolist()) for part in np.split(tokens, starts[1:])]


def in_order(part, whole):
    left = iter(whole.tolist())
    return all(token in left for token in part.tolist())


@settings(max_examples=150, deadline=None)
@given(
    listed=excerpts, kind=st.sampled_from(KINDS), rate=st.floats(0.01, 1), seed=seeds
)
def test_untouched_and_missing_share_the_original(listed, kind, rate, seed, ids):
    tokens = tokens_of(listed)
    assume(can_corrupt(tokens, ids, kind=kind))
    found = corrupt(tokens, np.random.default_rng(seed), ids, kind=kind, rate=rate)
    both = np.concatenate([found.untouched, found.missing])
    np.testing.assert_array_equal(np.sort(both), np.arange(len(tokens)))
    for places in (found.untouched, found.missing):
        assert (np.diff(places) > 0).all()
    assert found.kind == kind
    assert len(found.untouched)
    assert in_order(found.kept, found.original)
    assert in_order(found.kept, found.tokens)
    np.testing.assert_array_equal(found.original, listed)
    np.testing.assert_array_equal(tokens, listed)  # the excerpt itself is left alone


@settings(max_examples=100, deadline=None)
@given(listed=excerpts, rate=st.sampled_from((*RATES, 0.001, 1.0)), seed=seeds)
def test_counts_of_tokens_are_fixed(listed, rate, seed, ids):
    tokens, rng = tokens_of(listed), np.random.default_rng(seed)
    asked = max(1, round(rate * len(tokens)))
    gone = min(asked, len(tokens) - 1)

    masking = corrupt(tokens, rng, ids, kind="masking", rate=rate)
    assert len(masking.tokens) == len(tokens)
    np.testing.assert_array_equal(
        np.flatnonzero(masking.tokens == ids.mask), masking.missing
    )
    assert len(masking.missing) == gone
    np.testing.assert_array_equal(masking.tokens[masking.untouched], masking.kept)

    deletion = corrupt(tokens, rng, ids, kind="deletion", rate=rate)
    assert len(deletion.missing) == gone
    np.testing.assert_array_equal(deletion.tokens, deletion.kept)

    insertion = corrupt(tokens, rng, ids, kind="insertion", rate=rate)
    assert len(insertion.tokens) == len(tokens) + asked
    new = Counter(insertion.tokens.tolist()) - Counter(listed)
    assert new.total() == asked
    assert np.isin(list(new), ids.text).all()


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 6), min_size=3, max_size=7),
    rate=st.sampled_from((*RATES, 0.001, 1.0)),
    seed=seeds,
)
def test_chosen_sentences_move_and_the_others_stay(sizes, rate, seed, ids):
    tokens = sentences(sizes)
    found = corrupt(
        tokens, np.random.default_rng(seed), ids, kind="shuffling", rate=rate
    )
    before, after = spans(tokens, ids), spans(found.tokens, ids)
    assert len(before) == len(sizes)
    moved = [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert len(moved) == min(max(2, round(rate * len(sizes))), len(sizes) - 1)
    assert sorted(before) == sorted(after)
    lost = [token for n in moved for token in before[n]]
    assert tokens[found.missing].tolist() == lost


def test_every_place_and_every_order_is_as_likely(ids):
    rng = np.random.default_rng(0)
    tokens = sentences([2, 2, 2, 2])
    times = 3000
    hit, first, new = np.zeros(8), Counter(), Counter()
    orders = Counter()
    for _ in range(times):
        hit[corrupt(tokens, rng, ids, kind="deletion", rate=0.25).missing] += 1
        longer = corrupt(tokens, rng, ids, kind="insertion", rate=0.125).tokens
        first[longer[0] != tokens[0]] += 1
        new.update((set(longer.tolist()) - set(tokens.tolist())) or {0})
        orders[corrupt(tokens, rng, ids, kind="shuffling", rate=0.75).tokens[0]] += 1
    assert np.allclose(hit / times, 0.25, atol=0.04)
    assert abs(first[True] / times - 1 / 9) < 0.03
    assert len(new) > 800  # of 997 text ids: a draw from all of them
    # The first sentence stays in 1/4, else one of the others is there, all alike.
    others = [count / times for count in orders.values()]
    assert len(others) == 4
    assert np.allclose(others, 0.25, atol=0.04)


def test_the_seed_decides(ids):
    tokens = sentences([3] * 6)
    for kind in KINDS:
        one, two, other = (
            corrupt(tokens, np.random.default_rng(seed), ids, kind=kind, rate=0.5)
            for seed in (0, 0, 1)
        )
        np.testing.assert_array_equal(one.tokens, two.tokens)
        assert not np.array_equal(one.tokens, other.tokens)


@pytest.mark.parametrize(
    ("tokens", "kind", "rate", "message"),
    [
        ([5, 6, 7], "maskin", 0.15, "did you mean 'masking'"),
        ([5, 6, 7], "masking", 0.0, "rate is 0.0"),
        ([5, 6, 7], "masking", 1.5, "rate is 1.5"),
        ([5, 6, 1], "masking", 0.15, "ends in EOS"),
        ([5], "deletion", 0.15, "too short for deletion"),
        ([5, 6, 7, 8], "shuffling", 0.15, "3 sentences to move some"),
    ],
)
def test_what_cannot_be_is_refused(tokens, kind, rate, message, ids):
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(corrupt)(
            tokens_of(tokens), np.random.default_rng(0), ids, kind=kind, rate=rate
        )
