"""What the parts of a memo derive from its inputs."""

import pytest

from sightline.diagnosis.findings.complaints import Complaint
from sightline.diagnosis.memo.inputs import Memo
from sightline.diagnosis.results.effects import Effect, Effects, Mix
from sightline.diagnosis.revision.propose import Change, Proposal
from sightline.diagnosis.scores.score import Score
from sightline.tasks.examples.mixture import Mixture

pytestmark = pytest.mark.unchecked  # much of a memo is not needed here

NAN = float("nan")


def effect(probe="jump-ahead", metric="accuracy", better="higher", value=0.5):
    ends = value - 0.1, value + 0.1
    return Effect("drift", probe, metric, value, *ends, better, 0.5, 3)


def score(probe, metric="accuracy", *, kind="all", value=0.6, chance=0.5, **changed):
    ends = value - 0.1, value + 0.1
    made = Score(
        *("drift", probe, kind, metric, value, *ends, chance),
        *("higher", "causal", True, {}, 40, 10),
    )
    return made._replace(**changed)


def mix(shares, *effects):
    return Mix(shares, shares, {}, None, effects)


MIXES = {
    "old": mix({"masked": 1.0}, effect()),
    "half": mix({"causal": 0.5, "masked": 0.5}, effect(value=0.7)),
    "most": mix({"causal": 0.8, "masked": 0.2}, effect("block shuffle")),
}


@pytest.fixture
def memo():
    """`memo(…)`: one whose proposal has .8 of the loss on `causal`."""

    def make(*, precedent=None, changes=(), effects=None, **fields):
        rates = {"policies.causal": 0.8, "policies.masked": 0.2}
        shares = {"causal": 0.8, "masked": 0.2}
        mixture = Mixture("m", rates, loss_shares=shares, vocabulary="policies")
        proposal = Proposal(mixture, None, None, changes, (), {}, precedent)
        every = dict(scores=(), complaints=(), causes=()) | fields
        known = Effects("c", 1, "", "old", MIXES) if effects is None else effects
        return Memo(
            *(None, mixture, None, None),
            **every,
            proposal=proposal,
            effects=known,
        )

    return make


def test_the_mix_is_the_one_that_is_followed_else_the_nearest(memo):
    assert memo().study_mix == "most"
    assert memo(precedent="half").study_mix == "half"
    assert memo(effects=Effects()).study_mix is None
    # The incumbent is compared with, however near it is.
    alone = Effects(
        "c", 1, "", "most", {name: MIXES[name] for name in ("most", "half")}
    )
    assert memo(effects=alone).study_mix == "half"


def test_a_pair_is_of_one_probe(memo):
    assert memo(precedent="half").pair("drift") == (effect(), effect(value=0.7))
    assert memo(precedent="most").pair("drift") is None
    assert memo(precedent="half").pair("continuation") is None
    assert memo(effects=Effects()).pair("drift") is None


def test_the_leading_score_is_by_the_studys_probe_and_metric(memo):
    first, same = score("minimal pairs"), score("jump-ahead")
    other = score("jump-ahead", "margin")
    assert memo(scores=(first, other, same)).lead("drift") == same
    assert memo(scores=(first, other)).lead("drift") == first
    assert memo(scores=(first, same), effects=Effects()).lead("drift") == first
    assert memo(scores=(first, same)).lead("continuation") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"value": NAN},
        {"chance": None},  # nothing is to be beaten
        {"chance": 1.0},  # nor can be
        {"kind": "far"},  # a part of all
        {"failure": "continuation"},
    ],
)
def test_what_does_not_lead_is_passed_over(changed, memo):
    first, same = score("minimal pairs"), score("jump-ahead")._replace(**changed)
    whole = score("jump-ahead", "margin")
    assert memo(scores=(first, same, whole)).lead("drift") == first


def test_reviews_count_where_texts_were_counted(memo):
    counted, named = Complaint("drift", 8, 80), Complaint("drift")
    complaints = (named, counted, Complaint("continuation", 1, 80))
    assert memo(complaints=complaints).counts_of("drift") == [counted]


def test_changes_that_give_more_act(memo):
    changes = [
        Change(name, action, (), None, (0.1, 0.2), (0.1, 0.2), "")
        for action, name in (("add", "a"), ("raise", "b"), ("lower", "c"))
    ]
    assert [c.name for c in memo(changes=tuple(changes)).acting] == ["a", "b"]
