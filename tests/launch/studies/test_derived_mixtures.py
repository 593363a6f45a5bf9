"""Additions and ablations: what is added or left out, and that the rest keep their
proportions."""

import pytest
from hypothesis import given, settings, strategies as st

from sightline.launch.studies.derived_mixtures import ablations, additions
from sightline.objectives.errors import UsageError
from sightline.objectives.registry import base_name, get
from sightline.tasks.examples.mixture import Mixture

NAMES = ("causal", "masked", "a/masked", "b/masked", "prefix", "permuted")
RATE = st.integers(1, 9)


@st.composite
def parts(draw, *, least=1):
    """Some objectives and variants, with shares of the loss or without."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    bases = list(dict.fromkeys(map(base_name, names)))
    while len(bases) < least:
        names, bases = [*names, "sentence_pair"], [*bases, "sentence_pair"]
    rates = {name: draw(RATE) for name in names}
    weights = {base: draw(RATE) for base in bases}
    shares = {base: each / sum(weights.values()) for base, each in weights.items()}
    return rates, draw(st.none() | st.just(shares))


def mix(rates, shares=None):
    return Mixture(
        "mine",
        rates,
        corpora={"policies": 1, "english": 3},
        loss_shares=shares,
        settings={n: {"rate": 0.2} for n in rates if base_name(n) == "masked"},
        vocabulary="policies",
    )


def bases(mixture):
    return {base_name(name) for name in mixture.objective_rates()}


def loss(mixture):
    array = mixture.loss_share_array()
    return {base: float(array[get(base).id]) for base in bases(mixture)}


def same_proportions(before, after):
    """Whether two mappings have the names and the ratios that are given in common."""
    factor = sum(after.values()) / sum(before.values())
    assert after == pytest.approx({n: v * factor for n, v in before.items()}, rel=1e-5)


def only(shares, wanted):
    return {name: share for name, share in shares.items() if base_name(name) in wanted}


@given(parts(), parts(least=2))
@settings(max_examples=12, deadline=None)
def test_an_addition_has_the_share_that_the_revised_mix_gives_it(before, after):
    incumbent, revised = mix(*before), mix(*after)
    found = additions(incumbent, revised)
    new = bases(revised) - bases(incumbent)
    assert found.keys() == {f"+{name}" for name in new}
    for name in new:
        mixture = found[f"+{name}"]
        assert mixture.name == f"+{name}"
        rates, own = mixture.objective_rates(), incumbent.objective_rates()
        assert sum(rates.values()) == pytest.approx(1)
        added = only(revised.objective_rates(), {name})
        assert only(rates, {name}) == pytest.approx(added)
        same_proportions(own, only(rates, bases(incumbent)))
        assert loss(mixture)[name] == pytest.approx(loss(revised)[name], rel=1e-5)
        same_proportions(loss(incumbent), only(loss(mixture), bases(incumbent)))
        for variant in added:
            settings_of = mixture.settings_of(variant)
            assert settings_of == revised.settings_of(variant)
        assert mixture.corpora == incumbent.corpora


@given(parts(least=2))
@settings(max_examples=12, deadline=None)
def test_an_ablation_leaves_an_objective_out_with_its_variants(given):
    revised = mix(*given)
    found = ablations(revised)
    assert found.keys() == {f"-{name}" for name in bases(revised)}
    for name in bases(revised):
        mixture, others = found[f"-{name}"], bases(revised) - {name}
        assert mixture.name == f"-{name}" and bases(mixture) == others
        assert sum(mixture.objective_rates().values()) == pytest.approx(1)
        before = only(revised.objective_rates(), others)
        same_proportions(before, mixture.objective_rates())
        same_proportions(only(loss(revised), others), loss(mixture))


def test_a_mix_of_variants_of_one_objective_cannot_do_without_it():
    revised = mix({"a/masked": 1, "b/masked": 2})
    with pytest.raises(UsageError, match=r"mix 'mine' has one objective, .*False"):
        ablations(revised)


@pytest.mark.parametrize("revised", [{"causal": 2}, {"a/masked": 1, "b/masked": 2}])
def test_beside_one_objective_alone_nothing_of_the_incumbent_is_left(revised):
    (name,) = {base_name(each) for each in revised}
    with pytest.raises(UsageError, match=rf"is {name} alone, .*additions = False"):
        additions(mix({"permuted": 1}), mix(revised))
    # One that the incumbent has already is no addition.
    assert additions(mix({"permuted": 1, **revised}), mix(revised)) == {}
