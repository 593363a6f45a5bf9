"""On random tokens no loss falls below chance, unless an answer is shown."""

import dataclasses
import math

import pytest

from sightline.diagnosis.audit import random_tokens
from sightline.models.rows import decoder_rows
from sightline.objectives import registry

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
