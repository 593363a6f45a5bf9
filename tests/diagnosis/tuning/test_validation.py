"""Predictions and runs of other seeds against runs, beside SciPy."""

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from sightline.diagnosis.tuning.validation import by_mixture, validation

pytestmark = pytest.mark.unchecked


def test_runs_by_mixture_are_as_many_as_all_have():
    scores = np.array([10.0, 20, 30, 40, 50, 60])
    first, runs = by_mixture(scores, np.array([1, 0, 1, 0, 1, 0])[[0, 1, 2, 3, 4, 1]])
    assert first == [1, 0]
    np.testing.assert_array_equal(runs, [[20, 40, 60], [10, 30, 50]])
    first, runs = by_mixture(scores[:3], np.array([1, 0, 1]))
    np.testing.assert_array_equal(runs, [[20], [10]])


@pytest.mark.parametrize("up", [False, True])
def test_predictions_and_other_seeds_are_measured_on_every_run(up):
    """Beside SciPy: the mean over runs, and over ordered pairs of runs."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=9)
    runs = truth[:, None] + rng.normal(scale=0.7, size=(9, 3))
    found = validation(truth, runs, maximise=up, seed=0, draws=50)
    assert (found.mixtures, found.seeds) == (9, 3)
    pairs = [(runs[:, a], runs[:, b]) for a in range(3) for b in range(3) if a != b]
    for agreement, compared in (
        (found.predicted, [(truth, run) for run in runs.T]),
        (found.ceiling, pairs),
    ):
        for name, measure in (("spearman", spearmanr), ("kendall", kendalltau)):
            expected = np.mean([measure(a, b)[0] for a, b in compared])
            figure = getattr(agreement, name)
            assert figure.value == pytest.approx(expected, abs=1e-6)
            assert figure.low <= figure.value <= figure.high
        best, pick = (np.max, np.argmax) if up else (np.min, np.argmin)
        missed = [abs(best(b) - b[pick(a)]) for a, b in compared]
        assert agreement.regret.value == pytest.approx(np.mean(missed))
    assert validation(truth, runs[:, :1], maximise=up, seed=0).ceiling is None
