"""What the logits of each slot depend on, measured on a model in two ways.

A slot's logits are the table of the vocabulary times its last hidden state, so they
depend on what that state depends on. The state is much smaller, and is measured.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Bool, Float32, Int, PyTree

from ...models.build import Model
from ...models.rows import Batch


class Dependence(NamedTuple):
    """Whether the logits of slot t (row) depend on the token of slot s (column).

    Slots are ordered as in `declared.all_places`.

    Attributes:
      jacobian: |∂logits_t / ∂embedding_s| along a random direction of the logits.
      perturbed: whether another token at s changes any bit of the state at t.
    """

    jacobian: Float32[np.ndarray, "N N"]
    perturbed: Bool[np.ndarray, "N N"]

    @property
    def either(self) -> Bool[np.ndarray, "N N"]:
        return (self.jacobian > 0) | self.perturbed


Measure = Callable[[Batch, Int[np.ndarray, " N"]], Dependence]


def make_measure(model: Model) -> Measure:
    """The measurement of a model; models of one configuration share what is compiled.

    Args:
      model: of compute dtype float32, in which no dependence means exactly 0.

    Returns:
      `(batch, others) -> Dependence`; `others` are the substitute tokens, one a slot.
    """
    graph, params = nnx.split(model)

    def measure(batch: Batch, others: Int[np.ndarray, " N"]) -> Dependence:
        substitutes = jnp.asarray(others, jnp.int32)
        return Dependence(
            np.asarray(_slopes(params, batch, graph=graph)),
            np.asarray(_changes(params, batch, substitutes, graph=graph)),
        )

    return measure


@functools.partial(jax.jit, static_argnames="graph")
def _slopes(params: PyTree, batch: Batch, *, graph: nnx.GraphDef) -> jax.Array:
    """Gives each slot an embedding row of its own, whose gradient is the slot's."""
    model = nnx.merge(graph, params)
    projection = model.projection()
    table = model.embedding.table[...]
    tokens = _tokens(batch)

    def outputs(rows: jax.Array) -> jax.Array:  # [N D] -> [N]
        # A copy: NNX forbids changing variables that an outer trace holds.
        wide = nnx.merge(graph, jax.tree.map(lambda x: x, params))
        wide.embedding.table.set_value(jnp.concatenate([table, rows]))
        substituted = _with_tokens(batch, table.shape[0] + jnp.arange(len(tokens)))
        return (_states(wide, substituted) * directions).sum(-1)

    rows = table[tokens]
    # Of the logits, brought to the states, as the table's transpose does it.
    size = (len(tokens), len(projection))
    directions = jax.random.normal(jax.random.key(0), size) @ projection
    _, pullback = jax.vjp(outputs, rows)
    slope = jax.vmap(lambda direction: pullback(direction)[0])(jnp.eye(len(rows)))
    return jnp.abs(slope).max(-1)  # [N N D] -> [N N]


@functools.partial(jax.jit, static_argnames="graph")
def _changes(
    params: PyTree, batch: Batch, others: jax.Array, *, graph: nnx.GraphDef
) -> jax.Array:
    """Whether each other token (column) changes the state of each slot (row)."""
    model = nnx.merge(graph, params)
    tokens = _tokens(batch)

    def run(tokens: jax.Array) -> jax.Array:
        return _states(model, _with_tokens(batch, tokens))

    # One at a time, so that all runs are bitwise the same computation.
    plain = jax.lax.map(run, tokens[None])[0]
    at = jnp.arange(len(tokens))
    changed = jax.lax.map(
        lambda s: (run(jnp.where(at == s, others, tokens)) != plain).any(-1), at
    )
    return changed.T


def _streams(batch: Batch):
    return [s for s in (batch.decoder, batch.encoder) if s is not None]


def _tokens(batch: Batch) -> jax.Array:
    """The tokens of all slots in one row, the decoder's first."""
    return jnp.concatenate([jnp.ravel(s.tokens) for s in _streams(batch)])


def _with_tokens(batch: Batch, tokens: jax.Array) -> Batch:
    """The batch with its slots' tokens replaced."""
    cut = np.size(batch.decoder.tokens)
    decoder = _replaced(batch.decoder, tokens[:cut])
    if batch.encoder is None:
        return batch._replace(decoder=decoder)
    return batch._replace(
        decoder=decoder, encoder=_replaced(batch.encoder, tokens[cut:])
    )


def _replaced(stream, tokens: jax.Array):
    return stream._replace(tokens=tokens.reshape(stream.tokens.shape).astype(jnp.int32))


def _states(model, batch: Batch) -> jax.Array:
    """The last hidden state of every slot, [N D], ordered as `_tokens`."""
    hidden = model(batch)
    states = [h for h in (hidden.decoder, hidden.encoder) if h is not None]
    return jnp.concatenate([jnp.reshape(h, (-1, h.shape[-1])) for h in states])
