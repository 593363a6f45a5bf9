"""What does nothing in a study is left out of a proposal where something else does."""

import pytest

from sightline.diagnosis.results.effects import Comparison, Difference, Effects, Setup
from sightline.diagnosis.revision.evidence import betters, idle
from sightline.diagnosis.revision.revision import Part
from sightline.objectives import registry


def part(failure, objective):
    return Part(failure, registry.get(objective), rate=0.1, loss=0.1, source="")


PARTS = [
    part("drift", "causal"),
    part("continuation", "sentence_pair"),
    part("reconstruction", "reconstruction"),
]


def study(name, intervals, better="higher", failure="continuation"):
    """Comparisons of objectives with and without each, by the ends of an interval."""
    return Effects(
        setup=Setup(name=name),
        comparisons=tuple(
            Comparison(
                objective,
                "incumbent",
                f"+{objective}",
                None,
                (Difference(failure, "p", "m", better, 0.5, 0.5, low, high, 3),),
            )
            for objective, (low, high) in intervals.items()
        ),
    )


NOTHING, GAIN, LOSS = (-0.1, 0.1), (0.1, 0.2), (-0.2, -0.1)


@pytest.mark.parametrize(
    ("interval", "better", "found"),
    [
        (NOTHING, "higher", False),
        (GAIN, "higher", True),
        (LOSS, "higher", False),
        (GAIN, "lower", False),
        (LOSS, "lower", True),
    ],
)
def test_an_interval_on_the_better_side_of_zero_is_an_effect(interval, better, found):
    made = study("s", {"causal": interval}, better=better)
    assert betters(made, "causal", "continuation") is found
    assert betters(made, "causal", "drift") is None
    assert betters(made, "masked", "continuation") is None


def test_what_does_nothing_is_left_out_where_another_part_does():
    (reason,) = idle(
        PARTS, [study("s", {"sentence_pair": NOTHING, "causal": GAIN})]
    ).values()
    assert "`causal` betters it too in study `s`" in reason
    assert "`sentence_pair` show no difference" in reason


@pytest.mark.parametrize(
    "intervals",
    [
        {},  # nothing is known
        {"sentence_pair": NOTHING},  # of it alone
        {"causal": GAIN},
        {"sentence_pair": NOTHING, "causal": NOTHING},  # nothing else does either
        {"sentence_pair": NOTHING, "masked": GAIN},  # what is not proposed
        {"sentence_pair": GAIN, "causal": GAIN},
    ],
)
def test_otherwise_all_parts_stay(intervals):
    assert not idle(PARTS, [study("s", intervals)])


def test_what_a_team_rules_out_does_not_stand_in():
    studies = [study("s", {"sentence_pair": NOTHING, "causal": GAIN})]
    assert not idle(PARTS, studies, without=("causal",))


def test_the_nearest_study_that_compared_it_decides():
    silent = study("silent", {"masked": GAIN})
    helps = study("helps", {"sentence_pair": GAIN, "causal": GAIN})
    nothing = study("nothing", {"sentence_pair": NOTHING, "causal": GAIN})
    assert not idle(PARTS, [silent, helps, nothing])
    assert "`nothing`" in idle(PARTS, [silent, nothing, helps])["continuation"]


def test_two_that_do_nothing_do_not_excuse_each_other():
    """Of two parts each of which betters the other's failure alone, one stays."""
    crossed = [
        study("a", {"causal": NOTHING, "sentence_pair": GAIN}, failure="drift"),
        study("b", {"causal": GAIN, "sentence_pair": NOTHING}),
    ]
    assert list(idle(PARTS[:2], crossed)) == ["drift"]


def test_what_another_was_left_out_for_stays():
    chain = [
        study("a", {"causal": NOTHING, "sentence_pair": GAIN}, failure="drift"),
        study("b", {"sentence_pair": NOTHING, "reconstruction": GAIN}),
    ]
    assert list(idle(PARTS, chain)) == ["drift"]
