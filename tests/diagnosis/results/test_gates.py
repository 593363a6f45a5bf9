"""Which runs of a study count: in what order their gates are read."""

import math

import pytest

from sightline.diagnosis.results.gates import Refusal, gated
from sightline.diagnosis.results.records import Record, TaskLoss

LEARNED = TaskLoss(2.0, 1.9, 3.0)
NAN, INF = math.nan, math.inf


def record(seed=0, tokens=100, *, losses=1.0, **learned):
    own = learned or {"masked": LEARNED}
    return Record("a", seed, tokens, {"masked": losses}, (), learned=own)


def refused(*measured, **given):
    _, refusals = gated(measured, **{"vocabulary_size": 100, **given})
    return [reason for refusal in refusals for reason in refusal.reasons]


@pytest.mark.parametrize(
    ("loss", "counts"), [(math.log(100), False), (math.log(100) - 1e-9, True)]
)
def test_a_loss_must_be_under_that_of_a_uniform_guess(loss, counts):
    reasons = refused(record(masked=TaskLoss(loss, 1.0, 9.0)))
    assert (reasons == []) == counts
    assert all("uniform guess, 4.605" in reason for reason in reasons)


@pytest.mark.parametrize(("loss", "counts"), [(3.0, False), (3.0 - 1e-9, True)])
def test_a_loss_must_be_under_that_of_frequencies(loss, counts):
    assert (refused(record(masked=TaskLoss(loss, 1.0, 3.0))) == []) == counts


def test_each_objective_that_was_not_learned_is_a_reason_and_may_be_two():
    found = refused(
        record(
            masked=TaskLoss(5.0, 5.0, 3.0),
            causal=TaskLoss(3.5, 3.0, 3.0),
            prefix=LEARNED,
        )
    )
    assert [reason.split(":")[0] for reason in found] == ["masked", "masked", "causal"]
    assert "the same rows" in found[1] and "frequencies alone, 3.000" in found[2]


def test_an_objective_that_is_not_gated_may_be_unlearned_but_must_be_finite():
    both = {"masked": TaskLoss(5.0, 4.0, 3.0), "causal": LEARNED}
    assert refused(record(**both), ungated=["masked"]) == []
    assert len(refused(record(**both), ungated=["causal"])) == 1
    lost = record(masked=TaskLoss(NAN, 4.0, 3.0))
    assert refused(lost, ungated=["masked"]) == [
        "after 100 tokens the loss is not finite of masked"
    ]


def test_what_was_not_finite_is_told_of_the_first_point_and_alone():
    early = record(tokens=1_000, losses=INF)
    late = record(tokens=2_000, masked=TaskLoss(5.0, INF, 3.0))
    (reason,) = refused(late, early)
    assert reason == "after 1,000 tokens the loss is not finite of masked"
    (reason,) = refused(late)
    assert reason.startswith("after 2,000 tokens")


def test_a_run_is_refused_as_a_whole_and_others_are_not():
    early, late = record(tokens=50), record(masked=TaskLoss(5.0, 4.0, 9.0))
    other = record(seed=1)
    found = gated([early, other, late], vocabulary_size=100)
    assert found[0] == [other]
    assert [(one.mix, one.seed) for one in found[1]] == [("a", 0)]
    assert isinstance(found[1][0], Refusal)
