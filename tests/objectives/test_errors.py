"""Messages suggest only what is near, and numbers are checked where they are read."""

import math

import numpy as np
import pytest

from sightline.models.config import ModelConfig
from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.objectives.errors import UsageError, nearest

STRANGE = [0, -1, math.nan, math.inf, -math.inf, 2**63, 2**64 - 1, 1e308, True]


def test_only_what_is_near_is_suggested():
    assert nearest("casual", ["causal", "masked"]).startswith("did you mean 'causal'?")
    assert nearest("zzz", ["causal", "masked"]) == "valid: causal, masked."
    assert nearest("zzz", map(str, range(12))).endswith("… (12 in all).")
    assert nearest("zzz", []) == "there are none."


@pytest.mark.parametrize("value", STRANGE)
@pytest.mark.parametrize("name", list(registry.objectives()))
def test_every_number_works_or_is_refused(name, value, make_text, ids):
    objective = registry.get(name)
    for setting, default in objective.settings.items():
        if type(default) is not type(value):  # what gin refuses by its type
            continue
        changed = objective.with_settings(**{setting: value})
        try:
            need = changed.lengths(40)
            example = changed(make_text(40), np.random.default_rng(0), ids)
        except UsageError as error:
            assert f"{name}." in str(error) or name in str(error)
        else:
            if need is not None:
                assert len(example.inputs) <= need.inputs
                assert len(example.targets) <= need.targets


SIZES = dict(layers=1, d_model=8, heads=2, kv_heads=1, head_dim=4, d_hidden=8)


@pytest.mark.parametrize("value", [0, -1, 2**63, math.nan, math.inf])
@pytest.mark.parametrize("field", ["layers", "rope_theta", "relative_buckets"])
def test_numbers_of_a_model_are_checked(field, value):
    if (field == "rope_theta") != isinstance(value, float):
        return
    with pytest.raises(UsageError, match=field):
        ModelConfig(**{**SIZES, field: value})


@pytest.mark.parametrize("buckets, distance", [(32, 8), (32, 16), (3, 128)])
def test_buckets_fit_within_the_distance(buckets, distance):
    with pytest.raises(UsageError, match="relative_"):
        ModelConfig(
            **SIZES,
            position="relative_bias",
            relative_buckets=buckets,
            relative_max_distance=distance,
        )


@pytest.mark.parametrize("slots", [0, -1, 2**63])
def test_a_row_has_a_whole_number_of_slots(slots):
    with pytest.raises(UsageError, match="slots"):
        decoder_rows(slots=slots, predictions=1)
