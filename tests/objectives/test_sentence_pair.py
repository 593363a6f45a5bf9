"""Pairs: three kinds of negatives, and nothing but the texts tells the label."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives import registry
from sightline.objectives.errors import UsageError
from sightline.objectives.sentence_cuts import TOO_SHORT
from sightline.objectives.tally import counted

pytestmark = pytest.mark.unchecked


@pytest.mark.parametrize("most", [15, 3, 0, -5, 16.0, True])
def test_fewer_tokens_than_a_pair_has_are_refused(most):
    with pytest.raises(UsageError, match=r"max_tokens is .* whole number from 16"):
        registry.get("sentence_pair").with_settings(max_tokens=most).lengths(16)
    shortest = registry.get("sentence_pair").with_settings(max_tokens=16)
    assert [n for n in range(40) if shortest.lengths(n) is not None] == [16]
    assert shortest.smallest() == 16


def split(example, ids):
    at = int(np.flatnonzero(example.inputs == ids.sep)[0])
    return example.inputs[:at].tolist(), example.inputs[at + 1 :].tolist()


def kind_of(text, example, ids):
    """Which kind of pair this is, by where its two texts come from."""
    first, second = split(example, ids)
    window = text.tokens[: len(text.tokens) - text.ends_document].tolist()
    if first + second == window:
        return "continues"
    if second + first == window:
        return "swapped"
    return "other" if min(second) >= 500 else "further"


def pairs(text, ids, *, count, **settings):
    objective = registry.get("sentence_pair").with_settings(**settings)
    rng = np.random.default_rng(0)
    return [objective(text, rng, ids) for _ in range(count)]


def test_rates_of_each_kind_and_their_labels(make_text, ids):
    text = make_text(400, 0, 100)
    examples = pairs(text, ids, count=4000, other=0.2, further=0.1, swapped=0.3)
    kinds = [kind_of(text, example, ids) for example in examples]
    rates = {"continues": 0.4, "other": 0.2, "further": 0.1, "swapped": 0.3}
    for kind, rate in rates.items():
        assert abs(kinds.count(kind) / 4000 - rate) < 5 * np.sqrt(rate / 4000)
    for kind, example in zip(kinds, examples, strict=True):
        assert example.targets.tolist() == [ids.labels[kind == "continues"]]


@pytest.mark.parametrize("kind", ["other", "further", "swapped"])
def test_lengths_do_not_tell_the_label(kind, make_text, ids):
    """The same cuts, whatever the label: both parts are as long for negatives."""
    text = make_text(400, 0, 100)
    rates = {"other": 0.0, "further": 0.0, "swapped": 0.0, kind: 0.5}
    lengths: dict[int, list[int]] = {ids.labels[0]: [], ids.labels[1]: []}
    for example in pairs(text, ids, count=4000, **rates):
        lengths[int(example.targets[0])].append(len(split(example, ids)[0]))
    no, yes = (np.array(lengths[label]) for label in ids.labels)
    assert abs(no.mean() - yes.mean()) < 5 * no.std() * np.sqrt(2 / 2000)
    assert abs(no.std() - yes.std()) < 0.1 * no.std()


def test_label_does_not_depend_on_what_the_document_allows(make_text, ids):
    """At the end of a document nothing follows: swapped pairs take the place."""
    text = make_text(100, 40, 100)
    examples = pairs(text, ids, count=2000, other=0.0, further=0.5, swapped=0.0)
    kinds = [kind_of(text, example, ids) for example in examples]
    assert set(kinds) == {"continues", "swapped"}
    assert abs(kinds.count("swapped") / 2000 - 0.5) < 5 * 0.5 / np.sqrt(2000)


def test_further_text_is_later_text_of_the_same_document(make_text, ids):
    text = make_text(400, 100, 160)
    later = "," + ",".join(map(str, text.document[160:-1].tolist())) + ","
    for example in pairs(text, ids, count=50, other=0.0, further=1.0, swapped=0.0):
        assert "," + ",".join(map(str, split(example, ids)[1])) + "," in later


def test_neither_eos_nor_label_is_shown(make_text, ids):
    for example in pairs(make_text(100), ids, count=200):
        assert ids.eos not in example.inputs
        assert not set(ids.labels) & set(example.inputs.tolist())


def test_other_text_comes_from_any_place_of_the_corpus_alike(make_text, ids):
    """Nine documents of 60 tokens for one of 960: the long one has 93 % of places."""

    def other(rng):
        long = rng.random() < 0.1
        return np.append(np.full(960 if long else 60, 600 + long), 1).astype(np.int32)

    text = make_text(400, 0, 40)._replace(other=other)
    found = []
    for example in pairs(text, ids, count=2000, other=1.0, further=0.0, swapped=0.0):
        _, second = split(example, ids)
        found.append((len(second), second[0] == 601))
    sizes, from_long = np.array(found).T
    long, short = 0.1 * (961 - sizes), 0.9 * (61 - sizes)
    expected = np.mean(long / (long + short))
    # 16 draws have no long document with probability 0.9^16 = 0.19.
    assert expected - 0.25 < from_long.mean() <= expected
    assert from_long.mean() > 0.6


@pytest.mark.parametrize("kind", ["other", "further", "swapped"])
@pytest.mark.parametrize("length", [4, 5, 8, 9, 62])
def test_no_length_is_found_with_one_label_only(kind, length, make_text, ids):
    text = make_text(400, 0, length)
    rates = {"other": 0.0, "further": 0.0, "swapped": 0.0, kind: 0.5}
    lengths = {label: set() for label in ids.labels}
    for example in pairs(text, ids, count=1500, **rates):
        lengths[int(example.targets[0])].add(len(split(example, ids)[0]))
    no, yes = (lengths[label] for label in ids.labels)
    assert no == yes


@pytest.mark.parametrize("unit", ["token", "sentence"])
@pytest.mark.parametrize("swapped", [0.0, 0.2])
@pytest.mark.parametrize("stop", [60, 100])
def test_where_no_other_document_is_another_kind_takes_its_place(
    unit, swapped, stop, make_text, ids
):
    """As of the one document that a small corpus holds out."""
    text = make_text(100, 0, stop)._replace(other=lambda _: np.array([1], np.int32))
    rates = {"other": 0.3, "further": 0.0, "swapped": swapped}
    with counted() as events:
        examples = pairs(text, ids, count=1000, unit=unit, **rates)
    false = [example.targets[0] == ids.labels[0] for example in examples]
    rate = 0.3 + swapped
    assert abs(np.mean(false) - rate) < 5 * np.sqrt(rate / 1000)
    assert events[TOO_SHORT] > 0 or unit == "sentence"


FURTHER = {"other": 0.0, "further": 1.0, "swapped": 0.0}


def numbered(make_text, length, start, stop):
    """A text in which token n of the document has the id 3 + n."""
    document = np.append(3 + np.arange(length - 1), 1).astype(np.int32)
    return make_text(length, start, stop)._replace(document=document)


@settings(max_examples=150, deadline=None)
@given(
    length=st.integers(4, 60),
    start=st.integers(0, 20),
    after=st.integers(0, 60),
    distance=st.integers(1, 80),
    seed=st.integers(0, 2**32),
)
def test_text_at_a_distance_begins_there_or_is_not_used(
    length, start, after, distance, seed, make_text, ids
):
    """Also nearer than the window is long, and where the document ends soon."""
    text = numbered(make_text, start + length + after + 1, start, start + length)
    objective = registry.get("sentence_pair").with_settings(
        distance=distance, **FURTHER
    )
    example = objective(text, np.random.default_rng(seed), ids)
    first, second = split(example, ids)
    assert example.targets.tolist() == [ids.labels[0]]
    window = text.tokens.tolist()
    if second + first == window:
        cut = len(second)
        # The B of A = `second`, and a token after it that is not the end.
        assert start + cut + distance + len(first) + 1 > len(text.document) - 1
    else:
        assert first == window[: len(first)]
        assert second[0] == first[-1] + 1 + distance
        assert second == list(range(second[0], second[0] + len(second)))
        assert len(first) + len(second) == length
        # It ends its document no more than the true B does.
        assert second[-1] < text.document[-2]


@pytest.mark.parametrize("distance", [1, 5, 30, 200])
def test_a_distance_leaves_rates_and_lengths_alike(distance, make_text, ids):
    """Labels at their rate wherever the window is, and every cut with both labels."""
    for start, stop in ((0, 60), (280, 340), (339, 399), (340, 400)):
        text = make_text(400, start, stop)
        rates = {**FURTHER, "further": 0.5}
        examples = pairs(text, ids, count=2000, distance=distance, **rates)
        labels = np.array([int(e.targets[0]) == ids.labels[1] for e in examples])
        cuts = np.array([len(split(e, ids)[0]) for e in examples])
        assert abs(labels.mean() - 0.5) < 5 * 0.5 / np.sqrt(2000)
        assert set(cuts[labels]) == set(cuts[~labels])
        spread = cuts.std() * np.sqrt(2 / 1000)
        assert abs(cuts[labels].mean() - cuts[~labels].mean()) < 5 * spread


@pytest.mark.parametrize("distance", [None, 1, 7, 100])
def test_text_that_ends_a_document_does_not_tell_the_label(distance, make_text, ids):
    """A window that ends its document has no later B; another kind takes its place."""
    rates = {"other": 0.25, "further": 0.25, "swapped": 0.0}
    text = make_text(400, 340, 400)
    examples = pairs(text, ids, count=1000, distance=distance, **rates)
    assert {kind_of(text, e, ids) for e in examples} == {"continues", "other"}
    for start, stop in ((0, 60), (330, 390), (338, 398)):
        text = numbered(make_text, 400, start, stop)
        for example in pairs(text, ids, count=300, distance=distance, **FURTHER):
            assert text.document[-2] not in split(example, ids)[1]


def test_a_near_negative_may_share_text_with_the_true_one(make_text, ids):
    text = numbered(make_text, 400, 0, 100)
    shared = []
    for example in pairs(text, ids, count=200, distance=5, **FURTHER):
        first, second = split(example, ids)
        true = set(text.tokens[len(first) :].tolist())
        shared.append(len(true & set(second)) == len(second) - 5)
        assert not set(first) & set(second)
    assert all(shared)


@pytest.mark.parametrize("distance", [None, 3])
def test_single_tokens_do_not_tell_the_label(distance, make_text, ids):
    """Where no token says anything of the next, neither does any part of a pair.

    Random documents; first and last tokens, means and how much of A comes again in B
    are told apart by label no better than chance, 5 σ.
    """
    rates = {"other": 0.2, "further": 0.2, "swapped": 0.1}
    objective = registry.get("sentence_pair").with_settings(distance=distance, **rates)
    rng = np.random.default_rng(0)
    rows, labels = [], []
    for seed in range(3000):
        tokens = np.append(rng.integers(3, 23, 120), 1).astype(np.int32)
        start = 30 * (seed % 4)
        text = make_text(121)._replace(
            document=tokens,
            start=start,
            stop=min(start + 30, 121) + (start == 90),
            other=lambda rng: np.append(rng.integers(3, 23, 120), 1).astype(np.int32),
        )
        example = objective(text, rng, ids)
        a, b = map(np.array, split(example, ids))
        again = np.isin(b, a).mean()
        rows.append([a[0], a[-1], b[0], b[-1], a.mean(), b.mean(), again, len(a)])
        labels.append(int(example.targets[0]) == ids.labels[1])
    rows, yes = np.array(rows), np.array(labels)
    means = rows[yes].mean(0) - rows[~yes].mean(0)
    spread = rows.std(0) * np.sqrt(1 / yes.sum() + 1 / (~yes).sum())
    assert np.all(np.abs(means) < 5 * spread)
