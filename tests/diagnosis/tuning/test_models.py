"""Each model recovers what it can express; what none can is said."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from sightline.diagnosis.tuning.assessment import CONSTANT, LEARNERS, assess
from sightline.diagnosis.tuning.cross_validation import divisions, needed, validate
from sightline.diagnosis.tuning.errors import predictions
from sightline.diagnosis.tuning.exponential import fit_exponential
from sightline.diagnosis.tuning.optimum import optimum
from sightline.diagnosis.tuning.predictor import Learner
from sightline.diagnosis.tuning.table import MixtureTable
from sightline.diagnosis.tuning.threads import one_thread

pytestmark = pytest.mark.unchecked


def table(shares, *scores):
    names = tuple(f"c{n}" for n in range(shares.shape[1]))
    targets = tuple(f"y{n}" for n in range(len(scores)))
    cells = tuple({} for _ in shares)
    numbers = tuple(range(1, len(shares) + 1))
    return MixtureTable(
        names, targets, shares, np.stack(scores, axis=1), cells, numbers
    )


def mixtures(components, rows, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(components), rows)


@pytest.mark.parametrize("k", [0.8, -0.5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_law_is_recovered_from_noise_and_outliers(k, seed):
    rng = np.random.default_rng(seed)
    t = rng.normal(scale=2, size=5)
    t -= t.mean()
    shares, fresh = mixtures(5, 80, seed), mixtures(5, 500, seed + 10)

    def law(r):
        return 2.0 + k * np.exp(r @ t)

    spread = law(shares).std()
    noisy = law(shares) + rng.normal(scale=0.03 * spread, size=80)
    noisy[:3] += 20 * spread  # proxies that diverged
    fitted = fit_exponential(shares, noisy, 0)
    errors = fitted.mean(fresh) - law(fresh)
    assert np.sqrt(np.mean(errors**2)) < 0.06 * law(fresh).std()
    assert np.sign(fitted.k) == np.sign(k)
    assert spearmanr(fitted.t, t)[0] > 0.85


def test_without_noise_the_parameters_are_those_of_the_law():
    t = np.array([-2.0, -0.5, 0.5, 2.0])
    shares = mixtures(4, 60)
    fitted = fit_exponential(shares, 3.0 + 0.7 * np.exp(shares @ t), 0)
    np.testing.assert_allclose([fitted.c, fitted.k], [3.0, 0.7], atol=0.02)
    np.testing.assert_allclose(fitted.t, t, atol=0.05)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda learner: learner.name)
def test_units_of_the_score_do_not_matter(learner):
    shares = mixtures(3, 40)
    scores = np.exp(-3 * shares[:, 0]) + shares[:, 1]
    with one_thread():
        one = learner.fit(shares, scores, 0).mean(shares)
        other = learner.fit(shares, 7e3 * scores - 2e5, 0).mean(shares)
    np.testing.assert_allclose((other + 2e5) / 7e3, one, atol=2e-3)


@pytest.fixture(scope="module")
def bowl():
    """A table whose best mixture, all alike, lies between the rows."""
    shares = mixtures(3, 60)
    shares = shares[np.abs(shares - 1 / 3).max(axis=1) > 0.15]
    rng = np.random.default_rng(1)
    curved = np.mean(np.exp(-5 * shares), axis=1)
    scores = curved + rng.normal(scale=0.03 * curved.std(), size=len(shares))
    noise = rng.normal(size=len(shares))
    return table(shares, scores, -scores, noise)


@pytest.fixture(scope="module")
def assessed(bowl):
    return assess(bowl, maximise=["y1"], draws=200, repeats=1)


def test_a_curved_score_is_left_to_a_curved_model(assessed):
    for each in assessed[:2]:
        assert each.verdict.model == "gaussian_process"
        figures = each.cross_validation["gaussian_process"]
        assert figures.spearman.low > 0.9 and figures.relative.high < 0.3
        assert figures.regret.value < 0.2 * each.scores.std()


def test_noise_is_said_to_be_noise(assessed, bowl):
    verdict = assessed[2].verdict
    assert verdict.model is None
    assert verdict.reason.startswith("no evidence that the components predict")
    assert optimum(assessed[2], bowl.shares) is None


@pytest.mark.parametrize("n", [0, 1])
def test_the_best_mixture_is_found_between_the_rows(n, assessed, bowl):
    best = optimum(assessed[n], bowl.shares)
    assert np.abs(best.mixture - 1 / 3).max() < 0.1
    assert best.mixture.sum() == pytest.approx(1)
    assert best.apart, best.evidence


def test_the_best_mixture_is_not_apart_where_it_was_observed():
    shares = np.vstack([mixtures(3, 40), np.full((4, 3), 1 / 3)])
    curved = np.mean(np.exp(-5 * shares), axis=1)
    noise = np.random.default_rng(0).normal(scale=0.3 * curved.std(), size=44)
    data = table(shares, curved + noise)
    (each,) = assess(data, draws=200, repeats=1)
    best = optimum(each, shares)
    assert best is not None and not best.apart
    assert best.evidence.startswith("no evidence that it beats")


def test_the_best_mixture_stays_where_there_is_data():
    """Better and better towards a vertex that no row is near."""
    shares = 0.5 / 3 + 0.5 * mixtures(3, 40)
    rng = np.random.default_rng(0)
    data = table(shares, -shares[:, 0] + rng.normal(scale=0.01, size=40))
    (each,) = assess(data, draws=200, repeats=1)
    best = optimum(each, shares)
    assert best.mixture[0] <= shares[:, 0].max() + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_twins_of_mixtures_leave_no_way_between_others(seed):
    """Realised shares beside nominal ones: nothing else is as near as they are."""
    apart = np.array([1e-5, -1e-5, 0.0])
    shares = np.repeat(0.01 + 0.97 * mixtures(3, 200), 2, axis=0)
    shares[1::2] += apart
    data = table(shares, ((shares - 1 / 3) ** 2).sum(axis=1))
    (each,) = assess(data, draws=50, repeats=1)
    best = optimum(each, shares, seed=seed)
    assert best is not None
    assert np.abs(shares - best.mixture).sum(axis=1).min() < 1e-4


def test_equal_scores_are_no_evidence():
    (each,) = assess(table(mixtures(3, 20), np.full(20, 0.1)), draws=100, repeats=1)
    assert each.verdict.model is None
    assert "every row has the same score" in each.verdict.reason


def test_a_holdout_is_predicted_by_models_of_all_rows(bowl):
    shares = mixtures(3, 30, seed=5)
    held = table(shares, *[np.mean(np.exp(-5 * shares), axis=1)] * 3)
    (each, *_) = assess(bowl, holdout=held, draws=100, repeats=1)
    figures = each.holdout["gaussian_process"]
    assert figures.spearman.value > 0.95 and figures.relative.value < 0.3
    assert each.holdout["constant"].relative.value == 1


def test_runs_of_one_mixture_share_a_fold_and_show_the_noise():
    shares = np.repeat(mixtures(3, 15), 3, axis=0)
    rng = np.random.default_rng(0)
    data = table(shares, rng.normal(scale=0.5, size=45))
    (folds,) = divisions(data.groups(), repeats=1, seed=0)
    assert (folds.reshape(15, 3) == folds[::3, None]).all()
    (each,) = assess(data, draws=100, repeats=1)
    assert each.noise == pytest.approx(0.5, rel=0.3)


def test_a_row_is_predicted_by_what_has_not_seen_it():
    """The oracle: a model that only remembers its rows' scores."""

    class Memory:
        def __init__(self, shares, scores, seed):
            self.known = {tuple(s): y for s, y in zip(shares, scores, strict=True)}

        def mean(self, shares):
            return np.array([self.known.get(tuple(s), -1.0) for s in shares])

        def spread(self, shares):
            return np.ones(len(shares))

    shares, scores = mixtures(3, 20), np.arange(20.0)
    divided = divisions(np.arange(20), repeats=2, seed=0)
    learner = Learner("memory", "", Memory)
    (found,) = validate([learner], shares, scores, divided, seed=0)
    assert (found.predicted == -1).all()
    np.testing.assert_array_equal(found.whole.mean(shares), scores)


def test_intervals_of_predictions_cover_new_scores(assessed, bowl):
    shares = mixtures(3, 400, seed=7)
    scores = np.mean(np.exp(-5 * shares), axis=1)
    known = np.mean(np.exp(-5 * bowl.shares), axis=1)
    rng = np.random.default_rng(3)
    scores += rng.normal(scale=0.03 * known.std(), size=400)
    each = assessed[0]
    for name in ("gaussian_process", "exponential", "linear"):
        model = each.validated[name]
        means, errors = predictions(model, each.scores, shares)
        covered = np.mean(np.abs(means - scores) <= 1.96 * errors)
        assert covered > 0.88, name


def test_what_is_needed_determines_every_model():
    for components in (2, 12):
        rows = needed(components)
        (each,) = assess(
            table(mixtures(components, rows), np.arange(rows, dtype=float)),
            draws=50,
            repeats=1,
        )
        assert set(each.validated) == {CONSTANT.name, *(m.name for m in LEARNERS)}
