"""Operations by dimensions are those of the traced forward pass."""

import jax
import pytest

from sightline.launch.pods.plan.model_operations import program_operations
from sightline.models.loss import objective_sums
from sightline.models.operations import row_operations

from .conftest import SHAPES, VOCABULARY


@pytest.mark.parametrize(
    "changes",
    [{}, {"gated": False}, {"layers": 3, "kv_heads": 4}, {"tie_embeddings": False}],
    ids=str,
)
def test_operations_of_a_row_are_those_of_its_products(architecture, changes):
    model = architecture.build(**changes)
    rows = len(architecture.batch.decoder.tokens)
    traced = jax.make_jaxpr(lambda batch: objective_sums(model, batch))(
        architecture.batch
    )
    of_row = row_operations(
        model.config,
        SHAPES[architecture.architecture],
        vocabulary_size=VOCABULARY,
    )
    assert of_row * rows == program_operations(traced)
