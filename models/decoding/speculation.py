"""The program of self-speculation: draft, verify, keep what agrees."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Bool, Float32, Int32, Key, PyTree

from ..cache import Cache
from ..decoder import Decoder
from ..rows import Array, Batch
from ..vocabulary_loss import logits
from .generation import start
from .prompt_rows import decoder_batch, first_slots
from .prompts import Prompts
from .samplers import Sampler, log_distribution


class State(NamedTuple):
    """`generation.State`, and what the rounds came to."""

    cache: Cache
    targets: Int32[jax.Array, "B J"]
    log_p: Float32[jax.Array, "B J"]
    at: Int32[jax.Array, " B"]  # the target that is next
    lengths: Int32[jax.Array, " B"]
    rounds: Int32[jax.Array, " B"]
    accepted: Int32[jax.Array, " B"]


class Draft(NamedTuple):
    """k drafted tokens a row; the first is drawn from the causal model itself.

    Attributes:
      tokens: of target `at` and those behind it.
      first_log_p: log-probability of the first, before the sampler.
      log_q: log of what each guess behind the first was drawn from.
    """

    tokens: Int32[jax.Array, "B k"]
    first_log_p: Float32[jax.Array, " B"]
    log_q: Float32[jax.Array, "B guesses V"]


class Verdict(NamedTuple):
    """Of a round: k+1 tokens a row, of which the first `kept` count."""

    tokens: Int32[jax.Array, "B more"]
    log_p: Float32[jax.Array, "B more"]
    kept: Int32[jax.Array, " B"]


@functools.partial(jax.jit, static_argnames=("graph", "sampler", "drafts", "shift"))
def speculated(
    params: PyTree,
    prompts: Prompts,
    keys: Key[jax.Array, " B"],
    allowed: Bool[Array, " V"],
    bos: Int32[Array, ""],
    eos: Int32[Array, ""],
    mask: Int32[Array, ""],
    *,
    graph: nnx.GraphDef,
    sampler: Sampler,
    drafts: int,
    shift: bool,
) -> tuple[jax.Array, ...]:
    """Targets, log-probabilities, lengths, rounds, accepted guesses."""
    model: Decoder = nnx.merge(graph, params)
    batch = decoder_batch(prompts, bos=bos)
    first = first_slots(prompts, batch)

    def round_(state: State) -> State:
        split = jax.vmap(
            lambda key, at: jax.random.split(jax.random.fold_in(key, at), 3)
        )
        now = split(keys, state.at)  # [B 3]
        state, draft = _drafted(
            model, batch, first, state, bos, mask, allowed, now[:, 0],
            sampler=sampler, drafts=drafts, shift=shift,
        )  # fmt: skip
        slots = (first + state.at)[:, None] + 1 + jnp.arange(drafts)
        hidden, cache = model.step(batch, state.cache, slots=slots, tokens=draft.tokens)
        scores = logits(hidden, model.projection())  # [B k V]
        verdict = _verdict(draft, scores, allowed, now[:, 1], now[:, 2], sampler)
        return _kept(state._replace(cache=cache), verdict, eos)

    end = jax.lax.while_loop(
        lambda state: (state.at < state.lengths).any(),
        round_,
        _start(model.prefill(batch), prompts),
    )
    return end.targets, end.log_p, end.lengths, end.rounds, end.accepted


def _start(cache: Cache, prompts: Prompts) -> State:
    none = jnp.zeros_like(jnp.asarray(prompts.given))
    return State(*start(cache, prompts), rounds=none, accepted=none)


def _drafted(
    model: Decoder,
    batch: Batch,
    first: Int32[jax.Array, " B"],
    state: State,
    bos: Int32[Array, ""],
    mask: Int32[Array, ""],
    allowed: Bool[Array, " V"],
    keys: Key[jax.Array, " B"],
    *,
    sampler: Sampler,
    drafts: int,
    shift: bool,
) -> tuple[State, Draft]:
    """The last token and masks behind it; masks see all up to the last of them."""
    # Slot start+i holds target at+i-1; it predicts the target behind, or as a mask
    # without shift that one.
    run = drafts if shift or drafts == 1 else drafts + 1
    start, bounds = first + state.at, first + state.lengths
    last = jnp.maximum(state.at - 1, 0)[:, None]
    last = jnp.take_along_axis(state.targets, last, axis=1)
    last = jnp.where(state.at[:, None] == 0, bos, last)
    masks = jnp.full((len(start), run - 1), mask, jnp.int32)

    ahead = jnp.arange(batch.decoder.tokens.shape[1]) > start[:, None]
    end = jnp.minimum(start + run, bounds)[:, None]
    sees = jnp.where(ahead, end, batch.decoder.visible_to)
    slots = start[:, None] + jnp.arange(run)  # those behind the row are never seen
    hidden, cache = model.step(
        batch._replace(decoder=batch.decoder._replace(visible_to=sees)),
        state.cache,
        slots=slots,
        tokens=jnp.concatenate([last, masks], axis=1),
    )
    # What no slot of the row predicts is drawn from all ids alike.
    hidden = jnp.where((slots < bounds[:, None])[..., None], hidden, 0)
    asked = jnp.arange(drafts) + (jnp.arange(drafts) > 0) * (run - drafts)
    scores = logits(hidden[:, asked], model.projection())
    log_q = _log_distribution(sampler, scores, allowed)
    tokens = _draw(keys, log_q)
    log_p = jax.nn.log_softmax(scores[:, 0])
    log_p = jnp.take_along_axis(log_p, tokens[:, :1], axis=1)[:, 0]
    return state._replace(cache=cache), Draft(tokens, log_p, log_q[:, 1:])


def _verdict(
    draft: Draft,
    scores: Float32[jax.Array, "B k V"],
    allowed: Bool[Array, " V"],
    luck: Key[jax.Array, " B"],
    keys: Key[jax.Array, " B"],
    sampler: Sampler,
) -> Verdict:
    """Keeps guesses as Leviathan et al. (2023, algorithm 1) do; `greedy` is a case.

    `scores[:, i]` are the causal model's for the target behind draft i.
    """
    log_p = _log_distribution(sampler, scores, allowed)
    guesses = draft.tokens[:, 1:, None]
    ratio = jnp.take_along_axis(log_p[:, :-1], guesses, axis=2)
    ratio = jnp.exp(ratio - jnp.take_along_axis(draft.log_q, guesses, axis=2))[..., 0]
    u = jax.vmap(lambda key: jax.random.uniform(key, ratio.shape[1:]))(luck)
    accepted = jnp.cumprod(u < ratio, axis=1).sum(1)

    # One more: of what the first refused guess was too rarely, or of what follows all.
    q = jnp.pad(jnp.exp(draft.log_q), ((0, 0), (0, 1), (0, 0)))
    place = accepted[:, None, None]
    p, q = (jnp.take_along_axis(x, place, axis=1)[:, 0] for x in (jnp.exp(log_p), q))
    rest = jnp.maximum(p - q, 0)
    rest = jnp.where(rest.sum(1, keepdims=True) > 0, rest, p)  # equal up to rounding
    more = _draw(keys, jnp.log(rest)[:, None])
    tokens = jnp.concatenate([draft.tokens, more], axis=1)
    number = jnp.arange(tokens.shape[1])
    tokens = jnp.where(number == 1 + accepted[:, None], more, tokens)
    behind = jnp.take_along_axis(
        jax.nn.log_softmax(scores), tokens[:, 1:, None], axis=2
    )[..., 0]
    log_p = jnp.concatenate([draft.first_log_p[:, None], behind], axis=1)
    return Verdict(tokens, log_p, (2 + accepted).astype(jnp.int32))


def _log_distribution(
    sampler: Sampler, scores: Float32[jax.Array, "B k V"], allowed: Bool[Array, " V"]
) -> Float32[jax.Array, "B k V"]:
    flat = jnp.where(allowed, scores, -jnp.inf).reshape(-1, scores.shape[-1])
    return log_distribution(sampler, flat).reshape(scores.shape)


def _draw(
    keys: Key[jax.Array, " B"], log_p: Float32[jax.Array, "B k V"]
) -> Int32[jax.Array, "B k"]:
    draw = jax.vmap(lambda key, row: jax.random.categorical(key, row, axis=-1))
    return draw(keys, log_p).astype(jnp.int32)


def _kept(state: State, verdict: Verdict, eos: Int32[Array, ""]) -> State:
    """Writes a round's tokens, up to the row's end."""
    number = jnp.arange(verdict.tokens.shape[1])
    room = (state.lengths - state.at)[:, None]
    counts = (number < verdict.kept[:, None]) & (number < room)
    ends = counts & (verdict.tokens == eos)
    counts &= jnp.cumsum(ends, axis=1) - ends == 0  # none before it
    # What is out of bounds is dropped: what does not count is not written.
    width = state.targets.shape[1]
    place = jnp.where(counts, state.at[:, None] + number, width)
    place = jnp.arange(len(place))[:, None], place
    active, made = state.at < state.lengths, counts.sum(1)
    guesses = counts & (number > 0) & (number < verdict.kept[:, None] - 1)
    after = state.at + made
    return state._replace(
        targets=state.targets.at[place].set(verdict.tokens, mode="drop"),
        log_p=state.log_p.at[place].set(verdict.log_p, mode="drop"),
        at=after,
        lengths=jnp.where((ends & counts).any(1), after, state.lengths),
        rounds=state.rounds + active,
        accepted=state.accepted + guesses.sum(1),
    )
