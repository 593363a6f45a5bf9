"""How figures of a memo are written, and what is said of objectives."""

import pytest

from sightline.diagnosis.memo.formatting import (
    flow,
    measured,
    metric,
    moved,
    number,
    predicted,
    step,
    target,
    to_beat,
)
from sightline.diagnosis.results.effects import Effect
from sightline.diagnosis.scores.score import Score
from sightline.diagnosis.traits.objective_traits import objective_traits
from sightline.models.rows import decoder_rows
from sightline.objectives import registry

ROWS = decoder_rows(slots=64, predictions=64)
NAN = float("nan")


def score(value=0.6, low=0.55, high=0.65, *, chance=0.5, better="higher", **baselines):
    head = ("drift", "minimal pairs", "all", "accuracy", value, low, high, chance)
    return Score(*head, better, "causal", True, baselines, 40, 10)


def effect(value=0.6, *, chance=0.5, better="higher"):
    ends = value - 0.05, value + 0.05
    return Effect("drift", "jumps", "rate", value, *ends, better, chance, 3)


def test_what_is_no_number_is_a_dash():
    assert [number(x) for x in (0.12345, 2.0, NAN, float("inf"))] == [
        *("0.123", "2.000", "–", "–")
    ]
    assert measured(score(NAN, NAN, NAN)) == ("not measured", "–")
    assert measured(effect(NAN)) == ("not measured", "–")


def test_what_is_better_when_lower_has_an_arrow():
    assert metric(score()) == "minimal pairs, accuracy"
    assert metric(score(better="lower")) == "minimal pairs, accuracy ↓"
    assert (
        step(effect(0.5), effect(0.25, better="lower")) == "jumps, rate ↓ 0.500 → 0.250"
    )
    assert moved((0.05, 0.123)) == "5 % → 12.3 %"


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (score(), "0.600"),
        (score(low=0.5), "0.600 ✗"),  # it reaches chance
        (score(bag=0.56), "0.600 ✗"),
        (score(bag=0.54), "0.600"),
        (score(0.4, 0.35, 0.45, better="lower"), "0.400"),
        (score(0.4, 0.35, 0.5, better="lower"), "0.400 ✗"),
        (effect(), "0.600"),  # of a study's arm nothing is failed
        (effect(0.1), "0.100"),
    ],
)
def test_a_score_that_fails_is_marked(made, text):
    assert measured(made)[0] == text


@pytest.mark.parametrize(
    ("made", "value", "text"),
    [
        (score(), 0.5, "0.500, chance"),
        (score(bag=0.4, ngram=0.55), 0.55, "0.550, ngram"),
        (score(bag=0.5), 0.5, "0.500, chance"),
        (score(chance=None, bag=0.4), 0.4, "0.400, bag"),
        (score(chance=None), None, "–"),
        (score(better="lower", bag=0.4, ngram=0.55), 0.4, "0.400, bag"),
        (effect(), 0.5, "0.500, chance"),
        (effect(chance=None), None, "–"),
    ],
)
def test_what_is_to_beat_is_the_better_of_chance_and_baselines(made, value, text):
    assert target(made) == value
    assert to_beat(made) == text


@pytest.fixture(scope="module")
def traits():
    def of(name, **settings):
        objective = registry.get(name).with_settings(**settings)
        return objective_traits(objective, ROWS, examples=12)

    return of


@pytest.mark.parametrize(
    ("name", "told", "seen"),
    [
        ("causal", "All its supervised tokens are predicted from the strict past.", ""),
        (
            "permuted",
            "All its supervised tokens are predicted in a permuted order.",
            "Tok",
        ),
        ("masked", "from both sides (bidirectional).", ""),
        ("prefix", "predicted from the strict past.", "The text that is given first"),
    ],
)
def test_from_what_tokens_are_predicted_is_said(name, told, seen, traits):
    text = flow(traits(name))
    assert told in text
    assert text.split(told)[1].strip().startswith(seen)
    assert bool(seen) == bool(text.split(told)[1])


@pytest.mark.parametrize(
    ("past", "both", "permuted", "text"),
    [
        (0.99, 0.01, 0.0, "Nearly all its supervised tokens are predicted from the"),
        (0.0, 1.0, 0.0, "All its supervised tokens are predicted from both sides"),
        (0.5, 0.25, 0.25, "50 % from the strict past, 25 % from both sides (bidir"),
        (0.797, 0.2, 0.003, "79.7 % from the strict past and 20 % from both sides"),
    ],
)
def test_shares_that_are_nearly_nothing_are_not_told(
    past, both, permuted, text, traits
):
    mixed = traits("causal")._replace(past=past, both=both, permuted=permuted)
    assert text in flow(mixed)


def test_what_is_predicted_is_a_label_a_sequence_or_tokens(traits):
    causal = traits("causal")
    text = predicted(causal)
    assert text.startswith("Every next token of the text: 6")
    assert text.endswith("supervised tokens in 64 slots an Example.")
    rest = causal._replace(supervised=30.0)
    assert predicted(rest).startswith("The rest of the text, token after token: 30 su")
    whole = causal._replace(whole=0.6)
    assert predicted(whole).startswith("The whole sequence, from a corrupted form")
    few = causal._replace(onward=0.1, supervised=1.2, processed=1234.0)
    assert predicted(few) == (
        "A few tokens: 1 supervised token in 1,234 slots an Example."
    )
    kinds = {"other": 0.25, "further": 0.0, "swapped": 0.75, "none": 0.0}
    pair = causal._replace(labels=0.9, negatives=0.5, kinds=kinds)
    assert predicted(pair) == (
        "A coherence label, one an Example; 50 % say that it does not go on "
        "(25 % another document and 75 % swapped)."
    )
