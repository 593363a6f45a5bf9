"""Which model is trusted, of bootstrap draws that are written down."""

import numpy as np
import pytest

from sightline.diagnosis.tuning.trust import trust

pytestmark = pytest.mark.unchecked


def draws(value, low, high):
    """A figure, and 1,001 draws of it that are spread evenly from low to high."""
    return np.append(value, np.linspace(low, high, 1001))


ONE = draws(1.0, 1.0, 1.0)


def test_the_least_error_below_a_constants_is_trusted():
    errors = {"a": draws(0.8, 0.7, 0.9), "constant": ONE, "b": draws(0.5, 0.4, 0.6)}
    found = trust(errors, constant="constant", span=1.0)
    assert found.model == "b" and found.not_apart == ()
    assert found.reason.startswith("the error of b is 0.500 of a constant's")
    assert found.reason.endswith(", the least.")


def test_an_error_is_measured_in_that_of_a_constant():
    errors = {"a": draws(0.5, 0.4, 0.8), "constant": 0.4 * ONE}
    assert trust(errors, constant="constant", span=1.0).model is None
    errors["constant"] = 2 * ONE
    found = trust(errors, constant="constant", span=1.0)
    assert "0.250 of a constant's (95 % interval 0.205 – 0.395)" in found.reason


def test_the_least_error_is_not_trusted_where_its_interval_reaches_a_constants():
    errors = {"constant": ONE, "a": draws(0.8, 0.7, 0.9), "b": draws(0.5, 0.1, 1.4)}
    assert trust(errors, constant="constant", span=1.0).model == "a"
    del errors["a"]
    found = trust(errors, constant="constant", span=1.0)
    assert found.model is None and "the error of b is 0.500" in found.reason


def test_where_none_is_trusted_the_least_error_is_told():
    errors = {"constant": ONE, "a": draws(1.2, 1, 2), "b": draws(0.9, 0.5, 1.4)}
    found = trust({**errors, "c": draws(1.1, 1, 2)}, constant="constant", span=1.0)
    assert found.model is None and "the error of b is 0.900" in found.reason


def test_a_model_that_is_wrong_as_a_constant_is_is_not_trusted():
    swing = draws(1.0, 0.5, 1.5)
    errors = {"constant": swing, "mean": swing}
    assert trust(errors, constant="constant", span=1.0).model is None


def test_the_intervals_hold_for_all_models_together():
    """Of draws up to 1.01 a 61st is above 1: too much for four models, not for one."""
    near, bad = draws(0.7, 0.4, 1.01), draws(3.0, 2.0, 4.0)
    alone = {"constant": ONE, "near": near}
    assert trust(alone, constant="constant", span=1.0).model == "near"
    four = {**alone, "b": bad, "c": bad, "d": bad}
    found = trust(four, constant="constant", span=1.0)
    assert found.model is None and "98.75 % interval" in found.reason


def test_models_that_are_not_worse_beyond_chance_are_named():
    swing = np.append(0.0, np.linspace(-0.1, 0.1, 1001))
    errors = {
        "constant": ONE,
        "best": draws(0.5, 0.5, 0.5),
        "tied": 0.55 + swing,
        "worse": 0.65 + swing,
        "bad": draws(1.5, 1.4, 1.6),
    }
    found = trust(errors, constant="constant", span=1.0)
    assert found.model == "best" and found.not_apart == ("tied",)
    assert found.reason.endswith("the least; not apart from it: tied.")


def test_where_every_row_has_one_score_there_is_nothing_to_predict():
    errors = {"constant": 0 * ONE, "a": 0 * ONE}
    found = trust(errors, constant="constant", span=0.0)
    assert found.model is None
    assert found.reason.endswith("every row has the same score.")
