"""Tiny models and hand-made packed batches, shared by the tests of this floor."""

import functools

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.models.build import build
from sightline.models.config import ModelConfig
from sightline.models.rows import (
    Batch,
    Memory,
    Stream,
    decoder_rows,
    encoder_decoder_rows,
)

VOCABULARY = 32
DECODER = decoder_rows(slots=8, predictions=6)
ENCODER_DECODER = encoder_decoder_rows(
    slots=8, predictions=6, memory_slots=8, memory_predictions=3
)


def tiny(**changes) -> ModelConfig:
    sizes = dict(layers=2, d_model=16, heads=4, kv_heads=2, head_dim=8, d_hidden=24)
    return ModelConfig(**{**sizes, "compute_dtype": "float32", **changes})


def int_rows(*rows) -> np.ndarray:
    return np.array(rows, np.int32)


# Two decoder rows. Row 0 is the worked example of models/rows.py: causal `^ a b`, then
# masked `d _`, then free slots. Row 1: a prefix of three that sees itself and three
# sequential slots, then a permuted pair whose second slot asks from position 0.
DECODER_STREAM = Stream(
    tokens=int_rows([1, 5, 6, 7, 2, 0, 0, 0], [8, 9, 10, 1, 11, 12, 13, 14]),
    positions=int_rows([0, 1, 2, 1, 2, 0, 0, 0], [1, 2, 3, 3, 4, 5, 1, 3]),
    query_positions=int_rows([0, 1, 2, 1, 2, 0, 0, 0], [1, 2, 3, 3, 4, 5, 2, 0]),
    segment_ids=int_rows([1, 1, 1, 2, 2, 0, 0, 0], [1, 1, 1, 1, 1, 1, 2, 2]),
    visible_from=int_rows([0, 0, 0, 3, 3, 0, 0, 0], [0, 0, 0, 0, 0, 0, 6, 6]),
    visible_to=int_rows([1, 2, 3, 5, 5, 0, 0, 0], [3, 3, 3, 4, 5, 6, 7, 8]),
    prediction_slots=int_rows([0, 1, 2, 4, 0, 0], [3, 4, 5, 6, 7, 0]),
    targets=int_rows([5, 6, 3, 8, 0, 0], [11, 12, 4, 15, 16, 0]),
    loss_weights=np.array([[1, 1, 1, 1, 0, 0], [1, 0.5, 1, 1, 1, 0]], np.float32),
    objective_ids=int_rows([0, 0, 0, 1, 0, 0], [2, 2, 2, 3, 3, 0]),
)

# Two encoder rows for two decoder rows: blocks that see themselves. Row 0 holds the
# inputs of the second decoder Example only: the first has none.
ENCODER_STREAM = Stream(
    tokens=int_rows([17, 2, 18, 0, 0, 0, 0, 0], [19, 20, 21, 22, 23, 2, 0, 0]),
    positions=int_rows([1, 2, 3, 0, 0, 0, 0, 0], [1, 2, 3, 1, 2, 3, 0, 0]),
    query_positions=int_rows([1, 2, 3, 0, 0, 0, 0, 0], [1, 2, 3, 1, 2, 3, 0, 0]),
    segment_ids=int_rows([2, 2, 2, 0, 0, 0, 0, 0], [1, 1, 1, 2, 2, 2, 0, 0]),
    visible_from=int_rows([0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 3, 3, 3, 0, 0]),
    visible_to=int_rows([3, 3, 3, 0, 0, 0, 0, 0], [3, 3, 3, 6, 6, 6, 0, 0]),
    prediction_slots=int_rows([1, 0, 0], [5, 0, 0]),
    targets=int_rows([24, 0, 0], [25, 0, 0]),
    loss_weights=np.array([[1, 0, 0], [1, 0, 0]], np.float32),
    objective_ids=int_rows([1, 0, 0], [1, 0, 0]),
)
MEMORY = Memory(
    memory_from=int_rows([0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 3, 3]),
    memory_to=int_rows([0, 0, 0, 3, 3, 0, 0, 0], [3, 3, 3, 3, 3, 3, 6, 6]),
)

BATCHES = {
    "decoder": Batch(DECODER_STREAM),
    "encoder_decoder": Batch(DECODER_STREAM, ENCODER_STREAM, MEMORY),
}
SHAPES = {"decoder": DECODER, "encoder_decoder": ENCODER_DECODER}


class Tiny:
    """Builds and runs tiny models of one architecture."""

    def __init__(self, architecture: str):
        self.architecture = architecture
        self.batch = jax.tree.map(np.copy, BATCHES[architecture])

    def build(self, **changes):
        return _build(self.architecture, tiny(**changes))


one = functools.cache(Tiny)


@functools.cache
def _build(architecture: str, config: ModelConfig):
    model = build(
        config,
        vocabulary_size=VOCABULARY,
        shape=SHAPES[architecture],
        rngs=nnx.Rngs(0),
    )
    _BUILT.append((model, _values(model)))
    return model


_BUILT: list[tuple[nnx.Module, list[np.ndarray]]] = []


def _values(model: nnx.Module) -> list[np.ndarray]:
    return [np.array(leaf) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))]


@pytest.fixture(autouse=True, scope="module")
def shared_models_stay_as_they_were():
    """Files share models: one that changed them would change what others test."""
    yield
    for model, before in _BUILT:
        for old, new in zip(before, _values(model), strict=True):
            np.testing.assert_array_equal(old, new)


@pytest.fixture(scope="module", params=["decoder", "encoder_decoder"])
def architecture(request) -> Tiny:
    return one(request.param)


@pytest.fixture(scope="module")
def decoder() -> Tiny:
    return one("decoder")


@pytest.fixture(scope="module")
def encoder_decoder() -> Tiny:
    return one("encoder_decoder")
