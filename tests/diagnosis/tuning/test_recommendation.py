"""Recommendations find known optima, keep within bounds, and say "no evidence"."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.tuning.assessment import assess
from sightline.diagnosis.tuning.cut_losses import FAR, cut_at, cut_losses
from sightline.diagnosis.tuning.frontier import front, undominated
from sightline.diagnosis.tuning.optimum import near
from sightline.diagnosis.tuning.recommendation import (
    LEAST_SHARE,
    incumbent_of,
    recommend,
)
from sightline.diagnosis.tuning.recommendation_report import (
    WORST,
    as_values,
    points,
    validations,
)
from sightline.diagnosis.tuning.table import MixtureTable, distinct
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

INCUMBENT = np.array([0.8, 0.2, 0.0])
NAMES = ("old", "other", "new")


def truth(shares):
    """Two failures that peak at different mixtures, and an exponential law."""
    first = -np.sum((shares - [0.45, 0.1, 0.45]) ** 2, axis=1)
    second = np.sum((shares - [0.2, 0.4, 0.4]) ** 2, axis=1)
    own = 2 + 0.5 * np.exp(-2.5 * shares[:, 0])
    return np.stack([first, second, own], axis=1)


def tables(noise, *, at=INCUMBENT, seed=0):
    """Rows to fit to, and eight mixtures held out with two runs each."""
    rng = np.random.default_rng(seed)
    shares = np.vstack(
        [np.tile(at, (3, 1)), np.eye(3), rng.dirichlet(np.full(3, 0.9), 34)]
    )
    held = np.repeat(rng.dirichlet(np.ones(3), 8), 2, axis=0)
    spread = truth(shares).std(axis=0)
    made = []
    for name, rows in (("current", shares), ("held", held)):
        scores = truth(rows) + noise * spread * rng.normal(size=(len(rows), 3))
        cells = tuple({"mixture": name if n < 3 else f"{n}"} for n in range(len(rows)))
        numbers = tuple(range(1, len(rows) + 1))
        targets = ("up", "down", "own")
        made.append(MixtureTable(NAMES, targets, rows, scores, cells, numbers))
    return made


def recommended(table, *, most_loss, repeats=1):
    assessed = assess(table, maximise=["up"], draws=100, repeats=repeats)
    at = incumbent_of(table, "current")
    return assessed, recommend(
        table, assessed, loss="own", incumbent=at, most_loss=most_loss
    )


def gains_of(table, shares):
    """The true gains of mixtures, and their true own loss over the incumbent's."""
    scale = truth(np.unique(table.shares, axis=0)).std(axis=0)
    base = truth(table.shares[:1])
    gains = (truth(shares) - base) / scale * [1, -1, 1]
    return gains[:, :2].min(axis=1), truth(shares)[:, 2] / base[0, 2]


def test_losses_out_of_the_question_decide_no_bound():
    """Mixtures without what the incumbent has lose thirty times as much."""
    table, _ = tables(0.05)
    without = table.shares[:, 0] < 0.03
    table.scores[without, 2] *= 30.0
    assert recommended(table, most_loss=0.04)[1].mixture is None
    at = incumbent_of(table, "current")
    cut = cut_at(table, loss="own", incumbent=at, most_loss=0.04)
    base = table.scores[:3, 2].mean()
    assert cut.rows == without.sum() > 1 and cut.at == pytest.approx(FAR * 1.04 * base)
    within = cut_losses(table, loss="own", at=cut.at)
    assert (within.scores[without, 2] == cut.at).all()
    assert (within.scores[~without] == table.scores[~without]).all()
    _, found = recommended(within, most_loss=0.04)
    assert found.mixture is not None
    gain, own = gains_of(table, found.mixture[None])
    assert gain[0] > 0 and own[0] < 1.04


@pytest.fixture(scope="module")
def clear():
    table, held = tables(0.05)
    return table, held, *recommended(table, most_loss=0.04)


def test_the_known_optimum_is_found_within_the_bound(clear):
    table, _, _, found = clear
    assert found.recommended, found.evidence
    every = np.random.default_rng(5).dirichlet(np.ones(3), 50_000)
    worst, loss = gains_of(table, every)
    best = worst[loss <= 1.04].max()
    gain, own = gains_of(table, found.mixture[None])
    # Bounds are kept by intervals, which costs some of the best.
    assert own[0] <= 1.04
    assert gain[0] > 0.8 * best
    assert gain[0] >= found.judged.worst_low[0]
    assert found.mixture.sum() == pytest.approx(1, abs=1e-9)
    assert (np.round(found.mixture, 3) == found.mixture).all()


def test_more_loss_allows_a_larger_gain(clear):
    table, _, assessed, found = clear
    at = incumbent_of(table, "current")
    more = recommend(table, assessed, loss="own", incumbent=at, most_loss=0.2)
    assert more.judged.worst_low[0] > found.judged.worst_low[0]
    none = recommend(table, assessed, loss="own", incumbent=at, most_loss=0.0)
    assert not none.recommended and "no evidence" in none.evidence


@pytest.mark.parametrize("seed", range(3))
def test_with_too_much_noise_there_is_no_evidence(seed):
    _, found = recommended(tables(3.0, seed=seed)[0], most_loss=0.04)
    assert not found.recommended
    assert found.evidence.startswith("no evidence")


def test_nothing_is_recommended_to_an_incumbent_that_is_best():
    between = np.array([0.325, 0.25, 0.425])  # of the peaks: any move costs a failure
    _, found = recommended(tables(0.1, at=between)[0], most_loss=0.5)
    assert not found.recommended and found.judged.worst_low[0] <= 0


def test_a_failure_that_nothing_predicts_is_no_evidence(clear):
    table = clear[0]
    scores = table.scores.copy()
    scores[:, 1] = np.random.default_rng(0).normal(size=len(scores))
    _, found = recommended(table._replace(scores=scores), most_loss=0.04)
    assert not found.recommended and list(found.unpredicted) == ["down"]
    assert found.evidence.startswith("no evidence about down")


def test_held_out_mixtures_are_ordered_nearly_as_by_another_run(clear):
    table, held, assessed, found = clear
    validated = validations(found, assessed, held, seed=0)
    assert set(validated) == {"up", "down", "own", WORST}
    for each in validated.values():
        assert (each.mixtures, each.seeds) == (8, 2)
        assert each.predicted.spearman.value > 0.85
        assert each.predicted.kendall.low <= each.predicted.kendall.value
        assert each.ceiling.spearman.value > 0.9
        assert each.predicted.regret.value >= 0
    values = as_values(*(found, table, validated, None), models={}, noise={}, seed=0)
    assert sum(values["mixture"]["rates"].values()) == pytest.approx(1)
    assert values["mixture"]["loss_shares"] == values["mixture"]["rates"]
    assert values["validation"]["up"]["noise_ceiling"]["kendall"]["value"] > 0.8


def test_the_front_is_undominated_and_the_measured_points_are_those_of_the_table(clear):
    table, held, _, found = clear
    observed = distinct(table.shares)
    line = front(found.worst, observed, found.drawn, found.judged_drawn, seed=0)
    assert near(line.shares, observed).all()
    assert (np.diff(line.judged.loss) > 0).all()
    assert (np.diff(line.judged.worst) > 0).all()
    measured = points(found, table, held)
    assert measured.held_out.sum() == 8
    np.testing.assert_allclose(measured.loss[measured.worst == 0], 1.0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_no_point_dominates_the_front(pairs):
    loss, gain = (np.array(column, float) for column in zip(*pairs, strict=True))
    chosen = undominated(loss, gain)
    for n in chosen:
        assert not ((loss <= loss[n]) & (gain > gain[n])).any()
        assert not ((loss < loss[n]) & (gain >= gain[n])).any()
    for n in range(len(loss)):
        assert ((loss[chosen] <= loss[n]) & (gain[chosen] >= gain[n])).any()


def test_shares_of_the_loss_are_a_second_simplex():
    """The best mixture differs from the incumbent in the loss alone."""
    rng = np.random.default_rng(0)
    rates, shares = (rng.dirichlet(np.ones(2), 40) for _ in range(2))
    both = np.hstack([rates, shares])
    both[:3] = [0.7, 0.3, 0.7, 0.3]
    score = -np.sum((both - [0.7, 0.3, 0.3, 0.7]) ** 2, axis=1)
    own = 2 + 0.1 * both[:, 1]
    scores = np.stack([score, own], axis=1) + 0.005 * rng.normal(size=(40, 2))
    names = ("a", "b", "share_a", "share_b")
    cells = tuple({"mixture": "current" if n < 3 else f"{n}"} for n in range(40))
    numbers = tuple(range(1, 41))
    table = MixtureTable(names, ("score", "own"), both, scores, cells, numbers)
    assessed = assess(table, maximise=["score"], draws=100, repeats=1)
    found = recommend(*(table, assessed), loss="own", incumbent=both[0], most_loss=0.02)
    assert table.mixed == ("a", "b") and found.recommended, found.evidence
    np.testing.assert_allclose(found.mixture, [0.7, 0.3, 0.3, 0.7], atol=0.12)
    assert found.mixture[:2].sum() == pytest.approx(1)
    assert found.mixture[2:].sum() == pytest.approx(1)


def test_what_every_failure_gains_by_is_recommended_in_few_decimals(case):
    *_, found = case()
    assert found.recommended and found.failures == ("first", "second")
    assert not found.unpredicted
    # 4 + .42 would be at the peak; 4.4, a loss of 10 %, is as near to it as may be.
    assert 1.098 < found.judged.loss[0] <= 1.1
    np.testing.assert_allclose(found.mixture, [0.49, 0.21, 0.30], atol=0.015)
    np.testing.assert_array_equal(found.mixture, np.round(found.mixture, 3))
    assert found.mixture.sum() == pytest.approx(1, abs=1e-12)
    assert "at most 1.1" in found.evidence or "at most 1.09" in found.evidence


def test_a_component_of_next_to_nothing_is_left_out(case):
    *_, found = case(peak=(0.5, 0.497, 0.003), most_loss=9.0)
    assert found.recommended and found.mixture[2] == 0
    *_, found = case(peak=(0.5, 0.49, 0.01), most_loss=9.0)
    assert found.mixture[2] >= LEAST_SHARE


def test_where_the_gain_may_be_none_the_best_is_told_and_not_recommended(case):
    *_, found = case(error=2.0, noise=0.0)
    assert not found.recommended and found.mixture is not None
    assert found.evidence.startswith("no evidence that a mixture within 10.0%")
    assert found.judged.worst_low[0] < 0 < found.judged.worst[0]


def test_a_failure_that_no_model_predicts_bars_every_recommendation(
    case, known, bowl, grid
):
    assessed, table, _ = case()
    untold = known("second", bowl((0, 0, 1)), grid, trusted=False)
    at = incumbent_of(table, "current")
    some = [assessed[0], untold, assessed[2]]
    found = recommend(table, some, loss="own", incumbent=at, most_loss=0.1)
    assert not found.recommended and found.mixture is not None
    assert found.failures == ("first",)
    assert found.unpredicted == {"second": "second is told."}
    assert found.evidence.startswith(
        "no evidence about second. second: second is told. Of"
    )


def test_where_bounds_leave_no_room_the_least_is_told(case):
    *_, found = case(loss={"error": 2.0, "noise": 0.0})
    assert found.mixture is None and not found.recommended
    # The incumbent's 4.0, and 1.96 · 2 of it, over 4.0.
    assert "is 1.980 of it (predicted 1.000)" in found.evidence


def test_an_incumbent_that_is_not_there_is_told_the_nearest(case):
    _, table, _ = case()
    with pytest.raises(UsageError, match="'curent'; did you mean 'current'"):
        incumbent_of(table, "curent")
    nameless = table._replace(cells=tuple({} for _ in table.cells))
    with pytest.raises(UsageError, match="no column 'mixture'"):
        incumbent_of(nameless, "current")
