"""How the next token is chosen from logits."""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Float32, Int32, Key

from ..objectives.errors import UsageError

Sampler = Callable[[Float32[jax.Array, "B V"], Key[jax.Array, " B"]], jax.Array]
"""`(logits [B V], one key a row [B]) -> token ids [B]`. A logit may be -inf."""

COLDEST = 1e-6
"""The least temperature: below it, logits divided by it leave float32."""


def greedy(
    logits: Float32[jax.Array, "B V"], keys: Key[jax.Array, " B"]
) -> Int32[jax.Array, " B"]:
    """The most probable token, of equals the one with the least id; no key is used."""
    return jnp.argmax(logits, axis=-1).astype(jnp.int32)


def row_keys(seed: int, batch: int, *, rows: int) -> Key[jax.Array, " rows"]:
    """One key a row of a batch; no two (seed, batch, row) share one.

    Args:
      seed: of all batches.
      batch: number of the batch, or of its first row, below 2³².
      rows: of the batch.
    """
    return jax.random.split(jax.random.fold_in(jax.random.key(seed), batch), rows)


@functools.cache
def sampled(*, temperature: float = 1.0, top_p: float = 1.0) -> Sampler:
    """A draw from `softmax(logits / temperature)`, cut to its nucleus.

    The nucleus is the smallest set of most probable tokens whose probability, at that
    temperature, is at least `top_p` (Holtzman et al. 2020, section 3.1); of equally
    probable tokens those with smaller ids come first. It is renormalised. Equal
    settings give the same function, so that programs compiled with it are found again.

    Args:
      temperature: at least `COLDEST`; towards 0 it is `greedy`.
      top_p: in (0, 1]; 1 keeps every token.

    Raises:
      ValueError: a setting is outside its range.
    """
    if not COLDEST <= temperature < math.inf:
        raise UsageError(
            f"temperature is {temperature}; it divides logits, so set it to at least "
            f"{COLDEST}, or take `greedy`, which is its limit at 0."
        )
    if not 0.0 < top_p <= 1.0:
        raise UsageError(
            f"top_p is {top_p}; it is the probability that is kept, so set it within "
            f"(0, 1]; 1 keeps every token."
        )

    def sample(
        logits: Float32[jax.Array, "B V"], keys: Key[jax.Array, " B"]
    ) -> Int32[jax.Array, " B"]:
        # Differences to the largest, so that a cold division overflows to -inf alone.
        cold = (logits - logits.max(-1, keepdims=True)) / temperature
        draw = jax.vmap(jax.random.categorical)
        if top_p == 1.0:
            return draw(keys, cold).astype(jnp.int32)
        order = jnp.argsort(cold, axis=-1, descending=True, stable=True)
        ranked = jnp.take_along_axis(cold, order, axis=-1)
        share = jax.nn.softmax(ranked, axis=-1)
        before = jnp.cumsum(share, axis=-1) - share  # of the more probable tokens
        rank = draw(keys, jnp.where(before < top_p, ranked, -jnp.inf))
        token = jnp.take_along_axis(order, rank[:, None], axis=-1)[:, 0]
        return token.astype(jnp.int32)

    return sample
