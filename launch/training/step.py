"""The train step: a pure function, the same program for every mixture."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jaxtyping import Array, Bool, Float, Int32, PyTree

from ...models.loss import (
    Normalisation,
    ObjectiveSums,
    loss_coefficients,
    mixture_loss,
    weight_totals,
)
from ...models.rows import Batch
from ...objectives.errors import UsageError
from ...objectives.registry import objectives
from ..runs.trace import Step
from .spikes import extended, is_spike
from .state import TrainState

Shares = Float[Array | np.ndarray, " O"]


class StepMetrics(NamedTuple):
    """What a step reports.

    Attributes:
      loss: `Σ_o share_o · mean loss of o` over the whole batch (`models.loss`), with
        the z-loss.
      grad_norm: global L2 norm of the gradient, before clipping.
      sums: the sums behind each objective's loss.
      finite: whether loss, gradient and update were finite; if not, nothing was
        updated.
      spike: whether the gradient was a spike (`spikes.is_spike`); nothing was updated.
      skipped: steps skipped so far.
      skipped_in_a_row: the same, since the last update.
    """

    loss: Float[Array, ""]
    grad_norm: Float[Array, ""]
    sums: ObjectiveSums
    finite: Bool[Array, ""]
    spike: Bool[Array, ""]
    skipped: Int32[Array, ""]
    skipped_in_a_row: Int32[Array, ""]


def make_train_step(
    graph: nnx.GraphDef,
    optimizer: optax.GradientTransformation,
    *,
    microbatches: int,
    clip_norm: float,
    normalisation: Normalisation,
    spike_deviations: float | None = None,
) -> Callable[[TrainState, Batch, Shares], tuple[TrainState, StepMetrics]]:
    """Makes `(state, batch, loss_shares) -> (state, metrics)`.

    Rates and objectives live in the batch and loss shares are an argument, so that
    one compiled step serves every mixture.

    Args:
      graph: the model's structure (`nnx.split`).
      optimizer: with its schedule.
      microbatches: parts in which the batch is computed, one after another. The sums
        of the loss run over all of them, so their number never changes it.
      clip_norm: global norm to which a larger gradient is scaled down.
      normalisation: "objective" is that of `models.loss`; "token_sum" weighs every
        prediction alike, for parity with other frameworks.
      spike_deviations: standard deviations of the logarithm of the gradient norm above
        its mean at which an update is skipped; None skips none.
    """

    def train_step(state: TrainState, batch: Batch, loss_shares: Shares):
        coefficients = loss_coefficients(
            loss_shares, weight_totals(batch), normalisation=normalisation
        )

        def loss_of(params: PyTree, part: Batch):
            return mixture_loss(nnx.merge(graph, params), part, coefficients)

        (loss, sums), grads = _accumulate(
            jax.value_and_grad(loss_of, has_aux=True), state.params, batch, microbatches
        )
        grad_norm = optax.tree.norm(grads)
        scale = jnp.minimum(1.0, clip_norm / jnp.maximum(grad_norm, 1e-12))
        grads = jax.tree.map(lambda g: g * scale, grads)
        updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        # A finite gradient can have an update that is not: 0 / (√0 + 0) in AdamW.
        told = jnp.stack([loss, grad_norm, optax.tree.norm(updates)])
        finite = jnp.isfinite(told).all()
        spike = finite & _spikes(state, grad_norm, spike_deviations)
        applied = finite & ~spike

        # Selected, never multiplied: 0 · NaN is NaN. The optimiser's statistics and
        # counters are kept unchanged, too.
        params, opt_state, norms = jax.tree.map(
            lambda new, old: jnp.where(applied, new, old),
            (params, opt_state, extended(state.norms, grad_norm)),
            (state.params, state.opt_state, state.norms),
        )
        skipped = state.skipped + ~applied
        in_a_row = jnp.where(applied, 0, state.skipped_in_a_row + 1)
        after = TrainState(params, opt_state, state.step + 1, skipped, in_a_row, norms)
        metrics = StepMetrics(loss, grad_norm, sums, finite, spike, skipped, in_a_row)
        return after, metrics

    return train_step


def _spikes(state: TrainState, grad_norm: Array, deviations: float | None) -> Array:
    if deviations is None:
        return jnp.zeros((), bool)
    return is_spike(state.norms, grad_norm, deviations=deviations)


def _accumulate(value_and_grad, params: PyTree, batch: Batch, microbatches: int):
    """Sums values and gradients over microbatches, one after another."""
    if microbatches == 1:
        return value_and_grad(params, batch)
    # Row b goes to microbatch b mod M: each shard of rows contributes to each.
    parts = jax.tree.map(
        lambda x: x.reshape(-1, microbatches, *x.shape[1:]).swapaxes(0, 1), batch
    )
    shapes = jax.eval_shape(value_and_grad, params, jax.tree.map(lambda x: x[0], parts))
    zeros = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)

    def add(total, part):
        return jax.tree.map(jnp.add, total, value_and_grad(params, part)), None

    return jax.lax.scan(add, zeros, parts)[0]


def make_eval_step(
    graph: nnx.GraphDef,
) -> Callable[[PyTree, Batch], ObjectiveSums]:
    """Makes `(params, batch) -> sums per objective`."""

    def eval_step(params: PyTree, batch: Batch) -> ObjectiveSums:
        ones = jnp.ones_like(weight_totals(batch))
        return mixture_loss(nnx.merge(graph, params), batch, ones)[1]

    return eval_step


def step_of(metrics: StepMetrics) -> Step:
    """What is kept of a step's metrics, which are on the host."""
    skipped = "spike" if metrics.spike else None if metrics.finite else "not finite"
    return Step(float(metrics.loss), float(metrics.grad_norm), skipped)


class NotFiniteError(UsageError, FloatingPointError):
    """Too many updates in a row were skipped."""


def stop_if_not_finite(metrics: StepMetrics, *, step: int, most: int) -> None:
    """Raises when too many steps in a row were skipped, naming what was not finite.

    Args:
      metrics: of the newest step, on the host.
      step: its number.
      most: skipped steps in a row at which to stop.

    Raises:
      NotFiniteError: that many were skipped. The parameters are those of the last
        finite step.
    """
    if metrics.skipped_in_a_row < most:
        return
    bad = [
        name
        for name, objective in objectives().items()
        if not np.isfinite(metrics.sums.nll[objective.id])
    ]
    if metrics.spike:
        reason = "the gradient norm was far above that of the updates before"
    else:
        reason = (
            "loss, gradient norm or update was NaN or Inf; objectives whose loss is "
            f"NaN or Inf: {', '.join(bad) or 'none'}"
        )
    raise NotFiniteError(
        f"step {step}: the last {metrics.skipped_in_a_row} updates were skipped "
        f"({metrics.skipped} in all): {reason}. Loss {metrics.loss}, gradient norm "
        f"{metrics.grad_norm}. Nothing was saved since the last update. Look at the "
        "data of these steps, let the run go back by itself (larger train.rollbacks), "
        "or go on from the newest checkpoint with a lower learning rate or "
        "train.clip_norm: name what you change, as in "
        "--allow=train.clip_norm,warmup_cosine.peak."
    )
