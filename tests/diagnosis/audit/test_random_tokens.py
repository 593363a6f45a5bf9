"""On random tokens no loss falls below chance, unless an answer is shown."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.stats

from sightline.diagnosis.audit import random_tokens
from sightline.diagnosis.audit.random_tokens import RandomTokenLoss
from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.objectives.coded import coded_ids

pytestmark = pytest.mark.unchecked

ROWS = decoder_rows(slots=48, predictions=48)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(random_tokens, "BATCHES", 8)
    monkeypatch.setattr(random_tokens, "ROWS", 6)


def run(config, *, steps, names=("causal", "masked", "sentence_pair"), **settings):
    """Losses by objective; all runs share their compiled steps."""
    config = dataclasses.replace(config, d_model=32, heads=4, kv_heads=4)
    objectives = {name: registry.get(name).with_settings(**settings) for name in names}
    losses = random_tokens.random_token_losses(config, objectives, ROWS, steps=steps)
    return {loss.objective: loss for loss in losses}


def test_random_tokens_cannot_be_learned(config, few):
    found = run(config, steps=30)
    assert not any(one.below_chance for one in found.values())
    assert found["causal"].chance == pytest.approx(math.log(random_tokens.ALPHABET))
    assert found["sentence_pair"].chance == pytest.approx(math.log(2), abs=0.1)
    for one in found.values():
        assert one.loss < one.chance + 1.0


def test_a_target_that_is_seen_is_learned(config, few, widen):
    widen(1, within=True)
    found = run(config, steps=150, names=("causal", "masked"))
    assert found["causal"].below_chance
    assert not found["masked"].below_chance


def test_an_objective_that_hides_nothing_has_no_floor(config, few):
    shown = {"masked_share": 0.0, "random_share": 0.0}
    found = run(config, steps=1, names=["masked"], **shown)["masked"]
    assert math.isnan(found.loss) and not found.below_chance


@pytest.mark.parametrize(("labels", "texts"), [((3, 1), 0), ((2, 5), 4), ((0, 0), 6)])
def test_chance_is_the_entropy_of_the_answers(labels, texts):
    """Of text the whole alphabet's, whatever was drawn; of labels that of counts."""
    ids = coded_ids()
    answers = np.repeat([*ids.labels, 200], [*labels, texts])
    own = scipy.stats.entropy(labels) if sum(labels) else 0.0
    total = sum(labels) * own + texts * math.log(random_tokens.ALPHABET)
    expected = total / (sum(labels) + texts)
    assert random_tokens._chance(answers, ids) == pytest.approx(expected)


def test_a_mean_over_batches_weighs_predictions_alike():
    """Two batches of 1 and 3 predictions, of means 2 and 4: 14 nats of 4, and an error
    of √(1.5² + 1.5²) / 4."""
    mean, error = random_tokens._mean(np.array([2.0, 12.0]), np.array([1.0, 3.0]))
    assert (mean, error) == (3.5, pytest.approx(1.5 * math.sqrt(2) / 4))


def test_an_error_is_that_of_many_batches():
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 9, (4000, 40)).astype(float)
    nll = rng.normal(2 * weight, np.sqrt(weight))
    means, errors = np.transpose(
        [random_tokens._mean(*x) for x in zip(nll, weight, strict=True)]
    )
    assert errors.mean() == pytest.approx(means.std(), rel=0.05)


def test_only_a_loss_well_below_chance_is_a_leak():
    assert RandomTokenLoss("causal", 1.5, 0.1, chance=2.0).below_chance
    assert not RandomTokenLoss("causal", 1.7, 0.1, chance=2.0).below_chance
