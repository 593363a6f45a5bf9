"""Branches compared: by hand, paired by seed, behind their gates."""

import json

import numpy as np
import pytest

from sightline.diagnosis.results import (
    adaptation_table,
    effects_file,
)
from sightline.diagnosis.results.adaptation import ArmRecords, budget
from sightline.diagnosis.results.effects import Mix, Setup
from sightline.diagnosis.results.gates import gated, not_apart
from sightline.diagnosis.results.measures import primary
from sightline.diagnosis.results.paired import difference, interval, own_loss
from sightline.diagnosis.results.records import Record, TaskLoss
from sightline.diagnosis.scores.score import Score

SHARES = {"masked": 0.75, "permuted": 0.25}

FAILURES = tuple(primary())


def score(failure, value, *, half=0.0, better=None):
    measure = primary()[failure]
    lower = measure.metric == "edit distance"
    return Score(
        failure=failure,
        probe=measure.probe,
        kind=measure.kind,
        metric=measure.metric,
        value=value,
        low=value - half,
        high=value + half,
        chance=0.5,
        better=better or ("lower" if lower else "higher"),
        mode="causal",
        trained=True,
        baselines={},
        items=100,
        documents=50,
    )


def record(mix, seed, values, *, losses=(2.0, 4.0), half=0.0, learned=None, tokens=100):
    return Record(
        mix=mix,
        seed=seed,
        tokens=tokens,
        losses=dict(zip(SHARES, losses, strict=True)),
        scores=tuple(
            score(failure, value, half=half)
            for failure, value in zip(FAILURES, values, strict=False)
        ),
        point=100,
        learned=learned or {"masked": TaskLoss(2.0, 1.9, 3.0)},
    )


def test_a_difference_is_paired_by_seed_and_holds_students_interval():
    """Changes of .1 and .3: .2 ± 12.706 · .1414 / √2 = .2 ± 1.2706."""
    measure = primary()[FAILURES[0]]
    without = [record("a", 0, [0.5]), record("a", 1, [0.2]), record("a", 2, [0.9])]
    having = [record("b", 1, [0.5]), record("b", 0, [0.6])]
    change = difference(measure, without, having)
    assert change.seeds == 2
    np.testing.assert_allclose(
        [change.without, change.having, change.low, change.high],
        [0.35, 0.55, -1.0706, 1.4706],
        atol=1e-4,
    )
    assert difference(measure, without, having[:1]) is None
    assert difference(measure, without, []) is None


def test_seeds_that_agree_leave_the_interval_of_the_items():
    """Changes of .1 twice; items' errors of .2 / 1.96 · √2 each, of the mean .102."""
    without = [record("a", n, [0.5 - 0.3 * n], half=0.2) for n in (0, 1)]
    having = [record("b", n, [0.6 - 0.3 * n], half=0.2) for n in (0, 1)]
    change = difference(primary()[FAILURES[0]], without, having)
    assert change.having - change.without == pytest.approx(0.1)
    np.testing.assert_allclose([change.low, change.high], [-0.1, 0.3], atol=0.03)


def test_the_interval_of_one_seed_is_that_of_its_items():
    """A normal deviate with the error of both: 1.96 · √2 · .1 / 1.96 = .141."""
    low, high = interval(np.array([0.5]), np.array([np.sqrt(2) * 0.1 / 1.959964]))
    np.testing.assert_allclose([low, high], [0.5 - 0.1414, 0.5 + 0.1414], atol=0.012)


def test_own_losses_are_weighted_and_relative_at_the_same_seed():
    """(.75 · 2 + .25 · 4) is 2.5; (.75 · 2.2 + .25 · 4) 2.65; by 3.1, 1.06 and 1.24."""
    without = [record("a", 0, []), record("a", 1, [])]
    having = [
        record("b", 0, [], losses=(2.2, 4.0)),
        record("b", 1, [], losses=(2.0, 6.4)),
    ]
    ratio = own_loss(without, having, SHARES)
    np.testing.assert_allclose(ratio, (1.15, 1.06, 1.24))


@pytest.mark.parametrize(
    ("learned", "reason"),
    [
        (TaskLoss(2.0, 1.9, 3.0), None),
        (TaskLoss(5.0, 4.0, 6.0), "not under that of a uniform guess, 4.605"),
        (TaskLoss(3.5, 3.0, 3.0), "targets' frequencies alone, 3.000"),
        (TaskLoss(np.nan, 2.0, 3.0), "not finite of masked"),
        (TaskLoss(2.0, np.inf, 3.0), "not finite of masked"),
        (TaskLoss(2.0, np.nan, 3.0), None),
        (TaskLoss(2.0, 2.0, 3.0), "the same rows were measured"),
    ],
)
def test_gates(learned, reason):
    runs = [
        record("a", 0, [], learned={"masked": learned}),
        record("a", 1, []),
    ]
    counting, refusals = gated(runs, vocabulary_size=100)
    if reason is None:
        assert counting == runs and not refusals
        return
    assert counting == runs[1:]
    (refusal,) = refusals
    assert refusal[:2] == ("a", 0) and reason in refusal.reasons[0]
    if "finite" not in reason and "rows" not in reason:
        assert gated(runs, vocabulary_size=100, ungated=["masked"])[0] == runs


def test_what_was_not_learned_early_may_be_learned_late():
    early = record("a", 0, [], learned={"masked": TaskLoss(3.5, 3.4, 3.0)}, tokens=50)
    late = record("a", 0, [], tokens=100)
    assert gated([late, early], vocabulary_size=100) == ([late, early], [])
    worse = early._replace(tokens=150)
    assert gated([late, worse], vocabulary_size=100)[0] == []


def test_documents_of_both_splits_are_named():
    assert not_apart({"english": 0}) == []
    assert "3 documents" in not_apart({"english": 0, "policies": 3})[0]


def arms(values, losses):
    """An incumbent and a revision, three seeds, all failures alike but for edits."""
    lower = [primary()[f].metric == "edit distance" for f in FAILURES]

    def signed(value):
        return [1 - value if low else value for low in lower]

    mixes = {
        "incumbent": Mix({"masked": 1.0}, SHARES, {}, None, ()),
        "revised": Mix({"masked": 0.5, "causal": 0.5}, {}, {}, None, ()),
    }
    return {
        name: ArmRecords(
            mixes[name],
            [
                record(name, seed, signed(value), half=0.02, losses=loss)
                for seed in range(3)
            ],
        )
        for name, value, loss in zip(mixes, values, losses, strict=True)
    }


def outcome(values, losses=((2.0, 4.0), (2.0, 4.0)), **changes):
    given = arms(values, losses) | changes
    return budget(
        given,
        reference="incumbent",
        revised="revised",
        corpus="english",
        tokens=100,
        command="sightline study",
        setup=Setup("x", 1000, "decoder", "prose", 1000, 3, "2026-11-27"),
    )


@pytest.mark.parametrize(
    ("values", "losses", "met"),
    [
        ((0.5, 0.6), ((2.0, 4.0), (2.04, 4.08)), True),
        ((0.5, 0.6), ((2.0, 4.0), (2.06, 4.12)), False),  # 3 % worse
        ((0.5, 0.51), ((2.0, 4.0), (2.0, 4.0)), False),  # the difference may be none
        ((0.6, 0.5), ((2.0, 4.0), (2.0, 4.0)), False),
    ],
)
def test_the_criterion(values, losses, met):
    (verdict,) = outcome(values, losses).verdicts
    assert verdict.met is met


def test_the_criterion_needs_every_failure_measured():
    revised = arms((0.5, 0.6), ((2.0, 4.0),) * 2)["revised"]
    few = revised._replace(
        records=[r._replace(scores=r.scores[:-1]) for r in revised.records]
    )
    (verdict,) = outcome((0.5, 0.6), revised=few).verdicts
    assert not verdict.met and verdict.better[FAILURES[-1]] is None


def test_nothing_measured_meets_nothing_and_runs_are_counted_all_the_same():
    bare = {
        name: arm._replace(records=[r._replace(scores=()) for r in arm.records])
        for name, arm in arms((0.5, 0.6), ((2.0, 4.0),) * 2).items()
    }
    came_to = outcome((0.5, 0.6), **bare)
    (verdict,) = came_to.verdicts
    assert verdict.runs == 3 and verdict.better == {} and not verdict.met
    table = adaptation_table.markdown(
        [("Ten", came_to)], refusals=[], remarks=[], command="sightline"
    )
    assert "| `revised` | 3 | 1.000 [1.000, 1.000] |" in table
    assert "**not met**" in table and "no failure was measured" in table


def test_one_run_meets_nothing():
    """And every failure is better, at no cost."""
    both = arms((0.5, 0.6), ((2.0, 4.0),) * 2)
    one = {n: arm._replace(records=arm.records[:1]) for n, arm in both.items()}
    (verdict,) = outcome((0.5, 0.6), **one).verdicts
    assert all(verdict.better.values()) and not verdict.met


def test_table_and_effects(tmp_path):
    """An ablation gives a comparison, which the memo's reader takes."""
    revised = arms((0.5, 0.6), ((2.0, 4.0),) * 2)["revised"]
    without = ArmRecords(
        Mix({"masked": 1.0}, {}, {}, None, ()),
        [r._replace(mix="-causal") for r in revised.records],
        drops="causal",
    )
    came_to = outcome((0.5, 0.6), **{"-causal": without})
    table = adaptation_table.markdown(
        [("Ten", came_to)], refusals=[], remarks=["All is well."], command="sightline"
    )
    assert "| `revised` | 3 | **0.600 [0.580, 0.620]** | +0.100 [" in table
    assert "- `revised`: **met**" in table and "- All is well." in table
    assert "Every run passed its gates." in table
    path = tmp_path / "x.json"
    effects_file.write(path, came_to.effects)
    read = effects_file.read(path)
    (comparison,) = read.comparisons
    assert comparison[:3] == ("causal", "-causal", "revised")
    assert json.loads(path.read_text())["setup"]["original_tokens"] == 1000
