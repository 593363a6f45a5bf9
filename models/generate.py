"""Generation with a cache: a batch of rows, one slot of each a step."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Bool, Float32, Int32, Key, PyTree

from ..objectives.errors import UsageError
from .build import Model
from .cache import Cache
from .decoder import Decoder
from .prompt_check import check_ids, check_prompts
from .prompt_rows import decoder_batch, encoder_decoder_batch, first_slots
from .prompts import Prompts
from .rows import Array
from .samplers import Sampler
from .vocabulary_loss import logits


class Generated(NamedTuple):
    """Targets of every row, the free ones filled in.

    Attributes:
      targets: given ones as they came, then generated ones, then `pad`.
      log_probabilities: log p of each generated token, in nats, under the model's own
        softmax over the whole vocabulary: before temperature, `top_p` and `allowed`,
        so minus their sum is the loss of these targets. 0 for all other targets, NaN
        where the model's logits are.
      lengths: targets of each row: given and generated ones, EOS included.
    """

    targets: Int32[np.ndarray, "B J"]
    log_probabilities: Float32[np.ndarray, "B J"]
    lengths: Int32[np.ndarray, " B"]


Generate = Callable[[Prompts, Key[jax.Array, " B"]], Generated]


def make_generate(
    model: Model,
    *,
    sampler: Sampler,
    bos: int,
    eos: int | None,
    pad: int = 0,
    allowed: Bool[np.ndarray, " V"] | None = None,
) -> Generate:
    """Generation with a model, compiled once for each shape of prompts.

    One pass reads the inputs and all given targets (prefill); then each step takes the
    next slot of every row, its own number in each, at the cost of one look at the
    cache. It ends when all rows have. A model of the same configuration with the same
    settings, say a later checkpoint, finds the compiled program again.

    Args:
      model: of either architecture. On a mesh, the `sequence` axis must be 1.
      sampler: of `models.samplers`.
      bos: id held by the slot that asks for the first target.
      eos: the generated token that ends a row; None where every row has its full
        length, as in infilling. One among the given targets ends nothing.
      pad: fills targets behind a row's end.
      allowed: ids that may be generated; None allows all.

    Returns:
      `(prompts, keys) -> Generated`. Key b is all of row b's randomness: a row's
      result is a function of the row and its key, whatever stands beside it. It raises
      ValueError for prompts whose shapes or values do not fit, before it computes.

    Raises:
      ValueError: an id outside of the vocabulary, `allowed` of another size or
        without a token, or an `eos` that it forbids.
    """
    graph, params = nnx.split(model)
    vocabulary = model.projection().shape[0]
    ids = np.ones(vocabulary, bool) if allowed is None else allowed
    check_ids(vocabulary, ids, bos=bos, eos=eos, pad=pad)
    # Arguments of the program, so that one serves all; -1 is no token's id.
    reserved = np.int32(bos), np.int32(-1 if eos is None else eos)

    def generate(prompts: Prompts, keys: Key[jax.Array, " B"]) -> Generated:
        check_prompts(prompts, vocabulary_size=vocabulary)
        rows = len(prompts.given)
        if keys.shape != (rows,):
            raise UsageError(
                f"keys of shape {keys.shape} came with {rows} rows; give one key for "
                f"each: jax.random.split(key, {rows})."
            )
        found = _generate(
            params, prompts, keys, ids, *reserved, graph=graph, sampler=sampler
        )
        targets, log_p, lengths = map(np.asarray, found)
        used = np.arange(targets.shape[1]) < lengths[:, None]
        return Generated(np.where(used, targets, pad).astype(np.int32), log_p, lengths)

    return generate


class _State(NamedTuple):
    """Of the loop. Row b is done when `at[b] == lengths[b]`."""

    cache: Cache
    targets: Int32[jax.Array, "B J"]
    log_p: Float32[jax.Array, "B J"]
    at: Int32[jax.Array, " B"]  # the target that is next
    lengths: Int32[jax.Array, " B"]


@functools.partial(jax.jit, static_argnames=("graph", "sampler"))
def _generate(
    params: PyTree,
    prompts: Prompts,
    keys: Key[jax.Array, " B"],
    allowed: Bool[Array, " V"],
    bos: Int32[Array, ""],
    eos: Int32[Array, ""],
    *,
    graph: nnx.GraphDef,
    sampler: Sampler,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Targets, log-probabilities, lengths. An `eos` of -1 is none."""
    model: Model = nnx.merge(graph, params)
    lay_out = decoder_batch if isinstance(model, Decoder) else encoder_decoder_batch
    batch = lay_out(prompts, bos=bos)
    first, rows = first_slots(prompts, batch), jnp.arange(len(prompts.given))

    def step(state: _State) -> _State:
        # A row that is done asks for some target again; nothing comes of it.
        at = jnp.minimum(state.at, state.targets.shape[1] - 1)
        last = state.targets[rows, jnp.maximum(at - 1, 0)]
        tokens = jnp.where(at == 0, bos, last)
        hidden, cache = model.step(batch, state.cache, slots=first + at, tokens=tokens)
        scores = logits(hidden, model.projection())[:, 0]  # [B 1 V] -> [B V]
        now = jax.vmap(jax.random.fold_in)(keys, at)
        token = sampler(jnp.where(allowed, scores, -jnp.inf), now)
        log_p = jax.nn.log_softmax(scores)[rows, token]
        return _written(state._replace(cache=cache), token, log_p, eos)

    start = _start(model.prefill(batch), prompts)
    end = jax.lax.while_loop(lambda s: (s.at < s.lengths).any(), step, start)
    return end.targets, end.log_p, end.lengths


def _start(cache: Cache, prompts: Prompts) -> _State:
    """Each row's next target is the first that is not given."""
    targets = jnp.asarray(prompts.targets)
    known = jnp.arange(targets.shape[1]) < jnp.asarray(prompts.given)[:, None]
    return _State(
        cache=cache,
        targets=jnp.where(known, targets, 0),
        log_p=jnp.zeros(targets.shape, jnp.float32),
        at=jnp.asarray(prompts.given),
        lengths=jnp.asarray(prompts.lengths),
    )


def _written(
    state: _State,
    token: Int32[jax.Array, " B"],
    log_p: Float32[jax.Array, " B"],
    eos: Int32[Array, ""],
) -> _State:
    """One more target of every row that is not done."""
    active = state.at < state.lengths
    # What is out of bounds is dropped: rows that are done write nothing.
    place = (
        jnp.arange(len(token)),
        jnp.where(active, state.at, state.targets.shape[1]),
    )
    after = state.at + active
    return state._replace(
        targets=state.targets.at[place].set(token, mode="drop"),
        log_p=state.log_p.at[place].set(log_p, mode="drop"),
        at=after,
        lengths=jnp.where(active & (token == eos), after, state.lengths),
    )
