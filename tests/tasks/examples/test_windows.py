import itertools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from sightline.tasks.examples.windows import (
    FEWEST_DOCUMENTS,
    SHUFFLED,
    block_documents,
    example_rng,
    shuffled_windows,
    windows,
)
from sightline.tasks.tokens.tokenised_documents import TokenisedDocuments
from sightline.tasks.tokens.vocabulary import vocabulary


@hypothesis.given(
    length=st.integers(0, 300), smallest=st.integers(1, 8), extra=st.integers(0, 40)
)
def test_windows_use_every_token_in_order_and_none_is_too_short(
    length: int, smallest: int, extra: int
):
    window = smallest + extra
    spans = windows(length, window=window, smallest=smallest)
    if length < smallest:
        assert spans == []
        return
    assert spans[0][0] == 0 and spans[-1][1] == length
    assert all(smallest <= stop - start <= window for start, stop in spans)
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(spans)]
    assert all(gap <= 0 for gap in gaps)
    if window >= 2 * smallest - 1:  # there is always enough to borrow
        assert all(gap == 0 for gap in gaps)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (10, [(0, 5), (5, 10)]),
        (12, [(0, 5), (5, 9), (9, 12)]),
        (2, []),
        (3, [(0, 3)]),
    ],
)
def test_a_short_tail_borrows(length: int, expected: list[tuple[int, int]]):
    assert windows(length, window=5, smallest=3) == expected


def test_every_part_of_an_example_changes_its_randomness():
    base = {"epoch": 0, "document": 5, "window": 2}

    def draw(seed: int = 1, corpus="a", objective="masked", **changed: int) -> int:
        rng = example_rng(seed, corpus, objective, **{**base, **changed})
        return int(rng.integers(2**62))

    assert draw() == draw()
    others = [
        draw(seed=2),
        draw(seed=-1),
        draw(seed=1 + 2**32),
        draw(objective="causal"),
        draw(corpus="b"),
        draw(corpus="masked", objective="a"),
        draw(epoch=1),
        draw(document=2),
        draw(window=5),
        draw(document=2, window=5),
    ]
    assert len({draw(), *others}) == 1 + len(others)


def test_streams_of_neighbouring_examples_are_uncorrelated():
    rows = np.array(
        [
            example_rng(0, "a", "masked", epoch=0, document=d, window=0).random(64)
            for d in range(200)
        ]
    )
    assert abs(rows.mean() - 0.5) < 0.02
    assert abs(np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]) < 0.03


def cut(length):
    return windows(length, window=10, smallest=2)


def test_windows_of_all_documents_change_places():
    lengths = [25, 1, 4000, 10]
    order = shuffled_windows(lengths, cut, np.random.default_rng(0))
    expected = {
        (number, window, *span)
        for number, length in enumerate(lengths)
        for window, span in enumerate(cut(length))
    }
    assert set(map(tuple, order.tolist())) == expected and len(order) == len(expected)
    long = order[order[:, 0] == 2, 1]
    # As far from their places as those of a random order: a third of the way.
    assert abs(np.abs(long - np.arange(400)).mean() - 400 / 3) < 20
    assert (np.diff(long) == 1).sum() < 10


def test_a_small_epoch_is_one_block_and_a_large_one_equal_ones(small_corpus):
    def size(lengths):
        documents = TokenisedDocuments(
            small_corpus(lengths), "train", vocabulary("bytes")
        )
        return block_documents(documents, cut)

    assert size([50] * 300) == 300
    many = size([99] * 2 * SHUFFLED)
    assert many == SHUFFLED // 10 or abs(many * 10 - SHUFFLED) < 0.05 * SHUFFLED
    assert size([10 * SHUFFLED] * 100) == FEWEST_DOCUMENTS
