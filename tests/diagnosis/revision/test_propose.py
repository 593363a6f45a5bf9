"""The proposal: what it changes, what it leaves alone, where its numbers are from."""

import dataclasses
from collections import namedtuple

import numpy as np
import pytest

from sightline.diagnosis.causes.cause import Cause
from sightline.diagnosis.causes.causes import causes
from sightline.diagnosis.failures import registry
from sightline.diagnosis.failures.registry import get, names
from sightline.diagnosis.findings.complaints import Complaint, named
from sightline.diagnosis.findings.severity import fails, severities, shortfall
from sightline.diagnosis.results.effects import Effect, Effects, Mix, OwnLoss
from sightline.diagnosis.revision.propose import propose
from sightline.diagnosis.revision.remedies import remedy, supply
from sightline.diagnosis.revision.rule import KEPT, supplied
from sightline.diagnosis.scores.score import Score
from sightline.diagnosis.traits.objective_traits import objective_traits
from sightline.diagnosis.traits.traits import mixture_traits
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives.registry import base_name
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.preflight import check_examples

ROWS = decoder_rows(slots=128, predictions=24)
INCUMBENT = Mixture(
    "incumbent",
    {"masked": 8, "permuted": 2},
    corpora={"policies": 1},
    vocabulary="policies",
    settings={"masked": {"rate": 0.12}},
)
WITH_PAIRS = Mixture(
    "pairs",
    {"policies.masked": 0.5, "policies.sentence_pair": 0.5},
    vocabulary="policies",
    settings={"sentence_pair": {"other": 0.5, "further": 0.0, "swapped": 0.0}},
)
THREE = ("drift", "continuation", "reconstruction")
ALL = named(THREE)

Case = namedtuple("Case", "mixture traits proposal")


def case(mixture=INCUMBENT, complaints=ALL, effects=None, scores=(), rows=ROWS):
    traits = mixture_traits(mixture, rows)
    had = [c for c in complaints if c.count != 0]
    found = causes(traits, complaints=had or None, scores=scores or None)
    made = propose(
        mixture,
        traits,
        found,
        scores,
        complaints,
        [effects] if effects else [],
        rows=rows,
        examples=24,
    )
    return Case(mixture, traits, made)


def own_loss(made):
    """Share of the loss of the objectives that the mixture had."""
    return sum(
        share
        for name, share in made.proposal.traits.loss.items()
        if name in made.traits.objectives
    )


@pytest.mark.parametrize("failure", names())
@pytest.mark.parametrize("slots", [64, 512])
def test_each_remedy_supplies_what_its_failure_needs(failure, slots):
    rows = decoder_rows(slots=slots, predictions=slots)
    traits = objective_traits(remedy(failure, "policies", rows), rows)
    assert supply(traits, failure) > 0.9


@pytest.mark.parametrize("failure", THREE)
def test_one_complaint_is_acted_on_and_no_other(failure):
    made = case(complaints=(Complaint(failure),))
    added = {c.name for c in made.proposal.changes if c.action == "add"}
    assert added == {get(failure).remedies[0].objective}
    assert supplied(made.proposal.traits, failure) == pytest.approx(1 - KEPT, abs=0.02)
    assert own_loss(made) == pytest.approx(KEPT, abs=0.001)


def test_shares_follow_severity_and_leave_half():
    counts = dict(zip(THREE, (10, 30, 60), strict=True))
    made = case(complaints=tuple(Complaint(f, n, 100) for f, n in counts.items()))
    assert own_loss(made) == pytest.approx(KEPT, abs=0.001)
    for failure, count in counts.items():
        has = supplied(made.proposal.traits, failure)
        assert has == pytest.approx((1 - KEPT) * count / 100, abs=0.02)
    assert np.isclose(sum(made.proposal.mixture.loss_shares.values()), 1)
    traits = made.proposal.traits
    slots = {n: s * traits.objectives[n].processed for n, s in traits.examples.items()}
    own = sum(slots[name] for name in made.traits.objectives)
    assert own / sum(slots.values()) == pytest.approx(KEPT, abs=0.02)


def test_own_objectives_keep_settings_and_proportions():
    made = case()
    after = made.proposal.mixture
    assert after.rates["masked"] == pytest.approx(4 * after.rates["permuted"], rel=0.01)
    assert after.settings["masked"] == {"rate": 0.12}
    assert after.corpora == INCUMBENT.corpora
    lower = {c.name for c in made.proposal.changes if c.action == "lower"}
    assert lower == {"masked", "permuted"}


def test_a_pair_that_only_topic_tells_gets_a_variant():
    made = case(WITH_PAIRS, named(["continuation"]))
    after = made.proposal.mixture
    assert "policies.order/sentence_pair" in after.rates
    assert after.objective("sentence_pair").settings["swapped"] == 0.0
    assert after.objective("order/sentence_pair").settings["swapped"] > 0


def test_what_is_there_is_raised_rather_than_added():
    mixture = dataclasses.replace(
        INCUMBENT,
        rates={"masked": 0.5, "causal": 0.5},
        loss_shares={
            "masked": 0.99,
            "causal": 0.01,
        },
    )
    made = case(mixture, named(["drift"]))
    (more,) = [c for c in made.proposal.changes if c.failures]
    assert (more.name, more.action) == ("causal", "raise")
    assert more.loss[1] == pytest.approx(1 - KEPT, abs=0.01)


def small(name):
    """A causal mixture with a hundredth of its loss on another objective."""
    return dataclasses.replace(
        INCUMBENT,
        rates={"causal": 0.9, name: 0.1},
        loss_shares={"causal": 0.99, name: 0.01},
        settings={},
    )


def test_a_label_of_a_pair_fills_in_nothing():
    made = case(small("sentence_pair"), named(["infilling"]))
    assert made.traits.objectives["sentence_pair"].filled == 0.0
    (added,) = [c for c in made.proposal.changes if c.failures]
    assert (added.name, added.action) == ("fill_in_middle", "add")
    assert supplied(made.proposal.traits, "infilling") == pytest.approx(0.5, abs=0.02)


def test_what_acts_on_two_failures_gets_the_share_of_one():
    two = ("reconstruction", "infilling")
    counts = dict(zip(two, (60, 40), strict=True))
    complaints = tuple(Complaint(f, n, 100) for f, n in counts.items())
    made = case(small("reconstruction"), complaints)
    (more,) = [c for c in made.proposal.changes if c.failures]
    assert (more.name, more.action) == ("reconstruction", "raise")
    assert set(more.failures) == set(two) and more.failures[0] == "reconstruction"
    # Of .5 for both, three fifths: what one token supplies counts for either.
    assert more.loss[1] == pytest.approx(0.3, abs=0.01)
    for failure in two:
        assert failure not in made.proposal.unchanged
        assert supplied(made.proposal.traits, failure) >= 0.5 * counts[failure] / 100
    assert "so 30 %, of which 1.00 % is there" in more.source


def test_one_remedy_of_two_failures_is_added_once(monkeypatch):
    drift = get("drift").remedies[0]
    continuation = dataclasses.replace(get("continuation"), remedies=(drift,))
    monkeypatch.setitem(registry._FAILURES, "continuation", continuation)
    made = case(complaints=named(["drift", "continuation"]))
    (added,) = [c for c in made.proposal.changes if c.action == "add"]
    assert (added.name, added.failures) == ("causal", ("drift", "continuation"))


def test_a_failure_without_a_cause_in_the_mix_keeps_what_acts_on_it():
    mixture = dataclasses.replace(
        INCUMBENT, rates={"masked": 0.88, "causal": 0.12}, settings={}
    )
    made = case(mixture, named(["drift", "reconstruction"]))
    assert set(made.proposal.unchanged) == {"drift"}
    before = supplied(made.traits, "drift")
    assert supplied(made.proposal.traits, "drift") == pytest.approx(before, abs=0.005)
    assert supplied(made.proposal.traits, "reconstruction") > 0.2


def test_why_a_failure_with_a_cause_gets_nothing_is_true():
    little = (Complaint("drift", 900, 1000), Complaint("continuation", 1, 1000))
    assert case(complaints=little).proposal.unchanged["continuation"] == (
        "0 % of the loss acts on it already and its part by severity is 0.06 %: less "
        "than 1 % is missing."
    )
    traits = mixture_traits(INCUMBENT, ROWS, examples=12)
    mix = Cause(5, "the mix", "found", ("infilling",), "", ())
    enough = propose(
        INCUMBENT, traits, [mix], (), named(["infilling"]), [], rows=ROWS, examples=12
    )
    assert (
        "acts on it already, as much as it would get" in enough.unchanged["infilling"]
    )


def test_nothing_complained_of_changes_nothing():
    made = case(complaints=(Complaint("drift", 0, 50),))
    assert not made.proposal.changes
    assert made.proposal.rows == ROWS
    assert made.proposal.mixture.positive_rates() == pytest.approx(
        {"policies.masked": 0.8, "policies.permuted": 0.2}
    )


def test_a_leak_comes_first():
    traits = mixture_traits(INCUMBENT, ROWS)
    leak = Cause(1, "information leak", "found", ("drift",), "", ())
    made = propose(INCUMBENT, traits, [leak], (), named(["drift"]), [], rows=ROWS)
    assert not made.changes
    assert "fix this first: information leak" in made.unchanged["drift"]


@pytest.mark.parametrize("mixture", [INCUMBENT, WITH_PAIRS])
@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        encoder_decoder_rows(
            slots=24, predictions=24, memory_slots=128, memory_predictions=24
        ),
    ],
    ids=["decoder", "encoder_decoder"],
)
def test_what_is_recommended_fits_its_rows(mixture, rows):
    made = case(mixture, rows=rows)
    check_examples(made.proposal.mixture, made.proposal.rows)
    assert made.proposal.traits.objectives["causal"].supervised > 100


def study(value, own=1.01, better="higher"):
    """A study in which the revised mix comes to `value`, its incumbent to 0.5."""

    def effects(at):
        return tuple(
            Effect(f, "p", "m", at, at - 0.05, at + 0.05, better, 0.5, 3) for f in THREE
        )

    rates = {"masked": 0.8, "permuted": 0.2}
    more = {"masked": 0.2, "permuted": 0.1, "causal": 0.3, "reconstruction": 0.2}
    more["sentence_pair"] = 0.2
    pairs = {"sentence_pair": {"other": 0.1, "further": 0.2, "swapped": 0.2}}
    mixes = {
        "incumbent": Mix(rates, rates, {}, OwnLoss(1.0, 1.0, 1.0), effects(0.5)),
        "revised": Mix(more, more, pairs, OwnLoss(own, own, own), effects(value)),
        "dear": Mix(more, more, pairs, OwnLoss(2.0, 2.0, 2.0), effects(value)),
        "foreign": Mix({"causal": 1.0}, {"causal": 1.0}, {}, None, effects(value)),
    }
    return Effects("policies", 10, "", "incumbent", mixes)


def test_a_mix_that_was_measured_better_is_followed():
    made = case(effects=study(0.9))
    assert made.proposal.precedent == "revised"  # the cheaper one
    after = made.proposal.mixture
    wanted = study(0.9).mixes["revised"].rates
    for key, rate in after.rates.items():
        mixed = 0.15 / 0.3 if base_name(key) in INCUMBENT.rates else 1.0
        own = {"masked": 0.24, "permuted": 0.06}.get(key, wanted[key])
        assert rate == pytest.approx(own, abs=0.001), mixed
    for change in made.proposal.changes:
        assert "study" in change.source
        assert not change.failures or "0.900 [0.850, 0.950]" in change.source


def test_a_measured_mix_serves_only_failures_that_are_there():
    made = case(complaints=named(["drift", "continuation"]), effects=study(0.9))
    assert made.proposal.precedent == "revised"
    wanted = {"masked", "permuted", "causal", "sentence_pair"}
    assert set(made.proposal.mixture.rates) == wanted
    told = [c.source for c in made.proposal.changes if c.failures]
    assert told and all("measured with `reconstruction`" in text for text in told)


def test_a_small_part_of_a_mix_is_no_precedent():
    made = case(complaints=named(["reconstruction"]), effects=study(0.9))
    assert made.proposal.precedent is None
    assert set(made.proposal.mixture.rates) == {"masked", "permuted", "reconstruction"}


@pytest.mark.parametrize("value", [0.55, 0.2])
def test_a_mix_that_was_not_better_is_not_followed(value):
    made = case(effects=study(value))
    assert made.proposal.precedent is None
    for change in made.proposal.changes:
        assert "study" not in change.source  # no credit for what others did


def test_lower_can_be_better():
    assert case(effects=study(0.2, better="lower")).proposal.precedent == "revised"


def score(value, *, chance=0.5, better="higher", baselines=None, failure="drift"):
    bounds = value - 0.05, value + 0.05
    made = (chance, better, "causal", True, baselines or {}, 10, 10)
    return Score(failure, "p", "k", "m", value, *bounds, *made)


def test_when_a_score_fails():
    assert fails(score(0.52)) and not fails(score(0.6))
    assert fails(score(0.6, baselines={"bag of words": 0.58}))
    assert fails(score(0.48, better="lower")) and not fails(score(0.3, better="lower"))
    assert not fails(score(0.1, chance=None))
    assert not fails(score(float("nan")))
    assert shortfall(score(0.75)) == pytest.approx(0.5)
    assert shortfall(score(0.1, better="lower")) == pytest.approx(0.2)
    assert shortfall(score(0.3)) == 1.0


def test_severity_is_counted_before_it_is_scored():
    scores = (score(0.5), score(0.75))
    (counted,) = severities([Complaint("drift", 3, 4)], scores)
    assert counted.value == 0.75
    (scored,) = severities([], scores)
    assert scored.value == pytest.approx(0.75)
    assert scored.source.startswith("measured")
    (alone,) = severities(named(["drift"]), ())
    assert alone.value == 1.0
    assert severities([], [score(0.9)]) == ()
