"""The mixture loss: its arithmetic, and that cutting the batch does not change it."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from sightline.models import loss as losses
from sightline.models.vocabulary_loss import logits
from sightline.objectives.registry import CAPACITY

SHARES = np.zeros(CAPACITY, np.float32)
SHARES[:5] = 0.4, 0.3, 0.2, 0.05, 0.05  # objective 4 is in no batch


def streams(batch, hidden):
    yield batch.decoder, hidden.decoder
    if batch.encoder is not None:
        yield batch.encoder, hidden.encoder


sums_of = nnx.jit(losses.objective_sums)


def by_hand(model, batch) -> np.ndarray:
    """[sums, O]: nll, weight, correct and log² Z of each objective, one at a time."""
    sums = np.zeros((4, CAPACITY))
    for stream, hidden in streams(batch, nnx.jit(lambda m, b: m(b))(model, batch)):
        scores = np.asarray(logits(hidden, model.projection()), np.float64)
        for b, p in np.ndindex(stream.targets.shape):
            score = scores[b, stream.prediction_slots[b, p]]
            target, weight = stream.targets[b, p], stream.loss_weights[b, p]
            log_z = np.log(np.exp(score).sum())
            row = log_z - score[target], 1, score.argmax() == target, log_z**2
            sums[:, stream.objective_ids[b, p]] += weight * np.array(row)
    return sums


@pytest.fixture(scope="module")
def model(architecture):
    return architecture.build(loss_chunk=4, z_loss=0.01)


@pytest.fixture(scope="module")
def step(model):
    graph, _ = nnx.split(model)

    def loss(state, batch, coefficients):
        return losses.mixture_loss(nnx.merge(graph, state), batch, coefficients)

    return jax.jit(jax.value_and_grad(loss, has_aux=True))


def test_sums_are_those_of_each_prediction(model, architecture):
    sums = sums_of(model, architecture.batch)
    np.testing.assert_allclose(
        np.stack(sums), by_hand(model, architecture.batch), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_array_equal(sums.weight, losses.weight_totals(architecture.batch))


def test_each_objective_is_a_mean_weighted_by_its_share(model, architecture, step):
    totals = losses.weight_totals(architecture.batch)
    coefficients = losses.loss_coefficients(SHARES, totals)
    (loss, _), _ = step(nnx.state(model), architecture.batch, coefficients)
    nll, weight, _, square = by_hand(model, architecture.batch)
    means = (nll + 0.01 * square)[:4] / weight[:4]
    np.testing.assert_allclose(loss, (SHARES[:4] * means).sum(), rtol=1e-5)


def test_token_sum_is_the_mean_over_everything(model, architecture, step):
    totals = losses.weight_totals(architecture.batch)
    coefficients = losses.loss_coefficients(SHARES, totals, normalisation="token_sum")
    (loss, _), _ = step(nnx.state(model), architecture.batch, coefficients)
    nll, weight, _, square = by_hand(model, architecture.batch)
    np.testing.assert_allclose(
        loss, (nll + 0.01 * square).sum() / weight.sum(), rtol=1e-5
    )


def test_accumulation_changes_neither_loss_nor_gradient(model, architecture, step):
    batch, state = architecture.batch, nnx.state(model)
    coefficients = losses.loss_coefficients(SHARES, losses.weight_totals(batch))
    micro = [jax.tree.map(lambda x, r=r: x[r : r + 1], batch) for r in range(2)]
    whole = step(state, batch, coefficients)
    parts = [step(state, part, coefficients) for part in micro]
    summed = jax.tree.map(lambda a, b: a + b, *parts)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(summed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_batch_that_supervises_nothing_is_zero(model, architecture, step):
    def blank(stream):
        return stream and stream._replace(
            loss_weights=np.zeros_like(stream.loss_weights),
            visible_to=np.zeros_like(stream.visible_to),
        )

    batch = architecture.batch
    batch = batch._replace(decoder=blank(batch.decoder), encoder=blank(batch.encoder))
    coefficients = losses.loss_coefficients(SHARES, losses.weight_totals(batch))
    assert not np.any(coefficients)
    (loss, _), gradients = step(nnx.state(model), batch, coefficients)
    assert loss == 0
    assert all(not np.any(g) for g in jax.tree.leaves(gradients))


def test_empty_intervals_have_finite_gradients(model, architecture, step):
    def blind(stream):
        return stream and stream._replace(visible_to=np.zeros_like(stream.visible_to))

    batch = architecture.batch
    batch = batch._replace(decoder=blind(batch.decoder), encoder=blind(batch.encoder))
    (loss, _), gradients = step(nnx.state(model), batch, SHARES)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradients))


def test_an_unknown_normalisation_names_the_nearest():
    # Without the shape check of tests, which would refuse the Literal first.
    unchecked = inspect.unwrap(losses.loss_coefficients)
    with pytest.raises(ValueError, match="did you mean 'token_sum'"):
        unchecked(SHARES, SHARES, normalisation="tokensum")


@pytest.mark.parametrize("tied", [True, False])
def test_a_fresh_model_is_near_the_uniform_loss(architecture, tied):
    model = architecture.build(tie_embeddings=tied, d_model=64)
    sums = sums_of(model, architecture.batch)
    mean = jnp.sum(sums.nll) / jnp.sum(sums.weight)
    assert abs(mean - np.log(32)) < 1.0


def test_a_slot_out_of_range_is_nan(model, architecture):
    batch = architecture.batch
    slots = batch.decoder.prediction_slots.copy()
    slots[0, 0] = -1
    batch = batch._replace(decoder=batch.decoder._replace(prediction_slots=slots))
    assert np.isnan(sums_of(model, batch).nll[0])
