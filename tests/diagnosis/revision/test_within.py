"""Shares within limits: every limit is kept, and loosening one never costs."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from sightline.diagnosis.failures.registry import names
from sightline.diagnosis.revision.limits import Limits, density
from sightline.diagnosis.revision.revision import Part
from sightline.diagnosis.revision.within import Terms, best, supplies
from sightline.diagnosis.traits.objective_traits import Traits
from sightline.objectives import registry

CLOSE = 1e-5
"""What values may differ by: tie-breaking weighs a millionth."""

PRESENT = ("masked", "permuted", "span_corruption")
FAILURES = tuple(name for name in names() if name != "infilling")
FIRST = {"drift": "causal", "continuation": "sentence_pair"}
FIRST["reconstruction"] = "reconstruction"
STAND_INS = {"drift": "prefix"}
OBJECTIVES = registry.objectives()


def traits(*, supervised=64.0, processed=128.0, acts=None):
    """Of an objective that acts on some failures, or on none."""
    acts = acts or {}
    nothing = dict.fromkeys(Traits._fields, 0.0) | {"modes": {}, "mode_tokens": {}}
    return Traits(
        **nothing
        | {
            "onward": acts.get("drift", 0.0),
            "whole": acts.get("reconstruction", 0.0),
            "labels": acts.get("continuation", 0.0),
            "kinds": {"other": 0.0, "further": 0.5, "swapped": 0.5, "none": 0.0},
            "supervised": supervised,
            "processed": processed,
        }
    )


@st.composite
def terms(draw):
    """A mixture of up to three objectives, and parts against up to three failures."""
    shares = st.floats(0.05, 1.0)
    present = draw(st.lists(st.sampled_from(PRESENT), min_size=1, unique=True))
    due = draw(st.lists(st.sampled_from(FAILURES), min_size=1, unique=True))
    own = bool(draw(st.booleans())) and "drift" in due
    present += ["causal"] * own  # the mixture has what acts on drift already
    examples, loss = (
        dict(zip(present, np.array(v) / sum(v), strict=True))
        for v in (draw(st.tuples(*[shares] * len(present))) for _ in range(2))
    )
    total, total_loss = draw(st.floats(0.1, 0.9)), draw(st.floats(0.1, 0.9))
    weights = np.array(draw(st.tuples(*[shares] * len(due))))
    weights /= weights.sum()
    measured = {
        name: traits(
            supervised=draw(st.floats(1.0, 100.0)),
            processed=draw(st.floats(100.0, 128.0)),
            acts={f: draw(st.floats(0.6, 1.0)) for f in FAILURES if name == FIRST[f]}
            or {
                f: draw(st.floats(0.5, 1.0)) for f, n in STAND_INS.items() if n == name
            },
        )
        for name in (*PRESENT, *FIRST.values(), *STAND_INS.values())
    }

    def part(failure, name, weight):
        objective = OBJECTIVES[name]
        return Part((failure,), objective, total * weight, total_loss * weight, "")

    by_failure = dict(zip(due, weights.tolist(), strict=True))
    parts = [part(f, FIRST[f], weight) for f, weight in by_failure.items()]
    more = [part(f, n, by_failure[f]) for f, n in STAND_INS.items() if f in by_failure]
    free = {n: (1 - total_loss) * share for n, share in loss.items()}
    for one in parts:
        name = one.objective.name
        free[name] = free.get(name, 0.0) + one.loss
    made = Terms(
        {n: float(s) for n, s in examples.items()},
        {n: float(s) for n, s in loss.items()},
        [*parts, *more],
        len(parts),
        measured,
        dict.fromkeys(due, 0.0),
        by_failure,
    )
    return made._replace(aims=supplies(made, free))


@st.composite
def limited(draw):
    """Terms, and limits that some mixture may keep."""
    made = draw(terms())
    names = list(made.examples)
    without = draw(st.lists(st.sampled_from(["causal", "sentence_pair", *names])))
    keep = draw(st.lists(st.sampled_from(names), unique=True))
    without = tuple(dict.fromkeys(n for n in without if n not in keep))
    limits = Limits(draw(st.none() | st.integers(0, 3)), tuple(keep), None, without)
    least = min(t.supervised / t.processed for t in made.traits.values())
    most = draw(st.just(np.inf) | st.floats(least, 1.0))
    made = made._replace(most_density=most)
    return made, limits


@settings(max_examples=20, deadline=None)
@given(limited())
def test_every_limit_is_kept(case):
    made, limits = case
    found = best(made, limits)
    assume(found is not None)
    for shares in (found.examples, found.loss):
        assert sum(shares.values()) == pytest.approx(1.0)
        assert min(shares.values()) >= -1e-9
    mixed = {name for name, share in found.examples.items() if share > 1e-9}
    if limits.most_new is not None:
        assert len(mixed - set(made.examples)) <= limits.most_new
    assert not mixed & set(limits.without)
    for name in limits.keep:
        assert found.examples[name] >= made.examples[name] - 1e-9
        assert found.loss[name] >= made.loss[name] - 1e-9
    assert density(found.examples, made.traits) <= made.most_density + 1e-6
    assert all(0 <= factor <= 1 + 1e-9 for factor in found.factors)
    # What it says to be worth is what its shares supply.
    supplied = supplies(made, found.loss)
    worth = sum(
        weight * min(1.0, supplied[f] / made.aims[f])
        for f, weight in made.weights.items()
    )
    assert found.value == pytest.approx(worth, abs=CLOSE)


def test_a_part_that_acts_on_two_failures_is_taken_once():
    two = ("drift", "continuation")
    measured = {
        "masked": traits(),
        "causal": traits(acts={"drift": 1.0, "continuation": 1.0}),
        "prefix": traits(acts={"drift": 1.0}),
    }
    parts = [
        Part(two, OBJECTIVES["causal"], 0.4, 0.4, ""),
        Part(("drift",), OBJECTIVES["prefix"], 0.4, 0.4, ""),
    ]
    own = {"masked": 1.0}
    aims, weights = dict.fromkeys(two, 0.4), dict.fromkeys(two, 0.5)
    made = Terms(own, own, parts, 1, measured, aims, weights)
    assert supplies(made, {"masked": 0.6, "causal": 0.4}) == aims
    found = best(made, Limits())
    assert found.value == pytest.approx(1.0, abs=CLOSE)
    assert found.factors == pytest.approx((1.0, 0.0), abs=CLOSE)
    without = best(made, Limits(without=("causal",)))
    assert without.value == pytest.approx(0.5, abs=CLOSE)
    assert without.loss["prefix"] == pytest.approx(0.4, abs=CLOSE)


@settings(max_examples=20, deadline=None)
@given(limited())
def test_loosening_a_limit_never_costs(case):
    made, limits = case
    tight = best(made, limits)
    assume(tight is not None)
    looser = [
        limits._replace(most_new=None),
        limits._replace(keep=limits.keep[1:]),
        # Not of what is there already, which goes by `without` alone: that can pay.
        limits._replace(without=tuple(n for n in limits.without if n in made.examples)),
    ]
    if limits.most_new is not None:
        looser.append(limits._replace(most_new=limits.most_new + 1))
    for one in looser:
        assert best(made, one).value >= tight.value - CLOSE, one
    wider = made._replace(most_density=1.1 * made.most_density)
    assert best(wider, limits).value >= tight.value - CLOSE


def test_where_proportions_cost_too_much_one_more_is_kept():
    whole = {"masked": 0.5, "causal": 0.5}
    measured = {
        "masked": traits(supervised=1.0, processed=100.0),
        "causal": traits(supervised=69.0, processed=100.0),
        "reconstruction": traits(
            supervised=9.0, processed=100.0, acts={"reconstruction": 1.0}
        ),
    }
    parts = [Part(("reconstruction",), OBJECTIVES["reconstruction"], 0.4, 0.4, "")]
    aims, weights = {"reconstruction": 0.4}, {"reconstruction": 1.0}
    made = Terms(whole, whole, parts, 1, measured, aims, weights, most_density=0.246)
    found = best(made, Limits())  # .3 and .3 beside all of the part
    assert found.examples["masked"] == pytest.approx(found.examples["causal"])
    assert found.value == pytest.approx(1.0)
    found = best(made._replace(most_density=0.24), Limits())
    assert found.examples["masked"] >= 0.5 > 0.35 > found.examples["causal"]
    assert density(found.examples, measured) <= 0.24 + 1e-9
    assert best(made._replace(most_density=0.1), Limits()) is None


@settings(max_examples=15, deadline=None)
@given(terms())
def test_without_limits_all_of_every_part_is_taken(made):
    found = best(made, Limits())
    assert found is not None
    assert found.value == pytest.approx(1.0, abs=CLOSE)
    assert found.factors[: made.first] == pytest.approx([1.0] * made.first, abs=1e-3)
    assert found.factors[made.first :] == pytest.approx(
        [0.0] * (len(made.parts) - made.first), abs=1e-3
    )


@settings(max_examples=15, deadline=None)
@given(terms(), st.integers(0, 3))
def test_a_number_of_new_objectives_takes_the_best_of_them(made, most):
    """By trying: without shares to keep, each part is there in full or not at all."""
    found = best(made, Limits(most_new=most))
    assert found is not None
    parts = made.parts[: made.first]
    new = [p for p in parts if p.objective.name not in made.examples]
    tried = []
    for some in itertools.combinations(new, max(0, len(new) - most)):
        loss = {
            n: (1 - sum(p.loss for p in parts if p not in some)) * s
            for n, s in made.loss.items()
        }
        for part in parts:
            if part not in some:
                name = part.objective.name
                loss[name] = loss.get(name, 0.0) + part.loss
        have = supplies(made, loss)
        tried.append(
            sum(w * min(1.0, have[f] / made.aims[f]) for f, w in made.weights.items())
        )
    assert found.value >= max(tried) - CLOSE
