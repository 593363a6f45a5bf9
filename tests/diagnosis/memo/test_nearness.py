"""Which study is named, and how far it is said to be."""

import pytest

from sightline.diagnosis.memo.nearness import count, described, distance_text, source
from sightline.diagnosis.results.effects import Effects, Setup
from sightline.diagnosis.results.nearest import Run


def study(name="small", parameters=1_000_000, tokens=5_000_000, original=None):
    setup = Setup(name, parameters, "decoder", "prose", original, 3, "2001-02-01")
    return Effects("english", tokens, "", "", {}, setup)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (130_000, "0.13 M"),
        (5_540_000, "5.5 M"),
        (10_000_000, "10 M"),
        (123_456_789, "123 M"),
        (999_400_000, "999 M"),
        (999_600_000, "1 B"),
        (1_234_000_000, "1.23 B"),
        (25_000_000_000, "25 B"),
    ],
)
def test_counts_are_in_millions_or_billions(number, text):
    assert count(number) == text


def test_a_study_is_described_by_its_size_text_and_start():
    assert described(study()) == (
        "`small` (1 M parameters, 5 M tokens of prose, from scratch)"
    )
    assert described(study(original=50_000_000)) == (
        "`small` (1 M parameters, 5 M tokens of prose, from a checkpoint, 10 % more "
        "than its own)"
    )


@pytest.mark.parametrize(
    ("run", "text"),
    [
        (Run(), "this run's size is unknown"),
        (Run(adapts=True), "this run's size is unknown"),
        (Run(1_240_000), "it has about as many parameters"),
        (Run(800_001), "it has about as many parameters"),
        (Run(1_250_000), "it has 1.2 times fewer parameters"),
        (Run(100_000), "it has 10 times more parameters"),
        (Run(9_900_000), "it has 9.9 times fewer parameters"),
        (Run(9_990_000_000), "it has 9,990 times fewer parameters"),
        (Run(None, 2_500_000), "it has 2.0 times more tokens"),
        (Run(2_000_000, 5_000_000), "2.0 times fewer parameters and about as many tok"),
        (Run(1_000_000, adapts=True), "parameters; this run goes on from a checkpoint"),
    ],
)
def test_how_far_a_study_is_is_told_in_times(run, text):
    assert text in distance_text(study(), run)


def test_a_study_of_no_known_size_is_not_compared():
    assert "unknown" in distance_text(study(parameters=0, tokens=0), Run(10, 10))


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], None),
        (["near"], "the nearer `near` has none"),
        (["near", "nearer"], "the nearer `near` and `nearer` have none"),
        (["a", "b", "c"], "3 nearer ones have none"),
    ],
)
def test_nearer_studies_that_say_nothing_are_named_or_counted(names, text):
    told = source(study(), Run(), [study(name) for name in names])
    assert told.startswith("study `small` (1 M parameters")
    if text is None:
        assert told.endswith("is unknown")
    else:
        assert told.endswith(f"is unknown; {text}")
