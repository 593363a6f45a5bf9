"""Tiny models of both architectures, with the measurement compiled once for each."""

import jax
import pytest
from flax import nnx

from sightline.diagnosis.audit.audit import SHAPES
from sightline.diagnosis.audit.dependence import make_measure
from sightline.models.build import build
from sightline.models.config import ModelConfig
from sightline.tasks.tokens.vocabulary import vocabulary

CONFIG = ModelConfig(
    layers=2,
    d_model=16,
    heads=2,
    kv_heads=1,
    head_dim=8,
    d_hidden=32,
    compute_dtype="float32",
)


@pytest.fixture(scope="session")
def config():
    return CONFIG


@pytest.fixture(scope="session")
def vocab():
    return vocabulary("python_docs")


@pytest.fixture(scope="session", params=sorted(SHAPES))
def audited(request, vocab):
    """An architecture's name, its rows, and the measurement of a tiny model of it."""
    shape = SHAPES[request.param]
    rngs = nnx.Rngs(params=0)
    model = build(CONFIG, vocabulary_size=vocab.size, shape=shape, rngs=rngs)
    return request.param, shape, make_measure(model)


@pytest.fixture(autouse=True)
def one_device():
    """Eight emulated devices would share two cores for nothing here."""
    with jax.default_device(jax.devices()[0]):
        yield
