"""Reconstruction: corrupted as BART does, and always the whole text restored."""

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from sightline.objectives import registry
from sightline.objectives.reconstruction import span_lengths
from sightline.objectives.words import sentence_begins

shares = st.floats(0, 1)


def reconstruct(text, ids, seed=0, **bound):
    objective = registry.get("reconstruction").with_settings(**bound)
    return objective(text, np.random.default_rng(seed), ids)


def content(text):
    return text.tokens[: len(text.tokens) - text.ends_document]


def distinct(make_text, length):
    """A window in which no token comes twice, so that each tells where it stood."""
    text = make_text(length + 1, 0, length)
    document = np.append(100 + np.arange(length), 1).astype(np.int32)
    return text._replace(document=document)


def kept(example, ids):
    """What is shown of the text, EOS and masks left out."""
    shown = example.inputs[:-1]
    return shown[shown != ids.mask]


@settings(max_examples=150, deadline=None)
@given(
    length=st.integers(3, 90),
    ends=st.booleans(),
    parts=st.tuples(shares, shares, shares, st.floats(0.01, 1)),
    mean_span=st.floats(1, 9),
    seed=st.integers(0, 2**32),
)
def test_the_target_is_the_window_whatever_is_corrupted(
    length, ends, parts, mean_span, seed, make_text, ids
):
    text = make_text(length + (0 if ends else 5), 0, length)
    infill, mask, delete = (part / max(sum(parts[:3]), 1.01) for part in parts[:3])
    bound = dict(infill=infill, mask=mask, delete=delete, shuffle=parts[3])
    mean_span = mean_span if infill else 3.0
    example = reconstruct(text, ids, seed, mean_span=mean_span, **bound)
    np.testing.assert_array_equal(example.targets[:-1], content(text))
    assert example.targets[-1] == example.inputs[-1] == ids.eos
    assert (example.targets == ids.eos).sum() == 1
    assert example.targets_weights.all()
    size = len(example.inputs)
    np.testing.assert_array_equal(example.inputs_positions, 1 + np.arange(size))
    np.testing.assert_array_equal(
        example.targets_positions, size + 2 + np.arange(len(example.targets))
    )
    lengths = (
        registry.get("reconstruction")
        .with_settings(mean_span=mean_span, **bound)
        .lengths(length)
    )
    assert size <= lengths.inputs <= length + 1
    assert ends or delete or size == lengths.inputs


@pytest.mark.parametrize("length", [5, 60, 511])
def test_counts_are_fixed_and_what_is_left_is_in_order(length, make_text, ids):
    text = distinct(make_text, length)
    for seed in range(30):
        deleted = reconstruct(text, ids, seed, infill=0.0, delete=0.2)
        assert len(deleted.inputs) == length - round(0.2 * length) + 1
        assert (np.diff(kept(deleted, ids)) > 0).all()

        masked = reconstruct(text, ids, seed, infill=0.0, mask=0.4)
        assert len(masked.inputs) == length + 1
        hidden = masked.inputs[:-1] == ids.mask
        assert hidden.sum() == round(0.4 * length)
        np.testing.assert_array_equal(
            masked.inputs[:-1][~hidden], content(text)[~hidden]
        )

        both = reconstruct(text, ids, seed, infill=0.3, mask=0.1, delete=0.1)
        gone = sum(max(1, round(s * length)) for s in (0.3, 0.1, 0.1))
        assert len(kept(both, ids)) == length - gone
        assert (np.diff(kept(both, ids)) > 0).all()


def test_span_lengths_are_poisson():
    """Chi-square, 99.9 % point."""
    rng = np.random.default_rng(0)
    drawn = np.concatenate([span_lengths(3000, rng, mean_span=3.0) for _ in range(10)])
    assert len(drawn) == 10_000 and drawn.sum() == 30_000
    observed = np.bincount(np.minimum(drawn, 9), minlength=10)
    expected = stats.poisson(3.0).pmf(np.arange(10))
    expected[9] = 1 - expected[:9].sum()
    assert stats.chisquare(observed, expected * len(drawn)).pvalue > 0.001


def slow_infill(tokens, rng, *, share, mean, mask):
    """Text infilling read off the definition, one token and one span at a time.

    Poisson lengths are drawn again until they hold as much as is to be dropped.
    """
    budget = round(share * len(tokens))
    spans = [-1]
    while sum(spans) != budget:
        spans = rng.poisson(mean, round(budget / mean)).tolist()
    kept = ["kept"] * (len(tokens) - budget)
    order = rng.permutation(kept + [f"span {k}" for k in range(len(spans))])
    left, shown = list(tokens), []
    for item in order.tolist():
        if item == "kept":
            shown.append(left.pop(0))
        else:
            shown.append(mask)
            for _ in range(spans[int(item.split()[1])]):
                left.pop(0)
    assert not left
    return np.array(shown)


@pytest.mark.unchecked
def test_masks_and_gaps_are_distributed_as_in_the_slow_reference(make_text, ids):
    """Two-sample chi-square on runs of masks and tokens lost a run, 99.9 % point."""
    text = distinct(make_text, 80)
    rng = np.random.default_rng(0)
    tables = []
    for corrupt in (
        lambda n: reconstruct(text, ids, n).inputs[:-1],
        lambda _: slow_infill(content(text), rng, share=0.3, mean=3, mask=ids.mask),
    ):
        masks, gaps, first = collections.Counter(), collections.Counter(), 0
        for n in range(1500):
            shown = corrupt(n)
            hidden = shown == ids.mask
            runs = 1 + int((np.diff(np.flatnonzero(hidden)) > 1).sum())
            masks[max(runs, 4)] += 1  # masks that touch are one run
            first += hidden[0]
            gaps.update(np.minimum(np.diff(shown[~hidden]) - 1, 8).tolist())
        gaps.pop(0)
        tables.append([masks, gaps, {0: first, 1: 1500 - first}])
    for one, other in zip(*tables, strict=True):
        keys = sorted({*one, *other})
        table = [[counts.get(key, 0) for key in keys] for counts in (one, other)]
        assert stats.chi2_contingency(table).pvalue > 0.001


@pytest.mark.unchecked
@pytest.mark.parametrize(("mean_span", "layouts"), [(3.0, 3), (1.0, 6)])
def test_every_layout_is_equally_likely(mean_span, layouts, make_text, ids):
    """4 tokens, 2 dropped: one span has 3 places, two (1 and 1, or 2 and 0) have 6."""
    text = distinct(make_text, 4)
    bound = dict(infill=0.5, mean_span=mean_span)
    places = collections.Counter(
        tuple(t == ids.mask for t in reconstruct(text, ids, seed, **bound).inputs[:-1])
        for seed in range(6000)
    )
    assert len(places) == layouts
    mean = 6000 / layouts
    assert all(abs(n - mean) < 5 * np.sqrt(mean) for n in places.values())


@pytest.mark.unchecked
def test_spans_of_any_length_stand_anywhere(make_text, ids):
    """As much is lost of the first half as of the second, ± 5 σ."""
    text = distinct(make_text, 60)
    lost = []
    for seed in range(2000):
        left = kept(reconstruct(text, ids, seed), ids)
        lost.append((left >= 130).sum() - (left < 130).sum())
    assert abs(np.mean(lost)) < 5 * np.std(lost) / np.sqrt(len(lost))


def sentences(tokens, ids):
    starts = np.flatnonzero(sentence_begins(tokens, ids))
    return [tuple(part.tolist()) for part in np.split(tokens, starts[1:])]


def test_permuted_sentences_are_the_same_sentences(make_text, ids):
    text = make_text(301, 0, 300)
    before = sentences(content(text), ids)
    assert len(before) > 5
    for seed in range(20):
        example = reconstruct(text, ids, seed, infill=0.0, shuffle=1.0)
        shown = tuple(example.inputs[:-1].tolist())
        places = [find(shown, part) for part in before]
        order = sorted(range(len(before)), key=lambda k: places[k])
        assert sum((before[k] for k in order), ()) == shown


def find(tokens, part):
    """Where a run of tokens stands in a text."""
    size = len(part)
    return next(n for n in range(len(tokens)) if tokens[n : n + size] == part)


@pytest.mark.unchecked
def test_every_order_of_sentences_is_equally_likely(make_text, ids):
    end, start = int(ids.sentence_ends[0]), int(ids.word_starts[9])
    bodies = [[start, 11 + k, end] for k in range(4)]
    document = np.array([*itertools.chain(*bodies), ids.eos], np.int32)
    text = make_text(13)._replace(document=document)
    orders = collections.Counter(
        tuple(reconstruct(text, ids, seed, infill=0.0, shuffle=1.0).inputs[1:12:3])
        for seed in range(4800)
    )
    assert len(orders) == 24
    assert all(abs(n - 200) < 5 * np.sqrt(200) for n in orders.values())


@pytest.mark.unchecked
def test_sentences_are_permuted_at_the_rate(make_text, ids):
    text = make_text(301, 0, 300)
    moved = [
        reconstruct(text, ids, seed, infill=0.0, shuffle=0.25).inputs[:-1].tolist()
        != content(text).tolist()
        for seed in range(1000)
    ]
    assert abs(np.mean(moved) - 0.25) < 5 * np.sqrt(0.19 / 1000)


def test_infilling_comes_after_permuting(make_text, ids):
    """BART's own setting: as many tokens are left, in another order."""
    left = kept(reconstruct(distinct(make_text, 300), ids, 3, shuffle=1.0), ids)
    assert len(left) == 300 - 90
    assert (np.diff(left) < 0).any()


def test_a_vocabulary_without_sentences_is_refused(make_text, ids):
    bare = ids._replace(sentence_ends=np.zeros(0, np.int32))
    with pytest.raises(
        ValueError, match=r"no token that ends a sentence.*shuffle=0\.0"
    ):
        reconstruct(make_text(30), bare, shuffle=0.5)
