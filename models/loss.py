"""The loss of a mixture: a weighted mean for each objective, weighted by its share.

    L = Σ_o share_o · (Σ weight · (nll + z_loss · log² Z) of o) / (Σ weight of o)

Both inner sums run over the global batch: every device and every accumulation
microbatch. So a step first adds up `weight_totals` over all of its microbatches, makes
`loss_coefficients` of them, and then adds up `mixture_loss` and its gradients: the
result does not depend on how the batch was cut. Arrays over objectives have the size
`CAPACITY` whatever the mixture holds, so no change of mixture compiles anything.

An objective that is absent from a batch adds nothing to that step's loss, rather than
its share being dealt out to the others: the expected gradient keeps the shares asked
for, and the price is noise, since such a step's loss and gradient are smaller. Read
per-objective metrics, not the loss, across steps; larger global batches make it rare.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Float, Float32, Int32

from ..objectives.errors import UsageError, nearest
from ..objectives.registry import CAPACITY
from .axes import constrain
from .build import Model
from .rows import Array, Batch, Normalisation, Stream
from .vocabulary_loss import vocabulary_loss


class ObjectiveSums(NamedTuple):
    """Sums over the predictions of each objective, weighted by their loss weights.

    Attributes:
      nll: of the cross-entropy, in nats.
      weight: of the weights themselves.
      correct: of the predictions that no other token beats.
      log_z_squared: of the z-loss penalty, before its own weight.
    """

    nll: Float32[Array, " O"]
    weight: Float32[Array, " O"]
    correct: Float32[Array, " O"]
    log_z_squared: Float32[Array, " O"]


def weight_totals(batch: Batch) -> Float32[jax.Array, " O"]:
    """The loss weights of each objective, summed over both streams."""
    return sum(
        (
            _by_objective(jnp.asarray(stream.loss_weights), stream.objective_ids)
            for stream in _streams(batch)
        ),
        jnp.zeros(CAPACITY, jnp.float32),
    )


def loss_coefficients(
    loss_shares: Float[Array, " O"],
    weight_totals: Float[Array, " O"],
    *,
    normalisation: Normalisation = "objective",
) -> Float32[jax.Array, " O"]:
    """What a unit of each objective's weighted loss counts in the loss.

    "objective" gives `share_o / total_o`, and 0 to an objective that is absent.
    "token_sum" gives `1 / Σ totals` to all, whatever the shares: every prediction
    counts the same, as in stacks that do not know objectives.

    Args:
      loss_shares: of each objective; they should sum to 1.
      weight_totals: of the global batch.
      normalisation: one of the two.

    Raises:
      ValueError: there is no such normalisation.
    """
    totals = jnp.asarray(weight_totals, jnp.float32)
    if normalisation == "objective":
        wanted, over = jnp.asarray(loss_shares, jnp.float32), totals
    elif normalisation == "token_sum":
        wanted, over = jnp.ones_like(totals), totals.sum()
    else:
        choices = ("objective", "token_sum")
        raise UsageError(
            f"no normalisation {normalisation!r}; {nearest(normalisation, choices)}"
        )
    return jnp.where(totals > 0, wanted / jnp.where(over > 0, over, 1), 0)


def objective_sums(model: Model, batch: Batch) -> ObjectiveSums:
    """Runs the model and adds up what it predicted, by objective, over both streams.

    Objective ids outside of [0, CAPACITY) count nowhere, in the loss or in any sum:
    packing checks them. Token ids and slots out of range make the sums NaN.
    """
    hidden = model(batch)
    projection = model.projection()
    parts = []
    states = (hidden.decoder, hidden.encoder)
    for stream, state in zip(_streams(batch), states, strict=False):
        assert state is not None
        loss = vocabulary_loss(
            at_slots(state, jnp.asarray(stream.prediction_slots)),
            projection,
            jnp.asarray(stream.targets),
            chunk=model.config.loss_chunk,
        )
        weights = jnp.asarray(stream.loss_weights)
        parts.append(
            ObjectiveSums(
                *(
                    _by_objective(weights * value, stream.objective_ids)
                    for value in (loss.nll, 1.0, loss.correct, loss.log_z_squared)
                )
            )
        )
    return jax.tree.map(lambda *sums: sum(sums), *parts)


def mixture_loss(
    model: Model, batch: Batch, coefficients: Float[Array, " O"]
) -> tuple[Float32[jax.Array, ""], ObjectiveSums]:
    """This batch's part of the loss, and its sums for metrics.

    Parts of all microbatches add up to the loss; so do their gradients.

    Args:
      model: either architecture.
      batch: a microbatch, or the whole batch.
      coefficients: `loss_coefficients` of the global batch.
    """
    sums = objective_sums(model, batch)
    penalised = sums.nll + model.config.z_loss * sums.log_z_squared
    return jnp.sum(jnp.asarray(coefficients) * penalised), sums


def _streams(batch: Batch) -> tuple[Stream, ...]:
    if batch.encoder is None:
        return (batch.decoder,)
    return (batch.decoder, batch.encoder)


def at_slots(
    hidden: Float[jax.Array, "B T D"], slots: Int32[jax.Array, "B P"]
) -> Float[jax.Array, "B P D"]:
    """Hidden states of the predicting slots; NaN for one out of range."""
    hidden = constrain(hidden, "batch", None, None)
    pick = jax.vmap(lambda row, at: row.at[at].get(mode="fill", fill_value=jnp.nan))
    return constrain(pick(hidden, slots.astype(jnp.uint32)), "batch", None, None)


def _by_objective(
    values: Float32[jax.Array, "B P"], objective_ids: Int32[Array, "B P"]
) -> Float32[jax.Array, " O"]:
    """Sums the values of each objective, exactly: no matmul rounds them."""
    chosen = jnp.asarray(objective_ids)[..., None] == jnp.arange(CAPACITY)
    return jnp.where(chosen, values[..., None], 0).sum((0, 1))
