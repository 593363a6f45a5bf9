"""A recommendation as plain values, of models whose predictions are known."""

import json

import numpy as np
import pytest

from sightline.diagnosis.tuning.recommendation_report import (
    WORST,
    as_values,
    points,
    validations,
)
from sightline.diagnosis.tuning.trust import Verdict

pytestmark = pytest.mark.unchecked


def test_without_an_own_loss_nothing_is_searched(case):
    _, table, found = case(loss={"trusted": False})
    assert found.worst is None and found.mixture is None and found.judged is None
    assert found.evidence == "no evidence about own. own: own is told."
    assert points(found, table, None) is None
    values = as_values(found, table, {}, None, models={}, noise={}, seed=0)
    assert values["mixture"] is None and values["predicted"] is None
    assert values["front"] == []


def test_measured_mixtures_are_the_means_of_their_runs(case, rows_of, grid):
    _, table, found = case()
    twice = table.rows([3, 5, 5])
    scores = np.array([[-1.0, 1, 4], [-3.0, 0, 5], [1.0, 2, 7]])
    held = rows_of(grid[[8]], np.array([[0.0, -9, 2]]))
    made = points(found, twice._replace(scores=scores), held)
    assert made.held_out.tolist() == [False, False, True]
    np.testing.assert_allclose(made.loss, [1, 1.5, 0.5])  # over the incumbent's 4.0
    base = table.scores[3]
    one, two = (f.scale for f in found.worst.failures)
    gains = [
        min((first - base[0]) / one, (base[1] - second) / two)
        for first, second in ((-1, 1), (-1, 1), (0, -9))
    ]
    np.testing.assert_allclose(made.worst, gains)


def test_values_are_json_and_name_every_component(case, grid, front_of):
    """Also shares of the loss, which are those of the examples without their own."""
    _, table, found = case(error=0.01, noise=0.0, loss={"error": 0.01, "noise": 0.0})
    line = front_of(found)
    values = as_values(
        found, table, {}, line, models={"own": "known"}, noise={"own": 0.0}, seed=7
    )
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["incumbent"] == {
        "rates": {"a": 0.0, "b": 0.6, "c": 0.4},
        "loss_shares": {"a": 0.0, "b": 0.6, "c": 0.4},
    }
    assert (values["rows"], values["mixtures"], values["seed"]) == (21, 21, 7)
    told = values["predicted"]
    gains = told["gains"].values()
    for end in ("value", "low", "high"):
        assert told["worst_gain"][end] == min(gain[end] for gain in gains)
    assert told["own_loss"]["low"] < told["own_loss"]["value"] <= 1.1
    losses = [point["own_loss"]["value"] for point in values["front"]]
    assert losses == sorted(losses) and len(losses) > 5
    own = table._replace(components=("a", "share_a", "c"), shares=grid)
    assert own.mixed == own.components  # a column of that name is no second simplex
    four = ("a", "b", "share_a", "share_b")
    halves = np.hstack([grid[:, :1], 1 - grid[:, :1], grid[:, 1:2], 1 - grid[:, 1:2]])
    both = found._replace(mixture=halves[5], incumbent=halves[3])
    values = as_values(
        both,
        table._replace(components=four, shares=halves),
        *({}, None),
        models={},
        noise={},
        seed=0,
    )
    assert values["components"] == ["a", "b"]
    assert values["mixture"]["rates"] == {"a": halves[5, 0], "b": halves[5, 1]}
    assert values["mixture"]["loss_shares"] == {"a": halves[5, 2], "b": halves[5, 3]}


def test_what_no_model_predicts_is_not_validated(case, rows_of, grid):
    assessed, table, found = case()
    held = rows_of(grid[4:9], table.scores[4:9])
    untold = assessed[1]._replace(verdict=Verdict(None, "of no evidence."))
    validated = validations(found, [assessed[0], untold, assessed[2]], held, seed=0)
    assert set(validated) == {"first", "own", WORST}
    # These models are true, and there is one run of each mixture.
    for each in validated.values():
        assert each.predicted.spearman.value == pytest.approx(1)
        assert each.predicted.regret.value == 0 and each.ceiling is None
    values = as_values(found, table, validated, None, models={}, noise={}, seed=0)
    assert values["validation"]["own"]["noise_ceiling"] is None
    assert values["validation"]["own"]["predicted"]["regret"]["value"] == 0
    flat = held._replace(scores=np.zeros((5, 3)))
    validated = validations(found, assessed, flat, seed=0)
    values = as_values(found, table, validated, None, models={}, noise={}, seed=0)
    assert values["validation"]["own"]["predicted"]["spearman"] is None
