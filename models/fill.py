"""Filling a canvas: passes over all of its slots, or over one block with a cache."""

import math
from collections.abc import Callable
from typing import NamedTuple, get_args

import jax
import numpy as np
from flax import nnx
from jaxtyping import Bool, Float32, Int32, Key

from ..objectives.errors import UsageError, nearest, require_count
from .build import Model
from .canvas import Canvas, check_blocks, check_canvas
from .decoder import Decoder
from .filling import Order, fill_passes
from .prompt_check import check_ids, check_keys
from .samplers import Sampler


class Filled(NamedTuple):
    """The canvas, filled.

    Attributes:
      tokens: known ones as they came, filled ones, then `pad` behind a row's end.
      log_probabilities: log p of each filled token, in nats, in the pass that filled
        it, under the model's own softmax over the whole vocabulary. 0 for all others.
      filled_in: number, from 1, of the row's pass that filled each slot; 0 for others.
      passes: how often the model looked at each row; with a cache, one more for each
        block that is kept.
      lengths: slots of each row, an EOS that ended it included.
    """

    tokens: Int32[np.ndarray, "B I"]
    log_probabilities: Float32[np.ndarray, "B I"]
    filled_in: Int32[np.ndarray, "B I"]
    passes: Int32[np.ndarray, " B"]
    lengths: Int32[np.ndarray, " B"]


Fill = Callable[[Canvas, Key[jax.Array, " B"]], Filled]


def make_fill(
    model: Model,
    *,
    sampler: Sampler,
    order: Order = "certain",
    per_pass: int = 1,
    threshold: float | None = None,
    shift: bool = False,
    block: int | None = None,
    eos: int | None = None,
    pad: int = 0,
    allowed: Bool[np.ndarray, " V"] | None = None,
) -> Fill:
    """Fills open slots in place, with a model that was trained to (masked, diffusion).

    Each pass runs the model, draws a token for every open slot from what it predicts
    there, and keeps some of them; the next pass sees those. Blocks are filled one
    after another: of the open slots of a row, only those that see as far as its first
    open one. Inside a block, slots are filled in an order:

        certain        the most probable first (MaskGIT, Chang et al. 2022; LLaDA, Nie
                       et al. 2025); of equals the first slot
        left_to_right  the first slot first
        random         every order equally likely, drawn once for a row

    A pass fills the first `per_pass` of that order, or more: up to the first whose
    token is less probable than `threshold` (Fast-dLLM, Wu et al. 2025). With a
    threshold, the fewest passes where the model is sure, and `per_pass=1` where not.

    An encoder–decoder fills its encoder stream, where it was trained to predict in
    place. A model of the same configuration with the same settings finds the compiled
    program again; `per_pass` and `threshold` compile nothing.

    Args:
      model: of either architecture. On a mesh, the `sequence` axis must be 1.
      sampler: of `models.samplers`.
      order: in which the slots of a block are filled.
      per_pass: slots of a row that a pass fills at least, while there are as many.
      threshold: a probability in (0, 1]; None: no pass fills more.
      shift: whether slot i-1 predicts the token of slot i.
      block: the most slots of a block. With it, keys and values of the blocks before
        are kept and a pass runs one block; what is filled is the same. Only for a
        decoder model, and a canvas in such blocks (`canvas.block_ends`). None runs all
        slots in every pass.
      eos: the filled token that ends a row, once all slots before it are filled; None
        where every row has its full length.
      pad: fills slots behind a row's end.
      allowed: ids that may be filled in; None allows all.

    Returns:
      `(canvas, keys) -> Filled`. Key b is all of row b's randomness: a row's result is
      a function of the row and its key. It raises ValueError for a canvas whose shapes
      or values do not fit, before it computes.

    Raises:
      ValueError: a setting out of range, an id outside of the vocabulary, `allowed` of
        another size or without a token, or a `block` for an encoder–decoder.
    """
    graph, params = nnx.split(model)
    vocabulary = model.projection().shape[0]
    ids = np.ones(vocabulary, bool) if allowed is None else allowed
    check_ids(vocabulary, ids, bos=0, eos=eos, pad=pad)
    _check_settings(model, order, per_pass, threshold, block)
    sure = math.inf if threshold is None else math.log(threshold)
    numbers = np.int32(per_pass), np.float32(sure), np.int32(-1 if eos is None else eos)
    static = dict(graph=graph, sampler=sampler, order=order, shift=int(shift))

    def fill(canvas: Canvas, keys: Key[jax.Array, " B"]) -> Filled:
        check_canvas(canvas, vocabulary_size=vocabulary, shift=shift)
        check_keys(keys, rows=len(canvas.tokens))
        if block is not None:
            check_blocks(canvas, block=block)
        width = None if block is None else min(block, canvas.tokens.shape[1])
        state = fill_passes(params, canvas, keys, ids, *numbers, **static, block=width)
        return _filled(canvas, *map(np.asarray, state), eos=eos, pad=pad)

    return fill


def _check_settings(
    model: Model,
    order: str,
    per_pass: int,
    threshold: float | None,
    block: int | None,
) -> None:
    if order not in get_args(Order):
        raise UsageError(f"no order {order!r}; {nearest(order, get_args(Order))}")
    require_count("per_pass", per_pass)
    if threshold is not None and not 0.0 < threshold <= 1.0:
        raise UsageError(
            f"threshold is {threshold}; it is a probability, so set it within (0, 1], "
            "or to None, which fills `per_pass` slots a pass."
        )
    if block is None:
        return
    require_count("block", block)
    if not isinstance(model, Decoder):
        raise UsageError(
            f"block={block} came with an encoder–decoder, which fills its encoder "
            "stream and keeps nothing of it; set block=None."
        )


def _filled(
    canvas: Canvas,
    tokens: np.ndarray,
    log_p: np.ndarray,
    filled_in: np.ndarray,
    passes: np.ndarray,
    *,
    eos: int | None,
    pad: int,
) -> Filled:
    """Cuts rows behind the first EOS that was filled in."""
    lengths, width = np.array(canvas.lengths), tokens.shape[1]
    if eos is not None:
        ends = (filled_in > 0) & (tokens == eos)
        lengths = np.where(ends.any(1), ends.argmax(1) + 1, lengths)
    used = np.arange(width) < lengths[:, None]
    return Filled(
        tokens=np.where(used, tokens, pad).astype(np.int32),
        log_probabilities=np.where(used, log_p, 0).astype(np.float32),
        filled_in=np.where(used, filled_in, 0).astype(np.int32),
        passes=passes.astype(np.int32),
        lengths=lengths.astype(np.int32),
    )
