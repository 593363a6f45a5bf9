"""What a slot may not see leaves its hidden state bit-equal; what it may, does not."""

import jax
import numpy as np
import pytest
from flax import nnx


def compiled(model):
    graph, state = nnx.split(model)
    run = jax.jit(lambda batch: nnx.merge(graph, state)(batch))
    return lambda batch: jax.tree.map(np.asarray, run(batch))


@pytest.fixture(scope="module", params=["rope", "relative_bias"])
def run(request, architecture):
    return compiled(architecture.build(position=request.param))


def with_token(stream, row: int, slot: int, token: int):
    tokens = stream.tokens.copy()
    tokens[row, slot] = token
    return stream._replace(tokens=tokens)


def changed(before, after) -> np.ndarray:
    return (before != after).any(-1)  # [B T D] -> [B T]


def sees(start, stop, size: int) -> np.ndarray:
    """[B T] intervals -> [B T S], whether slot t sees slot s."""
    slot = np.arange(size)
    return (slot >= start[..., None]) & (slot < stop[..., None])


def reaches(one: np.ndarray) -> np.ndarray:
    """What a slot sees through any number of layers; the residual shows it itself."""
    reached = one | np.eye(one.shape[-1], dtype=bool)
    for _ in range(4):
        reached = reached @ reached
    return reached


def test_own_stream(run, architecture):
    batch = architecture.batch
    stream = batch.decoder
    may = reaches(sees(stream.visible_from, stream.visible_to, 8))
    before = run(batch)
    for row, slot in np.ndindex(2, 8):
        after = run(batch._replace(decoder=with_token(stream, row, slot, 30)))
        expected = np.zeros((2, 8), bool)
        expected[row] = may[row, :, slot]
        np.testing.assert_array_equal(changed(before.decoder, after.decoder), expected)
        if before.encoder is not None:
            assert not changed(before.encoder, after.encoder).any()


@pytest.mark.parametrize("position", ["rope", "relative_bias"])
def test_memory(encoder_decoder, position):
    run, batch = (
        compiled(encoder_decoder.build(position=position)),
        encoder_decoder.batch,
    )
    encoder, decoder, memory = batch.encoder, batch.decoder, batch.memory
    within = reaches(sees(encoder.visible_from, encoder.visible_to, 8))
    across = sees(memory.memory_from, memory.memory_to, 8)
    own = reaches(sees(decoder.visible_from, decoder.visible_to, 8))
    before = run(batch)
    for row, slot in np.ndindex(2, 8):
        after = run(batch._replace(encoder=with_token(encoder, row, slot, 30)))
        expected = np.zeros((2, 2, 8), bool)
        expected[0, row] = within[row, :, slot]
        expected[1, row] = (own @ across @ within)[row, :, slot]
        found = (
            changed(before.encoder, after.encoder),
            changed(before.decoder, after.decoder),
        )
        np.testing.assert_array_equal(np.stack(found), expected)


def test_a_slot_asks_from_its_query_position(architecture):
    run, batch = compiled(architecture.build()), architecture.batch
    positions = batch.decoder.query_positions.copy()
    positions[1, 7] += 1
    after = run(
        batch._replace(decoder=batch.decoder._replace(query_positions=positions))
    )
    expected = np.zeros((2, 8), bool)
    expected[1, 7] = True
    np.testing.assert_array_equal(changed(run(batch).decoder, after.decoder), expected)


def test_cross_attention_asks_from_the_query_position(architecture):
    """Slot 6 of row 1 sees itself alone, so only its memory can tell positions."""
    run, batch = compiled(architecture.build()), architecture.batch
    positions = batch.decoder.query_positions.copy()
    positions[1, 6] += 1
    after = run(
        batch._replace(decoder=batch.decoder._replace(query_positions=positions))
    )
    expected = np.zeros((2, 8), bool)
    expected[1, 6:] = batch.encoder is not None  # slot 7 sees slot 6
    np.testing.assert_array_equal(changed(run(batch).decoder, after.decoder), expected)


def test_only_differences_of_positions_matter(architecture):
    """Positions are relative, also between the streams of an encoder–decoder."""
    run, batch = compiled(architecture.build()), architecture.batch

    def moved(stream):
        return stream._replace(
            positions=stream.positions + 11, query_positions=stream.query_positions + 11
        )

    both = batch._replace(decoder=moved(batch.decoder))
    if batch.encoder is not None:
        one = run(both).decoder
        assert np.abs(one - run(batch).decoder).max() > 1e-3
        both = both._replace(encoder=moved(batch.encoder))
    np.testing.assert_allclose(run(both).decoder, run(batch).decoder, atol=2e-5)


@pytest.mark.parametrize("token", [-1, 32])
def test_a_token_out_of_range_is_nan(architecture, token):
    batch = architecture.batch
    after = compiled(architecture.build())(
        batch._replace(decoder=with_token(batch.decoder, 0, 0, token))
    )
    assert np.isnan(after.decoder[0, 0]).all()
    assert np.isfinite(after.decoder[1]).all()


def test_an_encoder_decoder_needs_both_streams(encoder_decoder):
    model, batch = encoder_decoder.build(), encoder_decoder.batch
    with pytest.raises(ValueError, match="without an encoder stream"):
        model(batch._replace(encoder=None))
    with pytest.raises(ValueError, match="without `memory`"):
        model(batch._replace(memory=None))
