"""A tiny model, and batches of all five objectives to train it on."""

import jax
import numpy as np
import optax
import pytest
from jax.sharding import AxisType

from sightline.launch.training.program import Program
from sightline.models.config import ModelConfig
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate, first_fit

VOCABULARY = 1152
FIVE = ("causal", "masked", "span_corruption", "permuted", "sentence_pair")
TINY = ModelConfig(
    layers=2,
    d_model=32,
    heads=8,
    kv_heads=8,
    head_dim=4,
    d_hidden=64,
    compute_dtype="float32",
)
ROWS = {
    "decoder": decoder_rows(slots=64, predictions=64),
    "encoder_decoder": encoder_decoder_rows(
        slots=64, predictions=64, memory_slots=64, memory_predictions=16
    ),
}


def _mesh(**sizes: int):
    shape = {"data": 1, "fsdp": 1, "sequence": 1, "tensor": 1, **sizes}
    count = int(np.prod(list(shape.values())))
    return jax.make_mesh(
        tuple(shape.values()),
        tuple(shape),
        axis_types=(AxisType.Auto,) * 4,
        devices=jax.devices()[:count],
    )


@pytest.fixture(scope="session")
def make_program():
    """`make_program(architecture, mesh={}, **settings)`: a tiny program on a mesh."""

    def make(architecture: str, *, mesh=None, **settings) -> Program:
        return Program(
            model=TINY,
            vocabulary_size=VOCABULARY,
            rows=ROWS[architecture],
            batch_rows=8,
            transformation=optax.adam(1e-2),
            mesh=_mesh(**(mesh or {})),
            **settings,
        )

    return make


@pytest.fixture(scope="session")
def shares():
    """Loss shares of the five objectives, all alike."""
    values = np.zeros(registry.CAPACITY, np.float32)
    values[[o.id for o in registry.objectives().values()]] = 0.2
    return values


@pytest.fixture(scope="session")
def make_batches(make_text, ids):
    """`make_batches(architecture, names, count)`: packed batches of 8 rows."""

    def make(architecture: str, names=FIVE, count: int = 1):
        rng = np.random.default_rng(0)
        shape = ROWS[architecture]
        place = layout(shape, bos=ids.bos)

        def examples():
            while True:
                objective = registry.get(names[int(rng.integers(len(names)))])
                size = int(rng.integers(10, 50))
                text = make_text(size, seed=int(rng.integers(99)))
                yield place(objective(text, rng, ids))

        rows = first_fit(examples(), shape, look_back=8)
        return [collate([next(rows) for _ in range(8)], shape) for _ in range(count)]

    return make
