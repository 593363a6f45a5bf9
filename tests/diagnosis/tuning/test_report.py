"""What a fit found as plain values."""

import pytest

from sightline.diagnosis.tuning.optimum import optimum
from sightline.diagnosis.tuning.report import report

pytestmark = pytest.mark.unchecked


def test_the_report_of_a_fit_names_rows_as_the_file_does(case, grid):
    assessed, table, _ = case()
    numbered = table._replace(numbers=tuple(range(101, 122)))
    first = assessed[0]._replace(cross_validation={}, holdout=None)
    best = optimum(first, grid)
    values = report(numbered, [first, assessed[1]], {"first": best}, seed=3)
    told = values["targets"]["first"]["optimum"]
    assert told["best_observed"]["row"] == 101 + first.scores.argmax()
    assert told["best_observed"]["mixture"] == dict(
        zip("abc", grid[first.scores.argmax()].tolist(), strict=True)
    )
    assert told["gain_over_row"] == told["best_observed"]["row"]
    assert told["gain"]["value"] == best.gain and told["apart"] == best.apart
    assert "optimum" not in values["targets"]["second"]
    assert values["targets"]["first"]["direction"] == "maximise"
    assert values["targets"]["second"]["direction"] == "minimise"
    assert (values["rows"], values["repeats"], values["seed"]) == (21, 1, 3)
    none = report(table, [first], {"first": None}, seed=0)
    assert none["targets"]["first"]["optimum"] is None
