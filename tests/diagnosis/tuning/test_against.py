"""Gains over the incumbent, of models whose errors are known."""

import numpy as np
import pytest
from scipy.stats import t as student

from sightline.diagnosis.tuning.against import against
from sightline.diagnosis.tuning.baselines import Constant
from sightline.diagnosis.tuning.worst import Worst

pytestmark = pytest.mark.unchecked

SHARES = np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
AT = SHARES[0]
FRESH = np.array([[0.25, 0.75]])


@pytest.fixture
def of(known, bowl):
    """`of(…)`: a target of squared distance from the first corner, twice it."""

    def make(scale=1.0, **options):
        target = known("y", bowl((1.0, 0.0), slope=2.0), SHARES, **options)
        return against(target, SHARES, AT, scale=scale)

    return make


def test_gains_are_from_the_mean_of_the_incumbents_runs(known, bowl):
    target = known("y", bowl((1.0, 0.0)), SHARES)
    target = target._replace(scores=np.array([3.0, 5.0, 100.0, 0.0]))
    found = against(target, SHARES, AT, scale=2.0)
    assert (found.incumbent, found.runs) == (4.0, 2)
    np.testing.assert_allclose(found.gain(np.array([4.0, 2.0, 6.0])), [0, 1, -1])
    up = against(target._replace(maximise=True), SHARES, AT, scale=2.0)
    np.testing.assert_allclose(up.gain(np.array([4.0, 2.0, 6.0])), [0, -1, 1])


def test_gains_are_in_deviations_among_mixtures_by_default(known, bowl):
    target = known("y", bowl((1.0, 0.0)), SHARES)  # ½, 0 and 2, once each mixture
    found = against(target, SHARES, AT)
    assert found.scale == pytest.approx(np.std([0.5, 0.0, 2.0]))
    flat = target._replace(scores=np.ones(4))
    assert against(flat, SHARES, AT).scale == 1  # none of them differ


def test_a_target_without_a_model_is_against_nothing(known, bowl):
    assert against(known("y", bowl((1, 0)), SHARES, trusted=False), SHARES, AT) is None


@pytest.mark.parametrize(
    ("error", "noise", "variance"),
    [
        (0.5, 0.3, 0.25 - 0.09 + 0.09 / 2),  # noise of one run is none of a mean's
        (0.5, 0.7, 0.49 / 2),  # no more is taken off than there is
        (0.5, 0.0, 0.25),
        (0.5, None, 0.25 + 0.25 / 2),  # a run may be as wrong as a prediction
    ],
)
@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_the_half_width_joins_the_models_error_and_the_incumbents(
    error, noise, variance, scale, of
):
    gains, widths = of(scale, error=error, noise=noise).gains(FRESH)
    np.testing.assert_allclose(widths, 1.959964 * np.sqrt(variance) / scale, rtol=1e-6)
    # 2 (.75² + .75²) there, 2 (.5² + .5²) at the incumbent.
    np.testing.assert_allclose(gains, (1.0 - 2.25) / scale)


def test_folds_that_disagree_widen_it_by_students_quantile(of):
    """Means without a fold of 0 to 4: a variance of 2, and four times it."""
    folds = [Constant(float(n)) for n in range(5)]
    _, widths = of(folds=folds).gains(FRESH)
    np.testing.assert_allclose(widths, student.ppf(0.975, 4) * np.sqrt(8))
    _, both = of(folds=folds, error=0.5, noise=0.0).gains(FRESH)
    np.testing.assert_allclose(both, np.hypot(widths, 1.959964 * 0.5), rtol=1e-6)


def test_the_worst_is_the_least_of_each_bound_and_loss_is_a_ratio(known, bowl, of):
    """The least lower end need not be that of the least gain."""
    sure, unsure = of(), of(error=2.0, noise=0.0)
    own = known("own", bowl((1.0, 0.0), height=4.0), SHARES, error=0.1, noise=0.0)
    loss = against(own, SHARES, AT, scale=4.5)
    judged = Worst((unsure, sure), loss).judge(np.concatenate([FRESH, AT[None]]))
    np.testing.assert_allclose(judged.gains, [[-1.25, -1.25], [0, 0]], atol=1e-12)
    width = 1.959964 * 2
    np.testing.assert_allclose(judged.lows[0], [-1.25 - width, -1.25], rtol=1e-6)
    np.testing.assert_allclose(judged.highs[0], [-1.25 + width, -1.25], rtol=1e-6)
    np.testing.assert_allclose(judged.worst_low[1], -width, rtol=1e-6)
    np.testing.assert_allclose(judged.worst, [-1.25, 0], atol=1e-12)
    # 4 + 1.125 where the incumbent has 4 + .5.
    np.testing.assert_allclose(judged.loss, [5.125 / 4.5, 1])
    width = 1.959964 * 0.1 / 4.5
    np.testing.assert_allclose(judged.loss_high - judged.loss, width, rtol=1e-6)
    np.testing.assert_allclose(judged.loss - judged.loss_low, width, rtol=1e-6)
