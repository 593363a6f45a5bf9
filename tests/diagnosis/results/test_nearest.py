"""The choice of a study for a run."""

import pytest
from hypothesis import given, strategies as st

from sightline.diagnosis.results.effects import Effects, Setup
from sightline.diagnosis.results.nearest import Run, distance, nearest, ranked

COUNTS = st.integers(1, 10**13)
MAYBE = st.none() | COUNTS


def study(name, parameters, tokens, original=None):
    setup = Setup(name, parameters, "decoder", "prose", original, 3, "2026-11-27")
    return Effects("english", tokens, "", "", {}, setup)


STUDIES = st.lists(
    st.builds(study, st.text("abc", min_size=1), COUNTS, COUNTS, MAYBE), min_size=1
)
RUNS = st.builds(Run, MAYBE, MAYBE, st.booleans())


@given(STUDIES, RUNS, st.randoms())
def test_the_first_is_the_nearest_in_whatever_order(studies, run, random):
    first, *others = ranked(studies, run)
    assert all(distance(first, run) <= distance(other, run) for other in others)
    shuffled = random.sample(studies, len(studies))
    assert ranked(shuffled, run)[0].setup == first.setup


@given(STUDIES, RUNS, st.integers(0, 10))
def test_a_fallback_names_every_nearer_study(studies, run, number):
    order = ranked(studies, run)
    wanted = order[number % len(order)].setup
    choice = nearest(studies, run, lambda study: study.setup == wanted)
    assert choice is not None and choice.study.setup == wanted
    assert choice.passed == order[: len(choice.passed)]
    assert all(study.setup != wanted for study in choice.passed)
    assert nearest(studies, run, lambda study: False) is None


@given(COUNTS, COUNTS, st.integers(1, 10**4), st.booleans())
def test_times_larger_is_as_far_as_times_smaller(parameters, tokens, times, adapts):
    larger = study("a", parameters * times, tokens)
    smaller = study("a", parameters, tokens * times)
    run = Run(parameters, tokens, adapts)
    assert distance(larger, run) == pytest.approx(distance(smaller, run))
    back = distance(study("a", parameters, tokens), Run(parameters * times, tokens))
    assert back == pytest.approx(distance(larger, Run(parameters, tokens)))


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (Run(10**7, 10**8), "scratch"),
        (Run(10**7, 10**7, adapts=True), "adapted"),
        (Run(10**5, 10**6), "tiny"),
        (Run(10**5, 10**6, adapts=True), "tiny"),  # one kind apart, three decades less
        (Run(10**12, 10**13), "scratch"),
        (Run(), "scratch"),  # of two from scratch, the larger
        (Run(adapts=True), "adapted"),
        (Run(tokens=10**6), "tiny"),
    ],
)
def test_size_budget_and_kind_decide(run, name):
    studies = [
        study("tiny", 10**5, 10**6),
        study("adapted", 10**7, 10**7, original=10**8),
        study("scratch", 10**7, 10**8),
    ]
    assert ranked(studies, run)[0].setup.name == name
