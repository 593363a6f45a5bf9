"""Which scores a report shows, and what they have to beat."""

import pytest

from sightline.diagnosis.probes.published.published import PublishedData, catalogued
from sightline.diagnosis.probes.published.published_test import PublishedScore
from sightline.diagnosis.probes.published.reporting import (
    beaten,
    best_baseline,
    shown_scores,
    unread_sentence,
)

BLIMP = catalogued()["BLiMP"]


def score(**changes):
    base = PublishedScore(
        test="BLiMP",
        level="all",
        kind="all",
        metric="accuracy",
        mode="causal",
        trained=True,
        value=0.7,
        low=0.6,
        high=0.8,
        better="higher",
        chance=0.5,
        untrained=0.4,
        baselines={"shorter": 0.45, "5-gram": 0.55},
        published={},
        items=9,
        left_out=0,
    )
    return base._replace(**changes)


def test_the_best_baseline_is_the_highest():
    assert best_baseline(score()) == ("5-gram", 0.55)
    assert best_baseline(score(baselines={})) == ("", None)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"chance": 0.6}, False),  # the end of the interval itself is not above it
        ({"untrained": 0.65}, False),
        ({"baselines": {"shorter": 0.1, "5-gram": 0.65}}, False),
        ({"chance": None, "untrained": None, "baselines": {}}, True),
        ({"untrained": None, "low": 0.56}, True),
    ],
)
def test_a_score_beats_what_its_whole_interval_is_above(changes, expected):
    assert beaten(score(**changes)) == expected


@pytest.mark.parametrize(("untrained", "expected"), [(0.9, True), (0.8, False)])
def test_where_less_is_better_the_interval_is_below(untrained, expected):
    bits = score(better="lower", chance=None, baselines={}, untrained=untrained)
    assert beaten(bits) == expected
    assert not beaten(bits._replace(baselines={"other": 0.7}))


def test_a_report_shows_all_and_the_kinds_of_one_level():
    levels = [
        *[score(level="paradigm", kind=kind) for kind in ("p1", "p2")],
        *[score(level="phenomenon", kind=kind) for kind in ("q1", "q2")],
        score(level="field", kind="f"),
        score(level="paradigm", kind="other's", test="LAMBADA"),
    ]
    scores = [score(), *levels]

    def kinds(level=None):
        return [each.kind for each in shown_scores(scores, BLIMP, level=level)]

    assert kinds("paradigm") == ["all", "p1", "p2"]
    assert kinds("phenomenon") == ["all", "q1", "q2"]
    # The coarsest has one kind, which says what "all" does.
    assert kinds() == kinds("no level") == ["all"]
    scores.append(score(level="field", kind="g"))
    assert kinds() == kinds("no level") == ["all", "f", "g"]


def test_files_that_were_not_read_are_named_up_to_five():
    def sentence(count):
        return unread_sentence(
            PublishedData((), tuple(f"{n}.txt" for n in range(count)))
        )

    assert sentence(0) == ""
    assert sentence(5).endswith(": 0.txt, 1.txt, 2.txt, 3.txt, 4.txt.")
    assert sentence(6).endswith(" 4.txt, … (6 in all).")
    assert sentence(1234).endswith(" 4.txt, … (1,234 in all).")
