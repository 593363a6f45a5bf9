"""No pair is called false that a document shows to be true."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.objectives.errors import NoExampleError
from sightline.objectives.sentence_pair import sentence_pair
from sightline.objectives.special_ids import SpecialIds
from sightline.objectives.text import Text

pytestmark = pytest.mark.unchecked

IDS = SpecialIds(
    pad=0,
    bos=2,
    eos=1,
    mask=90,
    sep=91,
    labels=(92, 93),
    modes=(94, 95, 96),
    fill=(97, 98, 99),
    sentinels=(),
    text=np.arange(3, 90, dtype=np.int32),
    word_starts=np.arange(3, 90, dtype=np.int32),
    sentence_ends=np.array([3], np.int32),
)
NEGATIVE = {"other": 0.4, "further": 0.3, "swapped": 0.3}


def stands_in(document, first, second):
    """Slowly: whether the two texts stand in the document one after the other."""
    wanted = [*first, *second]
    size = len(wanted)
    return any(
        list(document[at : at + size]) == wanted
        for at in range(len(document) - size + 1)
    )


def pairs_of(documents, index, *, start, stop, unit, seeds, **rates):
    """(label, first, second, documents drawn) of a window, for many seeds."""
    for seed in range(seeds):
        drawn = []

        def other(rng, drawn=drawn):
            others = [d for n, d in enumerate(documents) if n != index]
            drawn.append(others[int(rng.integers(len(others)))])
            return drawn[-1]

        text = Text(documents[index], start, stop, other)
        rng = np.random.default_rng(seed)
        try:
            example = sentence_pair(text, rng, IDS, unit=unit, **rates)
        except NoExampleError:
            continue
        at = list(example.inputs).index(IDS.sep)
        label = int(example.targets[0] == IDS.labels[1])
        yield label, example.inputs[:at], example.inputs[at + 1 :], drawn


sentences = st.lists(st.integers(4, 6), min_size=1, max_size=3).map(lambda s: [*s, 3])
bodies = st.lists(sentences, min_size=2, max_size=8).map(
    lambda lists: [token for one in lists for token in one]
)


@settings(max_examples=60, deadline=None)
@given(
    bodies=st.lists(bodies, min_size=2, max_size=4),
    repeats=st.integers(1, 3),
    copies=st.booleans(),
    unit=st.sampled_from(["token", "sentence"]),
    window=st.integers(4, 24),
    begin=st.integers(0, 5),
)
def test_no_negative_is_a_true_continuation(
    bodies, repeats, copies, unit, window, begin
):
    documents = [np.array([*(body * repeats), 1], np.int32) for body in bodies]
    if copies:
        documents += documents
    size = len(documents[0])
    start = min(begin, max(0, size - 4))
    stop = min(size, start + window)
    if stop - start < 4:
        return
    for label, first, second, drawn in pairs_of(
        documents, 0, start=start, stop=stop, unit=unit, seeds=4, **NEGATIVE
    ):
        # All are negatives. The documents drawn last are those that gave the B, but
        # for a swapped pair, whose texts are the window's own.
        assert label == 0
        assert not stands_in(documents[0], first, second)
        if stands_in(documents[0][start:stop], second, first):
            continue
        source = [d for d in drawn[-16:] if stands_in(d, [], second)]
        assert not any(stands_in(d, first, second) for d in source)


@pytest.mark.parametrize("unit", ["token", "sentence"])
def test_a_text_that_repeats_itself_has_no_pairs(unit):
    blank = np.array([10, 11, 12, 13, 3] * 40 + [1], np.int32)
    others = np.array([20, 21, 22, 23, 3] * 40 + [1], np.int32)
    found = pairs_of([blank, others], 0, start=0, stop=50, unit=unit, seeds=200)
    labels = [label for label, first, second, _ in found]
    false = 0
    for label, first, second, _ in pairs_of(
        [blank, others], 0, start=0, stop=50, unit=unit, seeds=200
    ):
        false += label == 0 and stands_in(blank, first, second)
    assert not false
    # Sentences of another document still are a negative; cut anywhere, few pairs are.
    assert not labels or 0 < np.mean(labels) < 1


def test_the_label_does_not_tell_whether_there_was_another_try():
    """Half of the documents are copies: positives stay as frequent as asked for."""
    rng = np.random.default_rng(0)
    documents = [np.append(rng.integers(4, 90, 60), 1).astype(np.int32) for _ in "ab"]
    documents = [*documents, documents[0], documents[0]]
    rates = {"other": 0.5, "further": 0.0, "swapped": 0.0}
    found = pairs_of(documents, 0, start=4, stop=24, unit="token", seeds=600, **rates)
    labels = [label for label, *_ in found]
    assert len(labels) == 600
    assert abs(np.mean(labels) - 0.5) < 0.08
