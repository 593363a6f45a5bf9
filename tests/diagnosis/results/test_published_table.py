"""Scores on published tests, of each mix and of each two, as tables."""

import math

import numpy as np
import pytest

from sightline.diagnosis.probes.published.published_test import PublishedScore
from sightline.diagnosis.results import published_table
from sightline.diagnosis.results.paired import crossed_interval
from sightline.diagnosis.results.records import Record
from sightline.diagnosis.results.study_picture import curves


def score(level, kind, value, mode="causal"):
    return PublishedScore(
        *("BLiMP", level, kind, "accuracy", mode, True, value, 0.5, 0.7, "higher"),
        *(0.5, 0.5, {}, {"BabyLM": 0.7}, 100, 0),
    )


def record(mix, seed, *published, point=10):
    return Record(
        mix=mix,
        seed=seed,
        tokens=point,
        point=point,
        plan="",
        losses={},
        learned={},
        scores=(),
        left_out=(),
        published=published,
    )


def test_scores_are_means_of_seeds():
    runs = [
        record("a", 0, score("all", "all", 0.6)),
        record("a", 1, score("all", "all", 0.7)),
        record("b", 0),
    ]
    table = published_table.markdown(runs)
    assert table[0] == "| mix | runs | tokens | BLiMP, causal |"
    assert table[2:] == [
        "| *untrained* | | | 0.500 |",
        "| `a` | 2 | 0.00 M | 0.650 [0.600, 0.700] |",
    ]
    assert published_table.markdown([record("a", 0)]) == []


def test_a_test_of_which_no_question_fits_rows_has_no_figure():
    runs = [record("a", seed, score("all", "all", math.nan)) for seed in (0, 1)]
    table = published_table.markdown(runs)
    assert table[2:] == ["| *untrained* | | | – |", "| `a` | 2 | 0.00 M | – |"]
    assert published_table.effect("BLiMP, causal", runs) is None


def test_the_picture_has_a_panel_for_each_test_and_mode():
    of = {seed: score("all", "all", 0.6 + seed / 10) for seed in (0, 1)}
    shifted = score("all", "all", 0.5, "shifted")
    runs = [record("a", seed, each, shifted) for seed, each in of.items()]
    assert published_table.measured(runs) == ["BLiMP, causal", "BLiMP, shifted"]
    combined = published_table.effect("BLiMP, causal", runs)
    assert combined and combined.value == pytest.approx(0.65)
    assert published_table.effect("BLiMP, causal", [*runs, record("a", 2)]) is None
    picture = curves(runs, incumbent="a")
    assert "asked in mode causal" in picture and "asked in mode shifted" in picture
    assert "drift" not in picture  # it was not measured


def test_differences_are_paired_by_seed_and_paradigm_at_the_end():
    def of(mix, seed, shift, *, point=20, modes=("causal", "shifted")):
        values = {"island": 0.5 + seed / 10, "binding": 0.6 - seed / 20}
        scores = [
            score("paradigm", name, value + shift, mode)
            for name, value in values.items()
            for mode in modes
        ]
        return record(mix, seed, score("all", "all", 0.1), *scores, point=point)

    runs = [
        *(of("a", seed, 0.0) for seed in (0, 1)),
        *(of("a", seed, 0.4, point=10) for seed in (0, 1)),  # half-way
        *(of("b", seed, 0.03, modes=("causal",)) for seed in (1, 0, 2)),
        record("c", 0),
    ]
    assert published_table.differences(runs) == [
        "| mixes | BLiMP, causal | BLiMP, shifted |",
        "|---|---|---|",
        "| `a` − `b` | **-0.030 [-0.030, -0.030]** | – |",
    ]
    assert published_table.differences(runs[:4]) == []


@pytest.mark.parametrize("lacking", [{}, {"binding": math.nan}])
def test_a_paradigm_that_one_run_lacks_is_left_out_of_a_difference(lacking):
    def of(mix, seed, **values):
        scores = (score("paradigm", name, value) for name, value in values.items())
        return record(mix, seed, *scores)

    whole = {"island": 0.5, "binding": 0.6}
    few = {"island": 0.4} | lacking
    runs = [of(mix, seed, **whole) for mix, seed in (("a", 0), ("a", 1), ("b", 1))]
    runs.append(of("b", 0, **few))
    for order, change in ((runs, "+0.050"), (runs[::-1], "-0.050")):
        (row,) = published_table.differences(order)[2:]
        assert row.endswith(f"| {change} (1 of 2 paradigms) |")  # of one, no interval
    (row,) = published_table.differences([runs[0], of("b", 0, **whole)])[2:]
    assert row == "| `a` − `b` | +0.000 |"  # of one seed nothing is known of others
    none = [record(mix, 0, score("paradigm", "island", math.nan)) for mix in "ab"]
    assert published_table.differences(none)[2:] == ["| `a` − `b` | – |"]


@pytest.mark.parametrize("axis", [0, 1])
def test_either_seeds_or_paradigms_alone_make_an_interval_wide(axis):
    """As wide as the bootstrap of the one that varies, drawn row by row."""
    values = np.random.default_rng(1).normal(size=12)
    table = np.repeat(np.expand_dims(values, 1 - axis), 5, axis=1 - axis)
    draws = np.random.default_rng(2).integers(12, size=(4000, 12))
    expected = np.percentile(values[draws].mean(1), (2.5, 97.5))
    assert crossed_interval(table) == pytest.approx(expected, abs=0.05)
