"""Losses of rows that are drawn again, and the mean of an objective's tasks."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from jax import tree

from sightline.launch.inference import held_out_losses as losses
from sightline.launch.inference.held_out_losses import RowSums, resampled


def rows(nll, weight):
    return RowSums(*(np.array(each, float) for each in (nll, weight, weight)))


def test_a_drawn_loss_is_that_of_all_its_predictions():
    """Of two rows, (100 nats, 100 predictions) and (9, 1): twice one, or both."""
    drawn = resampled(rows([100, 9], [100, 1]), np.random.default_rng(0))
    values, counts = np.unique(drawn.round(6), return_counts=True)
    np.testing.assert_allclose(values, [1, 109 / 101, 9], rtol=1e-5)
    np.testing.assert_allclose(counts / len(drawn), [0.25, 0.5, 0.25], atol=0.07)


@hypothesis.given(
    st.lists(st.tuples(st.floats(0, 9), st.integers(1, 9)), min_size=1, max_size=3)
)
@hypothesis.settings(max_examples=30, deadline=None)
def test_every_drawn_loss_is_that_of_some_rows(pairs):
    """As many as there are, with replacement: all such draws, one after another."""
    nll, weight = zip(*pairs, strict=True)
    possible = [
        sum(nll[i] for i in some) / sum(weight[i] for i in some)
        for some in itertools.product(range(len(pairs)), repeat=len(pairs))
    ]
    drawn = resampled(rows(nll, weight), np.random.default_rng(0), resamples=50)
    assert len(drawn) == 50
    nearest = np.abs(drawn[:, None] - np.array(possible)).min(axis=1)
    assert nearest.max() < 1e-9


def task(name, loss, **fields):
    values = {"low": 0.0, "high": 0.0, "accuracy": 0.5, "baseline": 6.0, "uniform": 7.0}
    sizes = {"predictions": 100, "rows": 10}
    return losses.HeldOutLoss(name, loss, **{**values, **sizes, **fields})


def test_an_objective_is_the_mean_of_its_tasks_by_rate():
    """Not by predictions: a corpus with many held-out rows would decide it all."""
    tasks = [
        task("a.causal", 2.0, predictions=900),
        task("b.causal", 4.0, accuracy=1.0),
    ]
    drawn = [np.linspace(1, 3, 101), np.full(101, 4.0)]
    found = losses._mean("causal", tasks, drawn, np.array([0.3, 0.1]))
    assert found.loss == pytest.approx(2.5) and found.accuracy == pytest.approx(0.625)
    assert (found.predictions, found.rows) == (1000, 20)
    # 3/4 of what is drawn of the first, whose 95 % lie from 1.05 to 2.95.
    assert (found.low, found.high) == (pytest.approx(1.7875), pytest.approx(3.2125))


@pytest.mark.parametrize(("devices", "size"), [(1, 8), (3, 9), (8, 8), (16, 16)])
def test_rows_are_made_up_to_whole_devices_with_empty_ones(make_batches, devices, size):
    (batch,) = make_batches("decoder")
    whole = losses._whole_rows(batch, devices)
    assert len(whole.decoder.tokens) == size
    for before, after in zip(tree.leaves(batch), tree.leaves(whole), strict=True):
        np.testing.assert_array_equal(after[:8], before)
        assert not after[8:].any()
