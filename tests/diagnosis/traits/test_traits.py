"""Traits of objectives and mixtures, against what their definitions say."""

import numpy as np
import pytest

from sightline.diagnosis.probes.infilling.filling_forms import FILLING_MODES
from sightline.diagnosis.traits.forms import NEGATIVE_KINDS
from sightline.diagnosis.traits.objective_traits import (
    mean_traits,
    mode_tokens,
    objective_traits,
    share_of_modes,
    trained_modes,
)
from sightline.diagnosis.traits.traits import BY, MEASURED, mixture_traits
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.example import Lengths, in_place, sequential
from sightline.objectives.registry import Objective
from sightline.tasks.examples.mixture import Mixture

ROWS = decoder_rows(slots=128, predictions=128)
BOTH_ROWS = encoder_decoder_rows(
    slots=128, predictions=128, memory_slots=128, memory_predictions=64
)

MODES = {
    "causal": "causal",
    "fill_in_middle": "causal",
    "masked": "masked",
    "block_diffusion": "blocks",
    "permuted": "permuted",
    "prefix": "prefix",
    "reconstruction": "reconstruction",
    "sentence_pair": "pair",
    "span_corruption": "span",
}
SETTINGS = [
    ("permuted", {"selection": "all"}, "permuted"),
    ("permuted", {"selection": "spans"}, "permuted"),
    ("masked", {"rate": "uniform", "masked_share": 1.0, "random_share": 0.0}, "masked"),
    ("masked", {"shift": True}, "shifted"),
    ("prefix", {"suffix": 0.25, "mode": "S"}, "prefix"),
    ("span_corruption", {"mean_span": 64.0, "mode": "X"}, "span"),
    ("reconstruction", {"infill": 0.0, "shuffle": 1.0}, "reconstruction"),
    ("reconstruction", {"infill": 0.0, "mask": 1.0}, "reconstruction"),
]


@pytest.fixture(scope="module")
def plain():
    """Traits of every objective with the settings that it starts with."""
    return {n: objective_traits(o, ROWS) for n, o in registry.objectives().items()}


@pytest.mark.parametrize("rows", [ROWS, BOTH_ROWS], ids=["decoder", "encoder_decoder"])
@pytest.mark.parametrize("name", registry.objectives())
def test_every_objective_asks_in_one_mode(name, rows):
    found = objective_traits(registry.get(name), rows, examples=6)
    assert found.modes[MODES[name]] == 1
    assert sum(found.modes.values()) == 1
    assert found.past + found.both + found.permuted == pytest.approx(1)


@pytest.mark.parametrize(("name", "settings", "mode"), SETTINGS)
def test_settings_do_not_hide_the_mode(name, settings, mode):
    found = objective_traits(registry.get(name).with_settings(**settings), ROWS)
    assert found.modes[mode] == 1
    if mode == "permuted":
        assert (found.onward, found.permuted) == (0, 1)


def test_only_whole_targets_behind_a_corrupted_text_are_whole(plain):
    for name, found in plain.items():
        assert found.whole == (name == "reconstruction"), name


def test_a_middle_is_filled_by_one_objective_whose_mode_is_causal(plain):
    for name, found in plain.items():
        assert found.middles == (name == "fill_in_middle"), name
        modes = trained_modes(found)
        assert modes["fill_in_middle"] == found.middles
        assert {mode: modes[mode] for mode in found.modes} == found.modes


def test_a_mode_that_was_trained_first_is_known_later(plain):
    modes = trained_modes(plain["causal"], plain["masked"])
    assert modes["causal"] == modes["masked"] == 1 and modes["span"] == 0


def test_an_example_counts_once_in_several_modes(plain):
    filling = mean_traits([plain["fill_in_middle"], plain["masked"]], [0.5, 0.5])
    modes = trained_modes(filling)
    assert share_of_modes(modes, FILLING_MODES) == 1
    assert share_of_modes(modes, ("suffix_first",)) == modes["suffix_first"] > 0
    assert share_of_modes(modes, ("causal", "fill_in_middle", "suffix_first")) == 0.5


@pytest.mark.parametrize("spm", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("window", [12, 100])
def test_the_order_of_a_middle_is_told_though_a_prefix_may_be_empty(spm, window):
    filling = registry.get("fill_in_middle").with_settings(spm=spm)
    lengths = np.full(40, window)
    found = objective_traits(filling, ROWS, lengths=lengths, examples=300)
    modes = trained_modes(found)
    assert modes["fill_in_middle"] == 1
    if spm == 0.5:
        assert 0.4 < modes["suffix_first"] < 0.7
    else:
        assert modes["suffix_first"] == spm
        assert (found.suffix_first > 0.1) == (spm == 1 or window == 12)


def test_onward_is_text_in_order_from_the_past(plain):
    onward = {name: found.onward for name, found in plain.items()}
    assert onward["causal"] == onward["prefix"] == 1
    assert onward["masked"] == onward["permuted"] == onward["sentence_pair"] == 0
    # The middle, and what SPM puts behind the suffix, sees later text.
    assert 0.3 < onward["fill_in_middle"] < 0.9
    # Only the last span, of about 6, less its first token behind the sentinel.
    assert 0.05 < onward["span_corruption"] < 0.15
    assert onward["reconstruction"] < 0.02


@pytest.mark.parametrize("unit", ["token", "sentence"])
def test_kinds_of_negatives_are_told_from_places(unit):
    """All text is long enough for each kind, but for windows that end a document."""
    rates = {"other": 0.3, "further": 0.15, "swapped": 0.15}
    pairs = registry.get("sentence_pair").with_settings(**rates, unit=unit)
    found = objective_traits(pairs, ROWS, examples=300)
    assert found.labels == 1
    assert found.negatives == pytest.approx(0.6, abs=0.12)
    assert found.kinds["none"] == 0
    assert sum(found.kinds.values()) == pytest.approx(1)
    assert found.kinds["other"] > found.kinds["further"] > 0.1
    assert found.kinds["swapped"] > 0.15


@pytest.mark.parametrize("kind", ["other", "further", "swapped"])
def test_one_kind_alone(kind):
    rates = {"other": 0.0, "further": 0.0, "swapped": 0.0, kind: 0.5}
    pairs = registry.get("sentence_pair").with_settings(**rates)
    # Three windows a document: where nothing is further on, swapping takes its place.
    kinds = objective_traits(pairs, ROWS, examples=90).kinds
    assert kinds[kind] > (0.5 if kind == "further" else 0.999)


def test_short_documents_have_nothing_further_on():
    pairs = registry.get("sentence_pair").with_settings(further=0.5, other=0.0)
    short = objective_traits(pairs, ROWS, lengths=np.full(9, 60))
    assert short.kinds["further"] == 0
    assert short.supervised == 1
    assert objective_traits(registry.get("causal"), ROWS, lengths=np.full(9, 60)) == (
        objective_traits(registry.get("causal"), ROWS, lengths=np.full(5, 60))
    )
    with pytest.raises(ValueError, match=r"none of 3 documents has the 16 tokens"):
        objective_traits(pairs, ROWS, lengths=np.full(3, 2))


def _planted(function, answers="hidden") -> Objective:
    def lengths(tokens):
        return Lengths(tokens + 1, tokens + 1, 0, tokens + 1, tokens + 1)

    return Objective("planted", 31, function, lengths, {}, answers)


def _sequential(inputs, targets):
    first = 1 + np.arange(len(inputs))
    then = len(inputs) + 2 + np.arange(len(targets))
    return sequential(
        31, inputs, targets, inputs_positions=first, targets_positions=then
    )


def _behind_a_mode(text, rng, ids):
    return _sequential([ids.mode("S")], text.tokens)


def _fragment(text, rng, ids):
    """MASS: one fragment, without sentinels, that the inputs miss."""
    half = len(text.tokens) // 2
    return _sequential(
        np.append(text.tokens[:half], ids.mask), text.tokens[half + 2 : -2]
    )


def _labels_at_random(text, rng, ids):
    return _sequential(text.tokens, [ids.labels[int(rng.integers(2))]])


def _copy_of_the_start(text, rng, ids):
    return _sequential(text.tokens, text.tokens[: len(text.tokens) // 2])


def _nothing(text, rng, ids):
    none = np.zeros(len(text.tokens))
    positions = 1 + np.arange(len(none))
    return in_place(31, text.tokens, positions=positions, targets=none, weights=none)


@pytest.mark.parametrize(
    ("function", "mode"),
    [
        (_behind_a_mode, "causal"),
        (_fragment, "span"),
        (_labels_at_random, "pair"),
        (_copy_of_the_start, "other"),
        (_nothing, "other"),
    ],
)
def test_an_objective_that_is_added_needs_no_change(function, mode):
    found = objective_traits(_planted(function), ROWS, examples=24)
    assert found.modes[mode] == 1
    shown = "S" if function is _behind_a_mode else "none"
    assert mode_tokens(found) == {mode: shown}
    if function is _labels_at_random:
        assert found.kinds["none"] == 1
        assert 0.2 < found.negatives < 0.8


RATES = {"causal": 3, "masked": 1, "x/masked": 1, "sentence_pair": 5}


def mixture(rates=RATES, **settings) -> Mixture:
    bound = {"x/masked": {"rate": 0.5}}
    return Mixture("m", rates, corpora={"policies": 1}, settings=bound, **settings)


@pytest.mark.parametrize("normalisation", ["objective", "token_sum"])
def test_shares_sum_to_one(normalisation):
    found = mixture_traits(mixture(), ROWS, normalisation=normalisation, examples=12)
    for by in BY:
        assert sum(getattr(found, by).values()) == pytest.approx(1)
        overall = found.overall[by]
        assert sum(overall.modes.values()) == pytest.approx(1)
        assert sum(overall.kinds.values()) == pytest.approx(1)
        assert overall.past + overall.both + overall.permuted == pytest.approx(1)


def test_the_order_of_objectives_changes_nothing():
    backwards = dict(reversed(RATES.items()))
    one, other = (
        mixture_traits(mixture(r), ROWS, examples=12) for r in (RATES, backwards)
    )
    assert one == other


def test_variants_share_their_objectives_loss_by_weight():
    found = mixture_traits(mixture(), ROWS, examples=12)
    assert found.loss["causal"] == pytest.approx(0.3)
    masked = found.loss["masked"], found.loss["x/masked"]
    assert sum(masked) == pytest.approx(0.2)
    asked = [found.objectives[n].supervised for n in ("masked", "x/masked")]
    assert masked[1] / masked[0] == pytest.approx(asked[1] / asked[0])


def test_a_token_sum_is_of_weights():
    found = mixture_traits(mixture(), ROWS, normalisation="token_sum", examples=12)
    assert found.loss == pytest.approx(found.supervised)
    assert found.loss_source == MEASURED
    assert found.loss["sentence_pair"] == pytest.approx(
        5 / (3 * 128 + 19 + 64 + 5), rel=0.02
    )


def test_a_measured_loss_is_taken_as_it_is():
    loss = np.zeros(32)
    loss[[registry.get(n).id for n in ("causal", "masked", "sentence_pair")]] = (
        0.5,
        0.4,
        0.1,
    )
    found = mixture_traits(
        mixture(), ROWS, loss=loss, loss_source="7 packed examples", examples=12
    )
    assert found.loss["causal"] == pytest.approx(0.5)
    assert found.overall["loss"].onward == pytest.approx(0.5)
    assert found.overall["loss"].labels == pytest.approx(0.1)
    assert found.loss_source == "7 packed examples"


def test_the_mean_weighs_kinds_by_negatives():
    pairs = registry.get("sentence_pair")
    swapped = pairs.with_settings(other=0.0, further=0.0, swapped=0.5)
    other = pairs.with_settings(other=0.5, further=0.0, swapped=0.0)
    one, two = (objective_traits(o, ROWS) for o in (swapped, other))
    causal = objective_traits(registry.get("causal"), ROWS)
    mean = mean_traits([one, two, causal], [0.2, 0.6, 0.2])
    negatives = 0.2 * one.negatives + 0.6 * two.negatives
    assert mean.labels == pytest.approx(0.8)
    assert mean.negatives == pytest.approx(negatives / 0.8)
    assert mean.kinds["swapped"] == pytest.approx(0.2 * one.negatives / negatives)
    assert set(mean.kinds) == set(NEGATIVE_KINDS)


def test_nothing_reads_a_name(plain):
    """An objective under another name has the traits of its function."""
    causal = registry.get("causal")
    renamed = objective_traits(_planted(causal.function), ROWS)
    assert renamed.modes == plain["causal"].modes
    assert renamed.onward == plain["causal"].onward == 1


def test_the_mode_token_that_most_examples_of_a_mode_show():
    span: dict[str, dict] = {
        "r/span_corruption": {"mode": "R"},
        "x/span_corruption": {"mode": "X"},
    }
    rates = {"causal": 0.2, "r/span_corruption": 0.5, "x/span_corruption": 0.3}
    mixture = Mixture("modes", rates, corpora={"policies": 1}, settings=span)
    found = mixture_traits(mixture, ROWS, examples=6).overall["examples"]
    assert mode_tokens(found) == {"causal": "none", "span": "R"}
    span["r/span_corruption"]["mode_rate"] = 1e-6
    mixture = Mixture("modes", rates, corpora={"policies": 1}, settings=span)
    found = mixture_traits(mixture, ROWS, examples=6).overall["examples"]
    assert mode_tokens(found)["span"] == "none"
