"""The proposal for a run that is trained on: how much of its mixture it keeps."""

import pytest

from sightline.diagnosis.revision.adapted import adapted, keeping
from sightline.diagnosis.revision.propose import Proposal
from sightline.diagnosis.traits.traits import mixture_traits
from sightline.models.rows import decoder_rows
from sightline.tasks.examples.mixture import Mixture

BEFORE = {"a": 6.0, "b": 2.0}


def kept(after, before=BEFORE):
    """The largest part of `after` that is divided as `before`."""
    return min(after[name] * sum(before.values()) / before[name] for name in before)


@pytest.mark.parametrize("least", [1 / 3, 5 / 6])
@pytest.mark.parametrize(
    "after",
    [
        {"a": 0.03, "b": 0.01, "c": 0.96},
        {"a": 0.0, "b": 0.9, "c": 0.1},
        {"a": 3.0, "b": 0.2, "c": 40.0},
        {"a": 0.15, "b": 0.1, "c": 0.75},
    ],
)
def test_a_share_is_divided_as_it_was(after, least):
    made = keeping(after, BEFORE, least=least)
    assert sum(made.values()) == pytest.approx(1)
    assert kept(made) == pytest.approx(least)
    # What is mixed in is `before`'s; the rest is `after`'s, in its proportions.
    own = 1 - made["c"] * sum(after.values()) / after["c"]
    for name, total in BEFORE.items():
        rest = (1 - own) * after[name] / sum(after.values())
        assert made[name] == pytest.approx(own * total / 8 + rest)


@pytest.mark.parametrize("after", [{"a": 0.3, "b": 0.1, "c": 0.6}, BEFORE])
def test_what_keeps_enough_stays(after):
    total = sum(after.values())
    expected = {name: share / total for name, share in after.items()}
    assert keeping(after, BEFORE, least=1 / 3) == pytest.approx(expected)


def test_of_what_is_ruled_out_nothing_is_kept_and_all_is_shared_out():
    made = keeping({"b": 0.1, "c": 0.9}, BEFORE, least=0.4)
    assert made == pytest.approx({"b": 0.4, "c": 0.6})
    assert keeping({"c": 2.0}, BEFORE, least=0.4) == {"c": 1.0}


def test_a_proposal_keeps_rates_and_loss_shares():
    before = Mixture("mine", {"policies.masked": 4.0}, vocabulary="policies")
    rates = {"policies.masked": 0.1, "policies.causal": 0.9}
    after = Mixture(
        "recommended",
        rates,
        vocabulary="policies",
        loss_shares={"masked": 0.2, "causal": 0.8},
    )
    rows = decoder_rows(slots=64, predictions=64)
    traits = mixture_traits(after, rows, examples=8)
    proposal = Proposal(after, rows, traits, (), (), {}, None)
    made = adapted(before, proposal, {"masked": 1.0}, kept=0.4).mixture
    wanted = {"masked": pytest.approx(0.4, abs=1e-4)}
    wanted["causal"] = pytest.approx(0.6, abs=1e-4)
    assert made.loss_shares == wanted
    assert made.rates == {f"policies.{name}": share for name, share in wanted.items()}
    assert made.settings == after.settings and made.vocabulary == "policies"
