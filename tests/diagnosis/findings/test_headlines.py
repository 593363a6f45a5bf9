"""Which scores are read first, and which of them fail."""

import itertools

import pytest

from sightline.diagnosis.failures.registry import failures, names
from sightline.diagnosis.findings.headlines import headlines
from sightline.diagnosis.findings.severity import fails, severities
from sightline.diagnosis.scores.score import Score


def score(probe="minimal pairs", kind="all", metric="accuracy", **given):
    said = {
        "failure": "drift",
        "value": 0.6,
        "low": 0.55,
        "high": 0.65,
        "chance": 0.5,
        "better": "higher",
        "mode": "causal",
        "trained": True,
        "baselines": {},
        "items": 40,
        "documents": 40,
    }
    return Score(probe=probe, kind=kind, metric=metric, **{**said, **given})


def test_a_score_of_all_items_stands_for_its_kinds():
    every = [score(kind=kind) for kind in ("number", "all", "entity")]
    assert headlines(every) == [every[1]]
    assert headlines(every[::2]) == every[::2]


@pytest.mark.parametrize(
    ("failure", "probe"), [(f.name, p) for f in failures().values() for p in f.by_kind]
)
def test_types_of_negatives_are_all_read(failure, probe):
    every = [
        score(probe, kind, "AUC", failure=failure)
        for kind in ("all", "other", "swapped")
    ]
    assert headlines(every) == every


@pytest.mark.parametrize("failure", failures().values(), ids=names())
def test_every_probe_has_some_and_the_main_metrics_only(failure):
    for probe, main in failure.headlines.items():
        every = [
            score(probe, "all", metric, failure=failure.name)
            for metric in (*main, "another")
        ]
        assert [one.metric for one in headlines(every)] == list(main)
        assert headlines(every[-1:])


def test_the_middle_rate_of_corruption_is_shown():
    kinds = itertools.product(("masking", "deletion"), (15, 30, 50))
    every = [
        score(
            "restoration",
            f"{kind}, {rate} %",
            "edit distance",
            failure="reconstruction",
        )
        for kind, rate in kinds
    ]
    assert [one.kind for one in headlines(every)] == ["masking, 30 %", "deletion, 30 %"]


@pytest.mark.parametrize(("better", "best"), [("higher", 1.0), ("lower", 0.0)])
def test_what_is_perfect_does_not_fail(better, best):
    # No leak at all is no failure, though "a guess" has none either.
    perfect = score(
        "future dependence", value=best, low=best, high=best, chance=best, better=better
    )
    assert not fails(perfect)
    assert severities((), (perfect,)) == ()
    leaking = perfect._replace(value=0.5, low=0.4, high=0.6)
    assert fails(leaking)
    assert [one.failure for one in severities((), (leaking,))] == ["drift"]
    # And where another probe fails, it does not make the failure look smaller.
    failing = score(value=0.5, low=0.4, high=0.6)
    assert severities((), (failing, perfect))[0].value == 1.0


@pytest.mark.parametrize("many", [1.0, 3.0, 12.0])
def test_a_count_is_no_share_of_the_way_from_perfect(many):
    """More restatements are better, so they must not make drift look worse."""
    texts = score(
        "free generation",
        "texts",
        "restatements",
        value=many,
        low=many - 0.5,
        high=many + 0.5,
        chance=None,
        baselines={"5-gram": 6.0},
    )
    assert fails(texts) == (many < 6)
    failing = score(value=0.5, low=0.4, high=0.6)
    assert severities((), (failing, texts))[0].value == 1.0
    assert severities((), (failing._replace(value=0.75), texts))[0].value == 0.5
