"""How the next token is chosen from logits."""

import dataclasses
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Float32, Int32, Key

from ...objectives.errors import UsageError, require_count

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


@dataclasses.dataclass(frozen=True)
class Sampled:
    """A draw from `softmax(logits / temperature)`, cut to its most probable tokens.

    Made by `sampled`, which states what the settings mean.
    """

    temperature: float
    top_k: int | None
    top_p: float

    def __call__(
        self, logits: Float32[jax.Array, "B V"], keys: Key[jax.Array, " B"]
    ) -> Int32[jax.Array, " B"]:
        draw = jax.vmap(jax.random.categorical)
        if self._keeps_all(logits.shape[-1]):
            return draw(keys, self._cold(logits)).astype(jnp.int32)
        order, ranked = self._ranked(logits)
        rank = draw(keys, ranked)
        token = jnp.take_along_axis(order, rank[:, None], axis=-1)[:, 0]
        return token.astype(jnp.int32)

    def log_probabilities(
        self, logits: Float32[jax.Array, "B V"]
    ) -> Float32[jax.Array, "B V"]:
        """Log-probability of every token under the draw; -inf where it is cut off."""
        if self._keeps_all(logits.shape[-1]):
            return jax.nn.log_softmax(self._cold(logits))
        order, ranked = self._ranked(logits)
        rows = jnp.arange(len(logits))[:, None]
        log_p = jax.nn.log_softmax(ranked)
        return jnp.zeros_like(log_p).at[rows, order].set(log_p)

    def _keeps_all(self, vocabulary: int) -> bool:
        return self.top_p == 1.0 and (self.top_k is None or self.top_k >= vocabulary)

    def _cold(self, logits: jax.Array) -> jax.Array:
        # Differences to the largest, so that a cold division overflows to -inf alone.
        return (logits - logits.max(-1, keepdims=True)) / self.temperature

    def _ranked(self, logits: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Ids from the most probable on, and their logits, -inf where cut off."""
        cold = self._cold(logits)
        order = jnp.argsort(cold, axis=-1, descending=True, stable=True)
        ranked = jnp.take_along_axis(cold, order, axis=-1)
        if self.top_k is not None:
            ranked = jnp.where(
                jnp.arange(cold.shape[-1]) < self.top_k, ranked, -jnp.inf
            )
        share = jax.nn.softmax(ranked, axis=-1)
        before = jnp.cumsum(share, axis=-1) - share  # of the more probable tokens
        if self.top_p < 1.0:
            ranked = jnp.where(before < self.top_p, ranked, -jnp.inf)
        return order, ranked


def sampled(
    *, temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0
) -> Sampled:
    """A draw from `softmax(logits / temperature)`, cut to its most probable tokens.

    In this order, as in Hugging Face transformers: logits are divided by the
    temperature; the `top_k` most probable tokens are kept (Fan et al. 2018, section
    3.4) and renormalised; of those the nucleus is kept, the smallest set of most
    probable tokens whose probability is at least `top_p` (Holtzman et al. 2020,
    section 3.1), and renormalised again. Of equally probable tokens those with smaller
    ids come first, so exactly `top_k` are kept. Equal settings give equal functions,
    so that programs compiled with one are found again.

    Args:
      temperature: at least `COLDEST`; towards 0 it is `greedy`.
      top_k: at least 1; None keeps every token.
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
    if top_k is not None:
        require_count("top_k", top_k)
    return Sampled(temperature, top_k, top_p)


def log_distribution(
    sampler: Sampler, logits: Float32[jax.Array, "B V"]
) -> Float32[jax.Array, "B V"]:
    """Log-probability of every token under a sampler's draw.

    Args:
      sampler: `greedy`, whose distribution is all on one token, or one of `sampled`.
      logits: one may be -inf.

    Raises:
      ValueError: another sampler, whose distribution is not known.
    """
    require_distribution(sampler)
    if isinstance(sampler, Sampled):
        return sampler.log_probabilities(logits)
    best = jnp.argmax(logits, axis=-1, keepdims=True)
    return jnp.where(jnp.arange(logits.shape[-1]) == best, 0.0, -jnp.inf)


def require_distribution(sampler: Sampler) -> None:
    """Refuses a sampler other than `greedy` and those made by `sampled`."""
    if sampler is not greedy and not isinstance(sampler, Sampled):
        raise UsageError(
            f"the distribution of sampler {sampler!r} is not known; take `greedy` or "
            "one made by `sampled`."
        )
