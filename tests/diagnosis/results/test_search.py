"""The search for rates: its design is what was trained, and its best is told."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sightline.diagnosis.tuning.cut_losses import cut_at
from sightline.diagnosis.tuning.recommendation import incumbent_of
from sightline.diagnosis.tuning.table import is_mixture, read_table
from sightline.launch.configuration.config import load
from sightline.launch.configuration.mixture import mixture_of

RESULTS = Path(__file__).parents[3] / "diagnosis" / "results"
COMPONENTS = ("masked", "permuted", "causal", "reconstruction", "sentence_pair")
SCORES = ("score_drift", "score_continuation", "score_reconstruction")


def read(name):
    return read_table(RESULTS / f"{name}_runs.csv", COMPONENTS, [*SCORES, "own_loss"])


@pytest.fixture(scope="module")
def runs():
    return read("search")


@pytest.mark.parametrize("name", ["search", "search_near", "search_heads"])
def test_every_mixture_of_a_design_was_trained_as_often_as_it_asks(name):
    design = read_table(RESULTS / f"{name}_design.csv", COMPONENTS)
    runs = read(name)
    wanted = {row["mixture"]: int(row["seeds"]) for row in design.cells}
    assert Counter(row["mixture"] for row in runs.cells) == wanted
    shares = dict(zip(wanted, design.shares, strict=True))
    for row, trained in zip(runs.cells, runs.shares, strict=True):
        np.testing.assert_allclose(trained, shares[row["mixture"]], atol=1e-6)


def test_the_first_search_had_the_revised_mix(runs):
    shares = {r["mixture"]: s for r, s in zip(runs.cells, runs.shares, strict=True)}
    revised = mixture_of(load(["revised.gin"]))
    both = [revised.objective_rates(), revised.loss_shares]
    expected = [shares_of[name] for shares_of in both for name in COMPONENTS]
    assert shares["revised"].tolist() == pytest.approx(expected)


def test_the_best_that_was_measured_within_its_loss_is_revised(runs):
    fitted, _ = runs.parts()
    at = incumbent_of(fitted, "current")
    base = runs.scores[is_mixture(runs.shares, at)].mean(axis=0)
    gains = (fitted.scores - base)[:, :3] * [1, 1, -1] / runs.scores.std(axis=0)[:3]
    worst, lost = gains.min(axis=1), fitted.scores[:, 3] / base[3]
    names = np.array([row["mixture"] for row in fitted.cells])
    within = lost <= 1.56
    assert names[within][worst[within].argmax()] == "revised"
    assert worst[names == "revised"] == pytest.approx(0.91, abs=0.005)
    assert lost[names == "revised"] == pytest.approx(1.48, abs=0.005)
    assert lost[~within & (worst > 0.7)].min() > 2.7
    cut = cut_at(fitted, loss="own_loss", incumbent=at, most_loss=0.56)
    assert cut.rows == 11
