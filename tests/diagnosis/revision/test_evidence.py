"""What shows no gain in a study goes where another objective carries its failure."""

import pytest

from sightline.diagnosis.results.effects import Comparison, Difference, Effects, Setup
from sightline.diagnosis.revision.evidence import carries, gains, replaced
from sightline.diagnosis.revision.revision import Part
from sightline.objectives import registry


def part(failure, objective):
    return Part((failure,), registry.get(objective), rate=0.1, loss=0.1, source="")


PARTS = [
    part("drift", "causal"),
    part("continuation", "sentence_pair"),
    part("reconstruction", "reconstruction"),
]
NOTHING, GAIN, LOSS = (-0.1, 0.1), (0.1, 0.2), (-0.2, -0.1)


def why(parts, studies):
    return replaced(parts, studies)[1]


def study(name, found, better="higher", failure="continuation"):
    """Comparisons of objectives with and without each.

    Args:
      found: by objective, for each comparison, the ends of the intervals of its scores.
    """
    return Effects(
        setup=Setup(name=name),
        comparisons=tuple(
            Comparison(
                objective,
                "without",
                "having",
                None,
                tuple(
                    Difference(failure, "p", "m", better, 0.5, 0.5, low, high, 3)
                    for low, high in scores
                ),
            )
            for objective, comparisons in found.items()
            for scores in comparisons
        ),
    )


def of_one_score(name, intervals, **more):
    """One comparison of each objective, by one score."""
    return study(name, {o: [[interval]] for o, interval in intervals.items()}, **more)


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
    made = of_one_score("s", {"causal": interval}, better=better)
    assert gains(made, "causal", "continuation") is found
    assert carries(made, "causal", "continuation") is found
    for objective, failure in (("causal", "drift"), ("masked", "continuation")):
        assert gains(made, objective, failure) is None
        assert not carries(made, objective, failure)


@pytest.mark.parametrize(
    ("comparisons", "gain", "carry"),
    [
        ([[GAIN, NOTHING], [GAIN, LOSS]], True, True),
        ([[GAIN], [NOTHING]], True, False),  # alone, but it is not missed
        ([[NOTHING, GAIN]], True, False),  # by another score than the primary one
        ([[NOTHING, NOTHING], [LOSS, NOTHING]], False, False),
    ],
)
def test_a_gain_is_by_any_score_and_a_failure_carried_by_every_primary_one(
    comparisons, gain, carry
):
    made = study("s", {"causal": comparisons})
    assert gains(made, "causal", "continuation") is gain
    assert carries(made, "causal", "continuation") is carry


@pytest.mark.parametrize("of_pairs", [NOTHING, LOSS])
def test_what_shows_no_gain_goes_where_another_part_carries_the_failure(of_pairs):
    made = of_one_score("s", {"sentence_pair": of_pairs, "causal": GAIN})
    (reason,) = why(PARTS, [made]).values()
    assert "`causal` betters it too in study `s`" in reason
    assert "mixes with `sentence_pair` show no gain" in reason


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
    assert not why(PARTS, [of_one_score("s", intervals)])


def test_what_acts_on_two_failures_goes_if_neither_needs_it():
    both = PARTS[1]._replace(failures=("continuation", "drift"))
    parts = [PARTS[2], both, PARTS[0]._replace(failures=("reconstruction",))]
    of = {"sentence_pair": NOTHING, "causal": GAIN}
    one = of_one_score("one", of)
    assert not why(parts, [one])  # of drift nothing is known
    two = of_one_score("two", of, failure="drift")
    assert set(why(parts, [one, two])) == {"continuation", "drift"}
    three = of_one_score("three", of | {"sentence_pair": GAIN}, failure="drift")
    assert not why(parts, [one, three])


def test_of_two_that_act_on_a_failure_the_one_that_betters_it_stays():
    parts = [part("infilling", "masked"), part("infilling", "permuted")]
    made = of_one_score("s", {"masked": NOTHING, "permuted": GAIN}, failure="infilling")
    left, reasons = replaced(parts, [made])
    assert left == parts[1:] and set(reasons) == {"infilling"}


def test_the_nearest_study_that_compared_it_decides():
    silent = of_one_score("silent", {"masked": GAIN})
    helps = of_one_score("helps", {"sentence_pair": GAIN, "causal": GAIN})
    nothing = of_one_score("nothing", {"sentence_pair": NOTHING, "causal": GAIN})
    assert not why(PARTS, [silent, helps, nothing])
    reasons = why(PARTS, [silent, nothing, helps])
    assert "`nothing`" in reasons["continuation"]


def test_two_do_not_replace_each_other():
    """Each shows a gain on the other's failure alone: one stays."""
    crossed = [
        of_one_score("a", {"causal": NOTHING, "sentence_pair": GAIN}, failure="drift"),
        of_one_score("b", {"causal": GAIN, "sentence_pair": NOTHING}),
    ]
    assert list(why(PARTS[:2], crossed)) == ["drift"]


def test_what_another_was_left_out_for_stays():
    chain = [
        of_one_score("a", {"causal": NOTHING, "sentence_pair": GAIN}, failure="drift"),
        of_one_score("b", {"sentence_pair": NOTHING, "reconstruction": GAIN}),
    ]
    assert list(why(PARTS, chain)) == ["drift"]
