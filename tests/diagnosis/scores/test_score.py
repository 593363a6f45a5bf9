"""Bootstrap intervals: they cover, over documents and not over items."""

import inspect

import numpy as np
import pytest

from sightline.diagnosis.probes.continuation.readouts import Auc
from sightline.diagnosis.scores.score import Mean, Ratio, Resampled, bootstrap


def test_the_interval_covers_where_documents_share_their_luck():
    """Four items a document, alike: an interval over items would be half as wide."""
    rng = np.random.default_rng(0)
    documents = np.repeat(np.arange(40), 4)
    covered = alone = 0
    for trial in range(300):
        values = np.repeat(rng.normal(size=40), 4) + 0.1 * rng.normal(size=160)
        _, low, high = bootstrap(Mean(values), documents, seed=trial, resamples=200)
        covered += low <= 0 <= high
        each = np.arange(160)
        _, low, high = bootstrap(Mean(values), each, seed=trial, resamples=200)
        alone += low <= 0 <= high
    assert 0.9 < covered / 300 < 0.98
    assert alone / 300 < 0.8


def test_the_value_is_of_the_items_themselves():
    values = np.array([1.0, 2.0, 6.0])
    value, low, high = bootstrap(Mean(values), [0, 1, 1], seed=1)
    assert value == 3 and 1 <= low <= value <= high <= 6
    assert bootstrap(Mean(values), [0, 1, 1], seed=1) == (value, low, high)


def test_items_of_a_document_are_drawn_together():
    def spread(items):
        counts = np.bincount(items, minlength=4)
        assert counts[0] == counts[1] and counts[2] == counts[3]
        return 0.0

    assert bootstrap(spread, [7, 7, 9, 9], resamples=20) == (0, 0, 0)


@pytest.mark.parametrize("fast", [Mean, Ratio, Auc])
def test_what_is_fast_to_resample_is_resampled_as_any_statistic_is(fast):
    """Though without listing the items that are drawn."""
    rng, documents = np.random.default_rng(0), [4, 4, 1, 7, 7, 7, 9, 1, 4, 9]
    fields = {
        Mean: (rng.random(10),),
        # Whoever draws document 4 alone divides by 0.
        Ratio: (rng.random(10), np.array([0.0, 0, 1, 0, 2, 3, 0, 1, 0, 1])),
        # Equal evidence, and a kind that a resample may lack.
        Auc: (rng.integers(4, size=(10, 2)) / 2, np.array([*"aababaabab"])),
    }[fast]
    statistic = fast(*fields)
    assert isinstance(statistic, Resampled)
    plain = bootstrap(lambda items: statistic(items), documents, seed=3)
    assert bootstrap(statistic, documents, seed=3) == pytest.approx(plain, abs=1e-12)
    assert 0 < plain[1] < plain[2]


def test_nothing_measured_is_no_number():
    assert np.isnan(bootstrap(Mean(np.zeros(0)), [])).all()

    def absent(items):
        return float("nan")

    assert np.isnan(bootstrap(absent, [0, 1], resamples=5)).all()


def test_resamples_without_a_value_are_left_out():
    def sometimes(items):
        return float("nan") if 0 not in items else float(len(set(items)))

    value, low, high = bootstrap(sometimes, [0, 1, 2], resamples=200)
    assert value == 3 and low >= 1 and high <= 3


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_gives_the_same_interval(seed):
    values = np.random.default_rng(5).random(30)
    run = inspect.unwrap(bootstrap)
    assert run(Mean(values), range(30), seed=seed) == run(
        Mean(values), range(30), seed=seed
    )
