"""The program that fills a canvas: what a pass looks at, draws and keeps."""

import functools
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Bool, Float, Float32, Int32, Key, PyTree

from ..build import Model
from ..cache import Cache
from ..decoder import Decoder
from ..rows import Array, Batch, Memory, Stream
from ..vocabulary_loss import logits
from .canvas import Canvas, canvas_stream
from .samplers import Sampler

Order = Literal["certain", "left_to_right", "random"]

_SLOTS = 64
"""Slots a row whose logits exist at one time."""


class State(NamedTuple):
    """Of the loop. Row b is done when none of its slots is open."""

    tokens: Int32[jax.Array, "B I"]
    open: Bool[jax.Array, "B I"]
    log_p: Float32[jax.Array, "B I"]
    filled_in: Int32[jax.Array, "B I"]
    passes: Int32[jax.Array, " B"]
    cache: Cache | None
    start: Int32[jax.Array, " B"]  # with a cache: first slot of the block at work


class _View(NamedTuple):
    """What a pass sees: slots that may be filled, and what predicts each."""

    slots: Int32[jax.Array, "B n"]
    hidden: Float[jax.Array, "B n D"]
    open: Bool[jax.Array, "B n"]


@functools.partial(jax.jit, static_argnames=("graph", "block"))
def begin(
    params: PyTree, canvas: Canvas, *, graph: nnx.GraphDef, block: int | None
) -> State:
    """Nothing is filled; with a cache, all that is known is read."""
    model: Model = nnx.merge(graph, params)
    stream, open = canvas_stream(canvas), jnp.asarray(canvas.open)
    # The block at work begins where slots first see as far as the first open one.
    first = jnp.argmax(open, axis=1)[:, None]
    ends = jnp.take_along_axis(stream.visible_to, first, axis=1)
    return State(
        tokens=jnp.asarray(stream.tokens),
        open=open,
        log_p=jnp.zeros(open.shape, jnp.float32),
        filled_in=jnp.zeros(open.shape, jnp.int32),
        passes=jnp.zeros(open.shape[:1], jnp.int32),
        cache=None if block is None else model.prefill(Batch(stream)),
        start=jnp.argmax(stream.visible_to == ends, axis=1).astype(jnp.int32),
    )


@functools.partial(
    jax.jit,
    static_argnames=("graph", "sampler", "order", "shift", "block", "exact"),
    donate_argnames="state",
)
def advance(
    params: PyTree,
    canvas: Canvas,
    keys: Key[jax.Array, " B"],
    allowed: Bool[Array, " V"],
    per_pass: Int32[Array, ""],
    sure: Float32[Array, ""],
    eos: Int32[Array, ""],
    keep: Int32[Array, " B"],
    most: Int32[Array, ""],
    state: State,
    *,
    graph: nnx.GraphDef,
    sampler: Sampler,
    order: Order,
    shift: int,
    block: int | None,
    exact: bool,
) -> State:
    """At most `most` passes; each row has `keep` slots. No `eos` is -1."""
    model: Model = nnx.merge(graph, params)
    stream = canvas_stream(canvas)
    look = functools.partial(_look_at_all, exact=exact)
    if block is not None:
        look = functools.partial(_look_at, block=block)
    width = stream.tokens.shape[1]
    turns = jax.vmap(jax.random.fold_in, (0, None))(keys, 0)  # passes count from 1
    turns = jax.vmap(lambda key: jax.random.uniform(key, (width,)))(turns)

    def one_pass(carry: tuple[State, jax.Array]) -> tuple[State, jax.Array]:
        view, state = look(model, stream, carry[0], shift=shift)
        numbers = 1 + state.filled_in.max(1)
        now = jax.vmap(jax.random.fold_in)(keys, numbers)
        token, log_p = _drawn(model, view, now, allowed, sampler)
        by = dict(
            certain=jnp.maximum(jnp.nan_to_num(log_p, nan=-1e30), -1e30),
            left_to_right=-view.slots.astype(jnp.float32),
            random=jnp.take_along_axis(turns, view.slots, axis=1, mode="clip"),
        )
        chosen = _chosen(by[order], log_p, view.open, per_pass, sure)
        state = _written(state, view.slots, chosen, token, log_p, numbers)
        return state._replace(open=_still_open(state, eos)), carry[1] + 1

    def goes_on(carry: tuple[State, jax.Array]) -> jax.Array:
        return carry[0].open.any() & (carry[1] < most)

    state = state._replace(open=state.open & (jnp.arange(width) < keep[:, None]))
    return jax.lax.while_loop(goes_on, one_pass, (state, jnp.int32(0)))[0]


def _look_at_all(
    model: Model, stream: Stream, state: State, *, shift: int, exact: bool
) -> tuple[_View, State]:
    """One pass over all slots."""
    stream = stream._replace(tokens=state.tokens)
    if isinstance(model, Decoder):
        hidden = model(Batch(stream)).decoder
    elif exact:
        hidden = model(_twins(stream)).decoder
    else:
        hidden = model.encode(Batch(stream, encoder=stream))
    slots = jnp.arange(state.tokens.shape[1])
    first = jnp.argmax(state.open, axis=1)[:, None]
    end = jnp.take_along_axis(stream.visible_to, first, axis=1)
    view = _View(
        jnp.broadcast_to(slots, state.tokens.shape).astype(jnp.int32),
        hidden[:, jnp.maximum(slots - shift, 0)],
        state.open & (stream.visible_to == end),
    )
    return view, state._replace(passes=state.passes + state.open.any(1))


def _twins(stream: Stream) -> Batch:
    """The text in both streams: a block sees itself, and in the encoder those before.

    The encoder's copy of a block is final before a later one looks at it.
    """
    ends = stream.visible_to
    begins = jnp.argmax(ends[:, None, :] == ends[:, :, None], axis=-1)  # [B I]
    begins = begins.astype(jnp.int32)
    own = stream._replace(visible_from=begins)
    return Batch(own, encoder=stream, memory=Memory(jnp.zeros_like(begins), begins))


def _look_at(
    model: Model, stream: Stream, state: State, *, shift: int, block: int
) -> tuple[_View, State]:
    """One pass over the block at work; once it was seen filled, the next is at work.

    With `shift` the last slot of the block before runs again, to predict the first.
    """
    assert isinstance(model, Decoder) and state.cache is not None
    slots_in_row = state.tokens.shape[1]
    start = state.start[:, None]
    end = jnp.take_along_axis(stream.visible_to, start, axis=1, mode="clip")
    end = jnp.where(start < slots_in_row, end, 0)

    def of(x: jax.Array, slots: jax.Array) -> jax.Array:
        return jnp.take_along_axis(x, slots, axis=1, mode="clip")

    run = start - shift + jnp.arange(block + shift)
    tokens = of(state.tokens, run)
    # Beyond the row is no slot: nothing is written there.
    run = jnp.where((run >= 0) & (run < end), run, slots_in_row)
    hidden, cache = model.step(Batch(stream), state.cache, slots=run, tokens=tokens)
    slots = start + jnp.arange(block)
    view = _View(
        slots, hidden[:, :block], of(state.open, slots) & (slots < end)
    )  # slot start+i is asked by the i-th of the run, with or without shift
    return view, state._replace(
        cache=cache,
        passes=state.passes + state.open.any(1),
        start=jnp.where(view.open.any(1), state.start, end[:, 0]),
    )


def _drawn(
    model: Model,
    view: _View,
    keys: Key[jax.Array, " B"],
    allowed: Bool[Array, " V"],
    sampler: Sampler,
) -> tuple[Int32[jax.Array, "B n"], Float32[jax.Array, "B n"]]:
    """A token for each slot, and its log-probability; some slots at a time."""
    rows, slots = view.slots.shape
    each = min(_SLOTS, slots)
    chunks = -(-slots // each)
    projection = model.projection()

    def split(x: jax.Array) -> jax.Array:  # [B n ...] -> [chunks B each ...]
        fill = ((0, 0), (0, chunks * each - slots)) + ((0, 0),) * (x.ndim - 2)
        x = jnp.pad(x, fill).reshape(rows, chunks, each, *x.shape[2:])
        return x.swapaxes(0, 1)

    def draw(part: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        scores = logits(part[0], projection)  # [B each V]
        now = jax.vmap(jax.vmap(jax.random.fold_in, (None, 0)))(keys, part[1])
        flat = jnp.where(allowed, scores, -jnp.inf).reshape(rows * each, -1)
        token = sampler(flat, now.reshape(-1)).reshape(rows, each)
        share = jax.nn.log_softmax(scores)
        return token, jnp.take_along_axis(share, token[..., None], axis=-1)[..., 0]

    drawn = jax.lax.map(draw, (split(view.hidden), split(view.slots)))
    token, log_p = (
        x.swapaxes(0, 1).reshape(rows, chunks * each)[:, :slots] for x in drawn
    )
    return token, log_p


def _chosen(
    by: Float32[jax.Array, "B n"],
    log_p: Float32[jax.Array, "B n"],
    open: Bool[jax.Array, "B n"],
    per_pass: Int32[Array, ""],
    sure: Float32[Array, ""],
) -> Bool[jax.Array, "B n"]:
    """The slots that a pass fills: those with the largest `by` first."""
    order = jnp.argsort(jnp.where(open, by, -jnp.inf), descending=True, stable=True)
    certain = jnp.take_along_axis(open & (log_p >= sure), order, axis=1)
    leading = jnp.cumprod(certain, axis=1).sum(1, keepdims=True)
    rank = jnp.argsort(order, axis=1)
    return open & (rank < jnp.maximum(per_pass, leading))


def _written(
    state: State,
    slots: Int32[jax.Array, "B n"],
    chosen: Bool[jax.Array, "B n"],
    token: Int32[jax.Array, "B n"],
    log_p: Float32[jax.Array, "B n"],
    number: Int32[jax.Array, " B"],
) -> State:
    # What is out of bounds is dropped: slots that are not chosen write nothing.
    width = state.tokens.shape[1]
    place = jnp.arange(len(slots))[:, None], jnp.where(chosen, slots, width)
    return state._replace(
        tokens=state.tokens.at[place].set(token, mode="drop"),
        open=state.open.at[place].set(False, mode="drop"),
        log_p=state.log_p.at[place].set(log_p, mode="drop"),
        filled_in=state.filled_in.at[place].set(number[:, None], mode="drop"),
    )


def _still_open(state: State, eos: Int32[Array, ""]) -> Bool[jax.Array, "B I"]:
    """Open slots of rows that did not end: none is open before a filled EOS."""
    ends = (state.filled_in > 0) & (state.tokens == eos)
    before = jnp.cumsum(state.open, axis=1) == 0
    return state.open & ~(ends & before).any(1, keepdims=True)
