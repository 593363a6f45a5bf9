"""Filling open slots with a model of permuted order: each as a target of its own."""

from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float32, Int32, Key

from ...objectives.errors import UsageError, nearest
from ..build import Model
from .canvas import Canvas, check_canvas
from .fill import Fill, Filled
from .filling import Order
from .generate import Generate, make_generate
from .prompt_check import check_keys
from .prompts import Prompts
from .samplers import Sampler


def make_fill_permuted(
    model: Model,
    *,
    sampler: Sampler,
    bos: int,
    order: Order = "certain",
    pad: int = 0,
    allowed: Bool[np.ndarray, " V"] | None = None,
) -> Fill:
    """Fills open slots with a model that was trained on targets in permuted order.

    What is known goes into the inputs, and open slots are targets, one after another,
    each asked for at its own position (`objectives.permuted`). `make_fill` is for
    models that predict in place.

    With "left_to_right" and "random" a slot costs one step with the cache. "certain"
    takes of all open slots the most probable token, of equals the first slot: it asks
    each open slot alone, and reads all that is known again for each, so n open slots
    cost about n²/2 passes.

    Args:
      model: of either architecture. On a mesh, the `sequence` axis must be 1.
      sampler: of `models.decoding.samplers`.
      bos: id held by the slot that asks for the first target.
      order: in which slots are filled.
      pad: stands behind a row's end.
      allowed: ids that may be filled in; None allows all.

    Returns:
      `(canvas, keys) -> Filled`, as of `make_fill`, but what open slots hold and
      `visible_to` are not read. `passes` are steps: how often a slot was asked for.

    Raises:
      ValueError: there is no such order, or as `make_generate`.
    """
    if order not in get_args(Order):
        raise UsageError(f"no order {order!r}; {nearest(order, get_args(Order))}")
    generate = make_generate(
        model, sampler=sampler, bos=bos, eos=None, pad=pad, allowed=allowed
    )
    vocabulary = model.projection().shape[0]

    def fill(canvas: Canvas, keys: Key[jax.Array, " B"]) -> Filled:
        check_canvas(canvas, vocabulary_size=vocabulary, shift=False)
        check_keys(keys, rows=len(canvas.tokens))
        if order == "certain":
            places, tokens, log_p = _certain_first(canvas, keys, generate)
        else:
            places = _places(canvas, keys, order)
            asked = _prompts(canvas, places)
            done = generate(asked, keys)
            tokens, log_p = done.targets, done.log_probabilities
        count = np.asarray(canvas.open).sum(1).astype(np.int32)
        steps = count * (count + 1) // 2 if order == "certain" else count
        return _filled(canvas, places, tokens, log_p, steps.astype(np.int32), pad=pad)

    return fill


def _places(
    canvas: Canvas, keys: Key[jax.Array, " B"], order: Order
) -> Int32[np.ndarray, "B I"]:
    """Slots of each row: the open ones first, in the order in which they are filled."""
    open = np.asarray(canvas.open)
    by = np.arange(open.shape[1]) * np.ones((len(open), 1))
    if order == "random":
        # Targets count from 0, and -1 folds in no number of theirs.
        now = jax.vmap(jax.random.fold_in, (0, None))(keys, np.uint32(2**32 - 1))
        draw = jax.vmap(lambda key: jax.random.uniform(key, (open.shape[1],)))
        by = np.asarray(draw(now))
    by = np.where(open, by, np.inf)
    return np.argsort(by, axis=1, kind="stable").astype(np.int32)


def _prompts(
    canvas: Canvas,
    places: Int32[np.ndarray, "B I"],
    *,
    targets: Int32[np.ndarray, "B I"] | None = None,
    given: Int32[np.ndarray, " B"] | None = None,
    lengths: Int32[np.ndarray, " B"] | None = None,
) -> Prompts:
    """Known slots as inputs, and targets at `places`: all open ones, none given."""
    tokens, positions, _, open, sizes = map(np.asarray, canvas)
    known = ~open & (np.arange(open.shape[1]) < sizes[:, None])
    first = np.argsort(~known, axis=1, kind="stable")
    count = open.sum(1).astype(np.int32)
    return Prompts(
        inputs=np.take_along_axis(tokens, first, axis=1),
        inputs_positions=np.take_along_axis(positions, first, axis=1),
        inputs_lengths=known.sum(1).astype(np.int32),
        targets=np.zeros_like(tokens) if targets is None else targets,
        targets_positions=np.take_along_axis(positions, places, axis=1),
        given=np.zeros_like(count) if given is None else given,
        lengths=count if lengths is None else lengths,
    )


def _certain_first(
    canvas: Canvas, keys: Key[jax.Array, " B"], generate: Generate
) -> tuple[
    Int32[np.ndarray, "B I"], Int32[np.ndarray, "B I"], Float32[np.ndarray, "B I"]
]:
    """Places in the order in which they were filled; tokens and log-probabilities."""
    left = np.array(canvas.open)
    rows = np.arange(len(left))
    places, tokens = np.zeros(left.shape, np.int32), np.zeros(left.shape, np.int32)
    log_p = np.zeros(left.shape, np.float32)
    for at in range(int(left.sum(1).max())):
        # Row b asks for its j-th open slot in the j-th call: all have one shape.
        given = np.minimum(at, canvas.open.sum(1)).astype(np.int32)
        best = np.full(len(rows), -np.inf)
        chosen, token = places[:, at].copy(), tokens[:, at].copy()
        for j in range(int(left.sum(1).max())):
            asks = left.sum(1) > j
            slot = np.argsort(~left, axis=1, kind="stable")[:, j].astype(np.int32)
            trial = places.copy()
            trial[:, at] = slot
            asked = _prompts(
                canvas, trial, targets=tokens, given=given,
                lengths=(given + asks).astype(np.int32),
            )  # fmt: skip
            done = generate(
                asked, jax.vmap(jax.random.fold_in)(keys, jnp.asarray(slot))
            )
            found = done.log_probabilities[:, at]
            better = asks & ((found > best) | (j == 0))
            chosen = np.where(better, slot, chosen)
            token = np.where(better, done.targets[:, at], token)
            best = np.where(better, np.nan_to_num(found, nan=-np.inf), best)
            log_p[:, at] = np.where(better, found, log_p[:, at])
        asks = left.any(1)
        places[asks, at], tokens[asks, at] = chosen[asks], token[asks]
        left[rows[asks], chosen[asks]] = False
    return places, tokens, log_p


def _filled(
    canvas: Canvas,
    places: Int32[np.ndarray, "B I"],
    targets: Int32[np.ndarray, "B I"],
    log_p: Float32[np.ndarray, "B I"],
    steps: Int32[np.ndarray, " B"],
    *,
    pad: int,
) -> Filled:
    """Targets put back into their places."""
    tokens, _, _, open, lengths = map(np.array, canvas)
    found, filled_in = np.zeros(tokens.shape, np.float32), np.zeros_like(tokens)
    row, number = np.nonzero(np.arange(open.shape[1]) < open.sum(1)[:, None])
    slot = places[row, number]
    tokens[row, slot] = targets[row, number]
    found[row, slot] = log_p[row, number]
    filled_in[row, slot] = number + 1
    used = np.arange(open.shape[1]) < lengths[:, None]
    return Filled(
        tokens=np.where(used, tokens, pad).astype(np.int32),
        log_probabilities=found,
        filled_in=filled_in,
        passes=steps,
        lengths=lengths,
    )
