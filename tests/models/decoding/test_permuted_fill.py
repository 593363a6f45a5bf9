"""Filling by permuted targets, against the model without a cache."""

import functools
import inspect

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.models.decoding.canvas import canvas
from sightline.models.decoding.permuted_fill import make_fill_permuted
from sightline.models.decoding.samplers import greedy, sampled
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.models.vocabulary_loss import logits
from sightline.objectives.example import sequential
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate

BOS, SLOTS = 1, 7
SHAPES = {
    "decoder": decoder_rows(slots=SLOTS, predictions=1),
    "encoder_decoder": encoder_decoder_rows(
        slots=SLOTS, predictions=1, memory_slots=SLOTS, memory_predictions=1
    ),
}
KNOWN = [[3, 4, 5, 6, 7, 8, 9], [13, 14, 15, 16], [20, 21, 22]]
# A token is known wherever some are open: to BOS alone all slots of a model with rotary
# embeddings are alike, and rounding would decide which is the most certain.
OPEN = [[0, 1, 1, 0, 1, 0, 1], [0, 1, 1, 1], [0, 0, 0]]
GIVEN = canvas(
    [np.array(row) for row in KNOWN],
    open=[np.array(row, bool) for row in OPEN],
    slots=SLOTS,
)


def keys(rows=3, seed=0):
    return jax.random.split(jax.random.key(seed), rows)


@pytest.fixture(autouse=True, scope="module")
def one_device():
    with jax.default_device(jax.devices()[0]):
        yield


@functools.cache
def scorer(architecture: str, model):
    """Log-softmax for the last of some targets, after the known tokens of a row."""
    shape = SHAPES[architecture]
    place = layout(shape, bos=BOS)
    graph, params = nnx.split(model)

    @jax.jit
    def run(params, batch):
        model = nnx.merge(graph, params)
        return jax.nn.log_softmax(logits(model(batch).decoder, model.projection()))

    def score(row, tokens, order):
        known = np.flatnonzero(~np.array(OPEN[row], bool))
        example = sequential(
            0,
            np.array(KNOWN[row])[known],
            tokens[order],
            inputs_positions=1 + known,
            targets_positions=1 + np.array(order),
            targets_weights=np.zeros(len(order)),
        )
        first = len(known) if architecture == "decoder" else 0
        batch = collate([[place(example)]], shape)
        return np.asarray(run(params, batch))[0, first + len(order) - 1]

    return score


def slow(score, order):
    """Greedy, one row and one slot at a time."""
    tokens, log_p = GIVEN.tokens.copy(), np.zeros(GIVEN.tokens.shape, np.float32)
    filled_in = np.zeros_like(tokens)
    for row, opened in enumerate(OPEN):
        filled, left = [], np.flatnonzero(opened).tolist()
        while left:
            asked = left if order == "certain" else left[:1]
            shares = [score(row, tokens[row], [*filled, slot]) for slot in asked]
            best = int(np.argmax([share.max() for share in shares]))
            slot, share = asked[best], shares[best]
            tokens[row, slot], log_p[row, slot] = share.argmax(), share.max()
            filled.append(slot)
            filled_in[row, slot] = len(filled)
            left.remove(slot)
    return tokens, log_p, filled_in


@pytest.mark.parametrize("order", ["certain", "left_to_right"])
def test_greedy_is_the_slow_loop(architecture, order):
    model = architecture.build()
    fill = make_fill_permuted(model, sampler=greedy, bos=BOS, order=order)
    found = fill(GIVEN, keys())
    tokens, log_p, filled_in = slow(scorer(architecture.architecture, model), order)
    np.testing.assert_array_equal(found.tokens, tokens)
    np.testing.assert_array_equal(found.filled_in, filled_in)
    np.testing.assert_allclose(found.log_probabilities, log_p, atol=2e-5)
    np.testing.assert_array_equal(found.lengths, [7, 4, 3])
    steps = [10, 6, 0] if order == "certain" else [4, 3, 0]
    np.testing.assert_array_equal(found.passes, steps)
    if order == "certain":  # or the order is not tested
        assert (np.diff(filled_in[0][np.array(OPEN[0], bool)]) < 0).any()


def test_a_random_order_is_the_keys_own(decoder):
    four = np.ones(4, bool)
    given = canvas([np.array(KNOWN[1])] * 240, open=[four] * 240, slots=SLOTS)
    settings = dict(sampler=sampled(temperature=50.0), bos=BOS, order="random")
    fill = make_fill_permuted(decoder.build(), **settings)
    found = fill(given, keys(240))
    assert (np.sort(found.filled_in[:, :4], axis=1) == [1, 2, 3, 4]).all()
    counts = np.unique(found.filled_in[:, :4], axis=0, return_counts=True)[1]
    assert len(counts) == 24 and counts.max() < 30  # 10 each, on average
    again = fill(jax.tree.map(lambda x: x[::-1], given), keys(240)[::-1])
    np.testing.assert_array_equal(again.filled_in[::-1], found.filled_in)
    np.testing.assert_array_equal(again.tokens[::-1], found.tokens)
    assert len(np.unique(found.tokens[:, :4], axis=0)) > 200


def test_what_open_slots_hold_is_never_read(decoder):
    fill = make_fill_permuted(decoder.build(), sampler=greedy, bos=BOS, pad=9)
    other = GIVEN._replace(tokens=np.where(GIVEN.open, 30, GIVEN.tokens))
    for one, two in zip(fill(other, keys()), fill(GIVEN, keys()), strict=True):
        np.testing.assert_array_equal(one, two)
    assert (fill(GIVEN, keys()).tokens[1, 4:] == 9).all()


def test_an_unknown_order(decoder):
    with pytest.raises(ValueError, match="did you mean 'random'"):
        inspect.unwrap(make_fill_permuted)(
            decoder.build(), sampler=greedy, bos=BOS, order="randm"
        )
