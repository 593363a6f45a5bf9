"""Proposals within limits, from mixtures to rows."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.causes.causes import causes
from sightline.diagnosis.findings.complaints import Complaint, named
from sightline.diagnosis.revision.limits import Limits, check, density, token_cost
from sightline.diagnosis.revision.propose import propose
from sightline.diagnosis.revision.revision import narrower, open_rows
from sightline.diagnosis.traits.traits import mixture_traits
from sightline.models.config import ModelConfig
from sightline.models.operations import row_operations
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.preflight import check_examples

ROWS = decoder_rows(slots=128, predictions=24)
MODEL = ModelConfig(
    layers=2, d_model=64, heads=2, kv_heads=2, head_dim=32, d_hidden=128
)
THREE = ("drift", "continuation", "reconstruction")
ALL = named(THREE)


def row_cost(rows):
    return row_operations(MODEL, rows, vocabulary_size=4096)


def mixed(**rates):
    return Mixture("mixed", rates, corpora={"policies": 1}, vocabulary="policies")


INCUMBENT = mixed(masked=0.8, permuted=0.2)
WITH_CAUSAL = mixed(masked=0.6, causal=0.1, permuted=0.3)


def proposed(mixture, limits, complaints=ALL, rows=ROWS):
    traits = mixture_traits(mixture, rows, examples=24)
    found = causes(traits, complaints=complaints)
    return traits, propose(
        *(mixture, traits, found, (), complaints, ()),
        rows=rows,
        examples=24,
        limits=limits,
        row_cost=row_cost,
    )


def relative_cost(before, after, rows=ROWS):
    def cost(rows, traits):
        mean = density(traits.examples, traits.objectives)
        return token_cost(row_cost, rows, mean)

    return cost(after.rows, after.traits) / cost(rows, before)


RATES = st.floats(0.05, 1.0)


@settings(max_examples=3, deadline=None)
@given(
    st.fixed_dictionaries(
        {"masked": RATES, "permuted": RATES}, optional={"causal": RATES}
    ),
    st.none() | st.integers(0, 3),
    st.sampled_from([(), ("masked",), ("permuted", "masked")]),
    st.none() | st.floats(1.0, 3.0),
    st.sampled_from([(), ("sentence_pair",), ("reconstruction", "prefix")]),
)
def test_a_proposal_keeps_every_limit(rates, most_new, keep, most_cost, without):
    before, made = proposed(mixed(**rates), Limits(most_new, keep, most_cost, without))
    after = made.mixture
    shares = after.objective_rates()
    assert sum(after.rates.values()) == pytest.approx(1.0, abs=1e-6)
    assert sum(after.loss_shares.values()) == pytest.approx(1.0, abs=1e-6)
    if most_new is not None:
        assert len(set(shares) - set(before.objectives)) <= most_new
    assert not set(shares) & set(without)
    for name in keep:
        assert shares[name] >= before.examples[name] - 1.1e-4
        assert after.loss_shares[name] >= before.loss[name] - 1.1e-4
    if most_cost is not None:
        assert relative_cost(before, made) <= most_cost * 1.001
        assert made.limited.token_cost == pytest.approx(relative_cost(before, made))
    check_examples(after, made.rows)


def test_a_limit_that_does_not_bind_changes_nothing():
    _, free = proposed(INCUMBENT, Limits())
    loose = Limits(3, (), 50.0, ("prefix", "block_diffusion"))
    _, made = proposed(INCUMBENT, loose)
    assert made.limited is not None
    assert all(not cost.lost() for cost in made.limited.costs)
    same = {"limits": free.limits, "limited": free.limited}
    assert made._replace(**same) == free


def test_one_new_objective_leaves_the_severest_failure_its_remedy():
    counts = dict(zip(THREE, (60, 10, 30), strict=True))
    complaints = tuple(Complaint(f, n, 100) for f, n in counts.items())
    _, made = proposed(INCUMBENT, Limits(most_new=1), complaints)
    assert [c.name for c in made.changes if c.action == "add"] == ["causal"]
    assert set(made.unchanged) == {"continuation", "reconstruction"}
    (cost,) = made.limited.costs
    lost = cost.lost()
    assert set(lost) == {"continuation", "reconstruction"}
    assert lost["reconstruction"] == (pytest.approx(0.15, abs=0.02), 0.0)
    assert made.precedent is None


def test_what_is_kept_is_paid_by_what_is_added():
    before, made = proposed(WITH_CAUSAL, Limits(keep=("masked", "causal")))
    by_name = {change.name: change for change in made.changes}
    assert by_name["masked"].action == "keep"
    assert by_name["causal"].rate[1] >= before.examples["causal"] - 1e-4
    assert by_name["permuted"].action == "lower"
    assert by_name["permuted"].loss[1] >= before.loss["permuted"] / 2 - 0.001
    assert made.limited.costs[-1].limit == "--keep=masked --keep=causal"


def test_a_stand_in_acts_where_the_remedy_is_ruled_out():
    _, made = proposed(INCUMBENT, Limits(without=("causal",)), named(["drift"]))
    (added,) = [change for change in made.changes if change.action == "add"]
    assert added.name == "prefix"
    assert "in place of `causal`" in added.source
    assert not made.limited.costs[0].lost()  # by its traits; no effect is claimed


def test_a_present_objective_can_be_ruled_out():
    before, made = proposed(INCUMBENT, Limits(without=("permuted",)))
    assert set(made.mixture.objective_rates()) >= {"masked"}
    (gone,) = [change for change in made.changes if change.name == "permuted"]
    assert gone.rate == (pytest.approx(before.examples["permuted"]), 0.0)
    assert gone.action == "lower"


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        encoder_decoder_rows(
            slots=32, predictions=32, memory_slots=128, memory_predictions=24
        ),
    ],
    ids=["decoder", "encoder_decoder"],
)
def test_the_dearer_the_more_is_remedied(rows):
    worth = []
    for most in (1.0, 1.2, 4.0):
        before, made = proposed(INCUMBENT, Limits(most_cost=most), rows=rows)
        assert relative_cost(before, made, rows) <= most * 1.001
        loss = {f: after for f, (_, after) in made.limited.costs[0].supplies.items()}
        worth.append(sum(loss.values()))
        check_examples(made.mixture, made.rows)
    # Supplies are measured on samples of Examples, on other rows each.
    assert all(less <= more + 0.01 for less, more in itertools.pairwise(worth)), worth
    assert worth[0] < worth[-1] - 0.01 or worth[0] == pytest.approx(0.5, abs=0.01)


def test_rows_between_narrow_and_wide():
    rows = list(narrower(ROWS))
    assert rows[0] == open_rows(ROWS) and rows[-1] == ROWS
    costs = [row_cost(one) for one in rows]
    assert costs == sorted(costs, reverse=True) and len(set(costs)) == len(costs)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(keep=("causal",)), "no such objective to keep; valid: masked, perm"),
        (Limits(without=("causl",)), "no such objective; did you mean 'causal'"),
        (Limits(keep=("masked",), without=("masked",)), "clash: both cover 'masked'"),
        (Limits(most_new=-1), "--most_new"),
        (Limits(most_cost=0.9), "--most_cost"),
    ],
)
def test_limits_that_nothing_keeps(limits, message):
    with pytest.raises(UsageError) as error:
        check(limits, ["masked", "permuted"], row_cost)
    assert message in str(error.value)


def test_cost_is_of_a_model():
    with pytest.raises(UsageError, match="give a run's directory"):
        check(Limits(most_cost=1.1), ["masked"], None)


def test_nothing_left_is_said():
    with pytest.raises(UsageError, match="too little is left"):
        proposed(mixed(masked=1.0), Limits(most_new=0, without=("masked",)))


def test_a_clash_says_what_would_do():
    mixture = mixed(masked=0.5, causal=0.5)
    limits = Limits(most_cost=1.01, without=("masked", "prefix"))
    with pytest.raises(UsageError, match="clash") as error:
        proposed(mixture, limits, named(["drift"]))
    enough = float(str(error.value).split("--most_cost=")[2].split(" ")[0])
    proposed(mixture, limits._replace(most_cost=enough), named(["drift"]))
