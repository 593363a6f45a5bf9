"""Filling a canvas: passes over all of its slots, or over one block with a cache."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple, get_args

import jax
import numpy as np
from flax import nnx
from jaxtyping import Bool, Float32, Int32, Key

from ...objectives.errors import UsageError, nearest, require_count
from ..build import Model
from ..decoder import Decoder
from .canvas import Canvas, check_blocks, check_canvas
from .filling import Order, advance, begin
from .generate import Ends
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


class FilledSoFar(NamedTuple):
    """A canvas after some passes.

    Attributes:
      filled: what is filled; open slots hold what they held.
      open: slots that are still open; of a row that is done, none.
    """

    filled: Filled
    open: Bool[np.ndarray, "B I"]


Fill = Callable[[Canvas, Key[jax.Array, " B"]], Filled]

_Run = Callable[[Canvas, Key[jax.Array, " B"], int, Ends | None], Iterator[FilledSoFar]]


class Filler:
    """`(canvas, keys) -> Filled`, of `make_fill`; also pass by pass, with `stream`."""

    def __init__(self, run: _Run):
        self._run = run

    def __call__(self, canvas: Canvas, keys: Key[jax.Array, " B"]) -> Filled:
        """Fills all open slots."""
        return next(self._run(canvas, keys, 2**31 - 1, None)).filled

    def stream(
        self,
        canvas: Canvas,
        keys: Key[jax.Array, " B"],
        *,
        passes: int = 1,
        ends: Ends | None = None,
    ) -> Iterator[FilledSoFar]:
        """The same programs, so the same tokens bit for bit, in pieces.

        Args:
          canvas: to fill.
          keys: one a row.
          passes: between two pieces.
          ends: is asked after each piece about each row that was not done, with its
            tokens from its first open slot of all up to the first that is still open:
            text that goes on behind a prompt. Where it answers, so many of them are
            kept and the row is done, as for `generate.make_stream`.
        """
        require_count("passes", passes)
        return self._run(canvas, keys, passes, ends)


def make_fill(
    model: Model,
    *,
    sampler: Sampler,
    order: Order = "certain",
    per_pass: int = 1,
    threshold: float | None = None,
    shift: bool = False,
    block: int | None = None,
    exact: bool = False,
    eos: int | None = None,
    pad: int = 0,
    allowed: Bool[np.ndarray, " V"] | None = None,
) -> Filler:
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
    place; or with `exact` its decoder stream (block diffusion, BD3-LM, Arriola et al.
    2025): each block sees itself, and the blocks before it in the encoder. A model of
    the same configuration with the same settings finds the compiled program again;
    `per_pass` and `threshold` compile nothing.

    Args:
      model: of either architecture. On a mesh, the `sequence` axis must be 1.
      sampler: of `models.decoding.samplers`.
      order: in which the slots of a block are filled.
      per_pass: slots of a row that a pass fills at least, while there are as many.
      threshold: a probability in (0, 1]; None: no pass fills more.
      shift: whether slot i-1 predicts the token of slot i.
      block: the most slots of a block. With it, keys and values of the blocks before
        are kept and a pass runs one block; what is filled is the same. Only for a
        decoder model, and a canvas in such blocks (`canvas.block_ends`). None runs all
        slots in every pass.
      exact: whether an encoder–decoder fills its decoder stream.
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
        another size or without a token, a `block` for an encoder–decoder, or `exact`
        for a decoder model or with `shift`.
    """
    graph, params = nnx.split(model)
    vocabulary = model.projection().shape[0]
    ids = np.ones(vocabulary, bool) if allowed is None else allowed
    check_ids(vocabulary, ids, bos=0, eos=eos, pad=pad)
    _check_settings(order, per_pass, threshold)
    _check_form(model, shift=shift, block=block, exact=exact)
    sure = math.inf if threshold is None else math.log(threshold)
    numbers = np.int32(per_pass), np.float32(sure), np.int32(-1 if eos is None else eos)
    static = dict(sampler=sampler, order=order, shift=int(shift), exact=exact)

    def run(
        canvas: Canvas, keys: Key[jax.Array, " B"], passes: int, ends: Ends | None
    ) -> Iterator[FilledSoFar]:
        check_canvas(canvas, vocabulary_size=vocabulary, shift=shift)
        check_keys(keys, rows=len(canvas.tokens))
        if block is not None or exact:
            check_blocks(canvas, block=block)
        form = dict(graph=graph, block=block and min(block, canvas.tokens.shape[1]))

        def pieces() -> Iterator[FilledSoFar]:
            keep, before = np.array(canvas.lengths), np.asarray(canvas.open)
            first = before.argmax(1)
            state = begin(params, canvas, **form)
            while True:
                state = advance(
                    params, canvas, keys, ids, *numbers, keep, np.int32(passes), state,
                    **form, **static,
                )  # fmt: skip
                # Copies: the next piece writes into what these arrays show.
                tokens, open, *rest = (np.array(x) for x in state[:5])
                filled = _filled(keep, tokens, *rest, eos=eos, pad=pad)
                if ends is not None:
                    for row in np.flatnonzero(before.any(1)).tolist():
                        _end(ends, row, int(first[row]), filled, open, keep)
                    filled = _filled(keep, tokens, *rest, eos=eos, pad=pad)
                before = open
                yield FilledSoFar(filled, open)
                if not open.any():
                    return

        return pieces()

    return Filler(run)


def _end(
    ends: Ends,
    row: int,
    first: int,
    filled: Filled,
    open: Bool[np.ndarray, "B I"],
    keep: Int32[np.ndarray, " B"],
) -> None:
    """Asks about a row filled from slot `first` on; ends it in `open` and `keep`."""
    size = int(open[row].argmax() if open[row].any() else filled.lengths[row])
    kept = ends(row, filled.tokens[row, first:size]) if size > first else None
    if kept is not None:
        keep[row], open[row] = first + kept, False


def _check_settings(order: str, per_pass: int, threshold: float | None) -> None:
    if order not in get_args(Order):
        raise UsageError(f"no order {order!r}; {nearest(order, get_args(Order))}")
    require_count("per_pass", per_pass)
    if threshold is not None and not 0.0 < threshold <= 1.0:
        raise UsageError(
            f"threshold is {threshold}; it is a probability, so set it within (0, 1], "
            "or to None, which fills `per_pass` slots a pass."
        )


def _check_form(model: Model, *, shift: bool, block: int | None, exact: bool) -> None:
    if block is not None:
        require_count("block", block)
        if not isinstance(model, Decoder):
            raise UsageError(
                f"block={block} came with an encoder–decoder, of whose passes nothing "
                "is kept; set block=None."
            )
    if exact and (isinstance(model, Decoder) or shift):
        given = "shift" if shift else "a decoder model"
        raise UsageError(
            f"exact came with {given}; blocks that see the clean ones before them are "
            "in the decoder stream of an encoder–decoder, and predict in place: set "
            "exact=False."
        )


def _filled(
    keep: Int32[np.ndarray, " B"],
    tokens: Int32[np.ndarray, "B I"],
    log_p: Float32[np.ndarray, "B I"],
    filled_in: Int32[np.ndarray, "B I"],
    passes: Int32[np.ndarray, " B"],
    *,
    eos: int | None,
    pad: int,
) -> Filled:
    """Cuts rows behind the first EOS that was filled in, or what `keep` says."""
    slot, lengths = np.arange(tokens.shape[1]), keep.copy()
    if eos is not None:
        ends = (filled_in > 0) & (tokens == eos) & (slot < keep[:, None])
        lengths = np.where(ends.any(1), ends.argmax(1) + 1, keep).astype(np.int32)
    used = slot < lengths[:, None]
    return Filled(
        tokens=np.where(used, tokens, pad).astype(np.int32),
        log_probabilities=np.where(used, log_p, 0).astype(np.float32),
        filled_in=np.where(used, filled_in, 0).astype(np.int32),
        passes=passes,
        lengths=lengths,
    )
