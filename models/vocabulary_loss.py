"""Cross-entropy over the vocabulary, on listed predictions only, in chunks."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Bool, Float, Float32, Int32

from .axes import constrain
from .linear import gathered


class TokenLoss(NamedTuple):
    """The loss of each prediction.

    Attributes:
      nll: -log p(target), in nats.
      log_z_squared: log² Z, Z the sum of exponentiated logits (PaLM, section 5).
      correct: whether no token has a higher logit than the target.
    """

    nll: Float32[jax.Array, "B P"]
    log_z_squared: Float32[jax.Array, "B P"]
    correct: Bool[jax.Array, "B P"]


def vocabulary_loss(
    hidden: Float[jax.Array, "B P D"],
    projection: Float32[jax.Array, "V D"],
    targets: Int32[jax.Array, "B P"],
    *,
    chunk: int | None,
) -> TokenLoss:
    """Cross-entropy of `targets` under `softmax(hidden · projectionᵀ)`.

    Logits are accumulated in float32. With a chunk, at most [B chunk V] of them exist
    at a time, in the backward pass too, which computes them again; P is filled up to
    a multiple of the chunk, and what fills it is dropped from the result.

    Args:
      hidden: hidden states of the predicting slots.
      projection: of the vocabulary.
      targets: token ids. One outside of [0, V) has the loss NaN.
      chunk: predictions a row at a time; None is all of P.
    """
    hidden, projection = _together(hidden, projection)
    # Whole before the chunks: each would gather it, and sum its gradient, by itself.
    projection = gathered(projection.astype(hidden.dtype), ("vocab", "embed"))
    predictions = targets.shape[1]
    if chunk is None or chunk >= predictions:
        return _token_loss(hidden, projection, targets)
    chunks = -(-predictions // chunk)
    fill = chunks * chunk - predictions

    def split(x: jax.Array) -> jax.Array:  # [B P ...] -> [chunks B chunk ...]
        x = jnp.pad(x, ((0, 0), (0, fill)) + ((0, 0),) * (x.ndim - 2))
        return x.reshape(x.shape[0], chunks, chunk, *x.shape[2:]).swapaxes(0, 1)

    def join(x: jax.Array) -> jax.Array:
        return x.swapaxes(0, 1).reshape(x.shape[1], -1)[:, :predictions]

    one = jax.checkpoint(_token_loss, prevent_cse=False)
    loss = jax.lax.map(
        lambda part: one(part[0], projection, part[1]), (split(hidden), split(targets))
    )
    return TokenLoss(*map(join, loss))


@jax.custom_vjp
def _together(
    hidden: Float[jax.Array, "B P D"], projection: Float32[jax.Array, "V D"]
) -> tuple[Float[jax.Array, "B P D"], Float32[jax.Array, "V D"]]:
    """The same two; backwards, neither's gradient is used before both are made.

    The table's gradient is then summed into its shards before the layers have theirs.
    Otherwise each device keeps a whole one beside all that they need.
    """
    return hidden, projection


_together.defvjp(
    lambda *both: (both, None),
    lambda _, gradients: jax.lax.optimization_barrier(gradients),
)


def logits(
    hidden: Float[jax.Array, "B P D"], projection: Float[jax.Array, "V D"]
) -> Float32[jax.Array, "B P V"]:
    """Logits of every token, accumulated in float32."""
    rows = hidden.reshape(-1, hidden.shape[-1])  # one dimension, as in `project`
    scores = jnp.einsum(
        "nd,vd->nv",
        rows,
        projection.astype(hidden.dtype),
        preferred_element_type=jnp.float32,
    )
    return constrain(scores.reshape(*hidden.shape[:-1], -1), "batch", None, "vocab")


def _token_loss(
    hidden: Float[jax.Array, "B P D"],
    projection: Float[jax.Array, "V D"],
    targets: Int32[jax.Array, "B P"],
) -> TokenLoss:
    scores = logits(hidden, projection)
    top = jax.lax.stop_gradient(scores).max(-1)
    log_z = top + jnp.log(jnp.exp(scores - top[..., None]).sum(-1))
    # A comparison with every id, rather than a gather: it fuses, also backwards, and
    # needs no logit of another device when the vocabulary is sharded.
    ids = jnp.arange(scores.shape[-1])
    hit = jnp.where(targets[..., None] == ids, scores, 0).sum(-1)
    known = (targets >= 0) & (targets < scores.shape[-1])
    hit = jnp.where(known, hit, jnp.nan)
    return TokenLoss(log_z - hit, jnp.square(log_z), hit >= top)
