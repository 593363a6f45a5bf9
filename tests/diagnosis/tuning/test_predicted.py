"""Tables with predictions beside their mixtures."""

import csv
import io

import numpy as np
import pytest

from sightline.diagnosis.tuning.predicted import (
    SUFFIXES,
    check_columns_to_add,
    predicted_csv,
)
from sightline.diagnosis.tuning.table import MixtureTable
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

FITTED = np.random.default_rng(0).dirichlet(np.ones(2), 12)
ASKED = np.array([[0.25, 0.75], [1.0, 0.0]])
CELLS = ({"run": "a, b", "x": ".25", "z": ".75"}, {"run": "c", "x": "1", "z": "0"})
TABLE = MixtureTable(("x", "z"), (), ASKED, np.empty((2, 0)), CELLS, (1, 2))


def test_every_target_has_its_prediction_and_interval(known, bowl):
    model = bowl((0.0, 1.0), height=5.0)
    trusted = known("y", model, FITTED, error=0.5)
    untold = known("other", model, FITTED, error=0.5, trusted=False)
    text = predicted_csv(TABLE, [trusted, untold])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["run"] for row in rows] == ["a, b", "c"]
    columns = [f"{name}_{suffix}" for name in ("y", "other") for suffix in SUFFIXES]
    assert list(rows[0]) == ["run", "x", "z", *columns]
    # 5 + 2 · .25², and 5 + 2.
    assert [float(row["y_predicted"]) for row in rows] == [5.125, 7]
    for row in rows:
        assert row["y_model"] == "known" and row["other_model"] == "constant"
        mean = float(row["other_predicted"])
        assert mean == pytest.approx(model.mean(FITTED).mean())
        assert float(row["y_se"]) == 0.5
        for end, side in (("low", -1), ("high", 1)):
            distance = float(row[f"y_{end}"]) - float(row["y_predicted"])
            assert distance == pytest.approx(side * 0.98)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_column_that_is_there_already_is_not_written_over(suffix):
    check_columns_to_add(TABLE, ["y"])
    name = f"y_{suffix}"
    taken = TABLE._replace(cells=tuple({**row, name: ""} for row in CELLS))
    with pytest.raises(UsageError, match=f"predictions of 'y' .* column '{name}'"):
        check_columns_to_add(taken, ["x", "y"])


def test_two_targets_do_not_write_one_column():
    with pytest.raises(UsageError, match=r"of 'a_se' are .*another target has"):
        check_columns_to_add(TABLE, ["a_se", "a_se"])
