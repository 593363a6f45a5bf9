import itertools

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from sightline.tasks.examples.windows import example_rng, windows


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

    def draw(seed: int = 1, objective: str = "masked", **changed: int) -> int:
        rng = example_rng(seed, objective, **{**base, **changed})
        return int(rng.integers(2**62))

    assert draw() == draw()
    others = [
        draw(seed=2),
        draw(seed=-1),
        draw(seed=1 + 2**32),
        draw(objective="causal"),
        draw(epoch=1),
        draw(document=2),
        draw(window=5),
        draw(document=2, window=5),
    ]
    assert len({draw(), *others}) == 1 + len(others)


def test_streams_of_neighbouring_examples_are_uncorrelated():
    rows = np.array(
        [
            example_rng(0, "masked", epoch=0, document=d, window=0).random(64)
            for d in range(200)
        ]
    )
    assert abs(rows.mean() - 0.5) < 0.02
    assert abs(np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]) < 0.03
