"""An encoder–decoder from a decoder's parameters computes what the decoder does."""

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.models.from_decoder import check_towers, from_decoder
from sightline.models.rows import Batch
from sightline.objectives.errors import UsageError

from .conftest import DECODER_STREAM, ENCODER_STREAM, tiny


def scrambled(model: nnx.Module) -> nnx.Module:
    """The same with other values, so that norms and all are told apart."""
    graph, state = nnx.split(model)
    keys = iter(jax.random.split(jax.random.key(1), len(jax.tree.leaves(state))))
    return nnx.merge(
        graph,
        jax.tree.map(lambda x: x + 0.1 * jax.random.normal(next(keys), x.shape), state),
    )


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def models(request, decoder, encoder_decoder):
    """A decoder, and the encoder–decoder that is made of it."""
    own = scrambled(decoder.build(tie_embeddings=request.param))
    other = scrambled(encoder_decoder.build(tie_embeddings=request.param))
    made = from_decoder(nnx.state(own), nnx.state(other))
    return own, nnx.merge(nnx.graphdef(other), made), nnx.state(other)


def test_the_encoder_is_the_decoder_on_the_inputs(models, encoder_decoder):
    own, made, _ = models
    np.testing.assert_array_equal(
        made.encode(encoder_decoder.batch), own(Batch(ENCODER_STREAM)).decoder
    )


def test_the_decoder_is_the_decoder_where_it_sees_no_input(models, encoder_decoder):
    own, made, _ = models
    batch = encoder_decoder.batch
    nothing = jax.tree.map(np.zeros_like, batch.memory)
    alone = own(Batch(DECODER_STREAM)).decoder
    both = made(batch._replace(memory=nothing)).decoder
    np.testing.assert_allclose(both, alone, atol=1e-6)
    np.testing.assert_array_equal(made.projection(), own.projection())
    blind = ~(batch.memory.memory_to > batch.memory.memory_from)[:1, :3]
    assert blind.all()  # the first Example has no inputs at all
    np.testing.assert_allclose(made(batch).decoder[0, :3], alone[0, :3], atol=1e-6)
    assert not np.allclose(made(batch).decoder[1], alone[1], atol=1e-2)


def test_every_parameter_is_the_decoder_s_and_lies_as_its_own(models):
    own, made, fresh = models
    values = [x.get_value() for _, x in nnx.to_flat_state(nnx.state(own))]
    before = dict(nnx.to_flat_state(fresh))
    for path, parameter in nnx.to_flat_state(nnx.state(made)):
        value = parameter.get_value()
        assert any(np.array_equal(value, other) for other in values), path
        assert parameter.get_metadata() == before[path].get_metadata()


def test_towers_of_relative_bias_are_refused():
    check_towers(tiny())
    with pytest.raises(UsageError, match="relative_bias"):
        check_towers(tiny(position="relative_bias"))
