"""The programs of generation: the pass over what is given, and steps behind it."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Bool, Float32, Int32, Key, PyTree

from ..build import Model
from ..cache import Cache
from ..decoder import Decoder
from ..rows import Array, Batch
from ..vocabulary_loss import logits
from .prompt_rows import decoder_batch, encoder_decoder_batch, first_slots
from .prompts import Prompts
from .samplers import Sampler


class State(NamedTuple):
    """Of the loop. Row b is done when `at[b] >= lengths[b]`."""

    cache: Cache
    targets: Int32[jax.Array, "B J"]
    log_p: Float32[jax.Array, "B J"]
    at: Int32[jax.Array, " B"]  # the target that is next
    lengths: Int32[jax.Array, " B"]


@functools.partial(jax.jit, static_argnames="graph")
def begin(
    params: PyTree, prompts: Prompts, bos: Int32[Array, ""], *, graph: nnx.GraphDef
) -> State:
    """Reads what is given."""
    model: Model = nnx.merge(graph, params)
    return start(model.prefill(_rows(model, prompts, bos)), prompts)


def start(cache: Cache, prompts: Prompts) -> State:
    """Each row's next target is the first that is not given."""
    targets = jnp.asarray(prompts.targets)
    known = jnp.arange(targets.shape[1]) < jnp.asarray(prompts.given)[:, None]
    return State(
        cache=cache,
        targets=jnp.where(known, targets, 0),
        log_p=jnp.zeros(targets.shape, jnp.float32),
        at=jnp.asarray(prompts.given),
        lengths=jnp.asarray(prompts.lengths),
    )


@functools.partial(
    jax.jit, static_argnames=("graph", "sampler"), donate_argnames="state"
)
def advance(
    params: PyTree,
    prompts: Prompts,
    keys: Key[jax.Array, " B"],
    allowed: Bool[Array, " V"],
    bos: Int32[Array, ""],
    eos: Int32[Array, ""],
    keep: Int32[Array, " B"],
    most: Int32[Array, ""],
    state: State,
    *,
    graph: nnx.GraphDef,
    sampler: Sampler,
) -> State:
    """At most `most` steps; each row has at most `keep` targets. No `eos` is -1."""
    model: Model = nnx.merge(graph, params)
    batch = _rows(model, prompts, bos)
    first, rows = first_slots(prompts, batch), jnp.arange(len(prompts.given))

    def step(carry: tuple[State, jax.Array]) -> tuple[State, jax.Array]:
        state, steps = carry
        # A row that is done asks for some target again; nothing comes of it.
        at = jnp.minimum(state.at, state.targets.shape[1] - 1)
        last = state.targets[rows, jnp.maximum(at - 1, 0)]
        tokens = jnp.where(at == 0, bos, last)
        hidden, cache = model.step(
            batch, state.cache, slots=(first + at)[:, None], tokens=tokens[:, None]
        )
        scores = logits(hidden, model.projection())[:, 0]  # [B 1 V] -> [B V]
        now = jax.vmap(jax.random.fold_in)(keys, at)
        token = sampler(jnp.where(allowed, scores, -jnp.inf), now)
        log_p = jax.nn.log_softmax(scores)[rows, token]
        return _written(state._replace(cache=cache), token, log_p, eos), steps + 1

    def goes_on(carry: tuple[State, jax.Array]) -> jax.Array:
        state, steps = carry
        return (state.at < state.lengths).any() & (steps < most)

    state = state._replace(lengths=jnp.minimum(state.lengths, keep))
    return jax.lax.while_loop(goes_on, step, (state, jnp.int32(0)))[0]


def _rows(model: Model, prompts: Prompts, bos: Int32[Array, ""]) -> Batch:
    lay_out = decoder_batch if isinstance(model, Decoder) else encoder_decoder_batch
    return lay_out(prompts, bos=bos)


def _written(
    state: State,
    token: Int32[jax.Array, " B"],
    log_p: Float32[jax.Array, " B"],
    eos: Int32[Array, ""],
) -> State:
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
