"""Every number that gin can set is taken, or refused by a UsageError; never a bug."""

import inspect
import math

import numpy as np
import pytest

from sightline.launch.configuration.config import configurables
from sightline.launch.training.mesh import make_mesh
from sightline.objectives import registry
from sightline.objectives.errors import NoExampleError, UsageError
from sightline.tasks import corpora

WHOLE = (0, -1, 2**31, 2**63, 2**64 - 1)
REAL = (0.0, -1.0, math.nan, math.inf, -math.inf, 1e300)

GOOD = {
    "ModelConfig": {
        "layers": 1,
        "d_model": 16,
        "heads": 2,
        "kv_heads": 2,
        "head_dim": 8,
        "d_hidden": 16,
    },
    "decoder_rows": {"slots": 8, "predictions": 8},
    "encoder_decoder_rows": {
        "slots": 8,
        "predictions": 8,
        "memory_slots": 8,
        "memory_predictions": 8,
    },
    "MeshShape": {},
    "adamw": {"schedule": lambda step: 1e-3},
    "adafactor": {"schedule": lambda step: 1e-3},
    "muon": {"schedule": lambda step: 1e-3},
    "constant": {"value": 1e-3, "steps": 10},
    "warmup_cosine": {"peak": 1e-3, "warmup_steps": 2, "steps": 10},
    "warmup_rsqrt": {"peak": 1e-3, "warmup_steps": 2, "steps": 10},
    "warmup_stable_decay": {
        "peak": 1e-3,
        "warmup_steps": 2,
        "steps": 10,
        "decay_steps": 3,
    },
}
"""Arguments with which each can be made. `train` has tests of its own, as it trains;
`study` and `Mixture` take no number by themselves that is not tested with them."""


def numbers_of(function):
    """(parameter, value) for each of its numbers, with values out of the ordinary."""
    for name, parameter in inspect.signature(
        function, eval_str=True
    ).parameters.items():
        kinds = getattr(parameter.annotation, "__args__", (parameter.annotation,))
        if int in kinds:
            yield from ((name, value) for value in WHOLE)
        if float in kinds:
            yield from ((name, value) for value in REAL)


CASES = [
    pytest.param(name, parameter, value, id=f"{name}.{parameter}={value}")
    for name in GOOD
    for parameter, value in numbers_of(configurables()[name])
]


@pytest.mark.parametrize(("name", "parameter", "value"), CASES)
def test_a_configurable_takes_a_number_or_refuses_it(name, parameter, value):
    function = configurables()[name]
    good = {k: v for k, v in GOOD[name].items() if k in _parameters(function)}
    try:
        made = function(**{**good, parameter: value})
        if name == "MeshShape":
            make_mesh(made)
    except UsageError as error:
        assert str(value) in str(error) or parameter in str(error)


SETTINGS = [
    pytest.param(name, parameter, value, id=f"{name}.{parameter}={value}")
    for name, objective in registry.objectives().items()
    for parameter, value in numbers_of(objective.function)
]


@pytest.mark.parametrize(("name", "parameter", "value"), SETTINGS)
def test_an_objective_takes_a_number_or_refuses_it(
    name, parameter, value, make_text, ids
):
    objective = registry.get(name)
    try:
        made = objective.with_settings(**{parameter: value})
        made(make_text(60), np.random.default_rng(0), ids)
    except UsageError as error:
        assert parameter in str(error) or objective.name in str(error)
    except NoExampleError:
        pass


OPTIONS = [
    pytest.param(name, parameter, value, id=f"{name}.{parameter}={value}")
    for name in corpora.names()
    for parameter, value in numbers_of(corpora.factory(name))
]


@pytest.mark.parametrize(("name", "parameter", "value"), OPTIONS)
def test_a_corpus_takes_a_number_or_refuses_it(name, parameter, value, tmp_path):
    folder = {"folder": str(tmp_path)} if name == "text" else {}
    try:
        corpora.get(name, **folder, **{parameter: value})
    except UsageError as error:
        assert parameter in str(error)


def _parameters(function):
    return inspect.signature(function, eval_str=True).parameters
