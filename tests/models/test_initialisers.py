"""Initial values: their deviation, where they are cut, and that they are apart."""

import math

import numpy as np
import pytest
import scipy.stats
from flax import nnx

from sightline.models.initialisers import fan_in


def drawn(shape=(200, 300), *, seed=0, **given):
    rngs = nnx.Rngs(params=seed)
    return fan_in(rngs, shape, ("embed", "hidden"), **given)


@pytest.mark.parametrize(("inputs", "gain"), [(64, 1.0), (300, 0.5), (1, 2.0)])
def test_values_are_of_a_normal_that_is_cut_at_two_deviations(inputs, gain):
    """And rescaled, so that the deviation is the one that is stated."""
    values = np.asarray(drawn(inputs=inputs, gain=gain).get_value(), np.float64).ravel()
    wanted = gain / math.sqrt(inputs)
    assert values.std() == pytest.approx(wanted, rel=0.01)
    assert abs(values.mean()) < 0.02 * wanted
    cut = scipy.stats.truncnorm(-2, 2)
    uncut = wanted / cut.std()
    assert 1.99 < np.abs(values).max() / uncut <= 2.0 + 1e-6
    assert (
        scipy.stats.kstest(values / uncut, scipy.stats.truncnorm(-2, 2).cdf)[1] > 0.001
    )


def test_unit_inputs_give_unit_outputs():
    matrix = np.asarray(drawn((400, 500), inputs=400).get_value())
    inputs = np.random.default_rng(0).normal(size=(50, 400))
    assert (inputs @ matrix).std() == pytest.approx(1.0, rel=0.02)


def test_parameters_of_one_stream_are_apart_and_have_their_axes():
    rngs = nnx.Rngs(params=0)
    one, two = (fan_in(rngs, (3, 4), ("embed", "heads"), inputs=3) for _ in range(2))
    assert not np.array_equal(one.get_value(), two.get_value())
    assert one.get_metadata()["axes"] == ("embed", "heads")
    again = fan_in(nnx.Rngs(params=0), (3, 4), ("embed", "heads"), inputs=3)
    np.testing.assert_array_equal(one.get_value(), again.get_value())
