"""What is asked of a model that fills in place: a text with open slots."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int, Int32

from ...objectives.errors import UsageError, require_count
from ..rows import Array, Stream
from .prompt_rows import unscored_stream


class Canvas(NamedTuple):
    """A batch of texts whose open slots are to be filled.

    Rows are padded on the right; what stands in the padding is never read. Slot s of
    a row sees the slots `[0, visible_to[s])`: all of its row after masked training, up
    to the end of its own block after block diffusion.

    Worked example, `a _ _ d` in two blocks of two:

        tokens      a _ _ d      `_` is what training showed there, the mask
        positions   1 2 3 4
        visible_to  2 2 4 4
        open        0 1 1 0

    Attributes:
      tokens: known ones, and what an open slot holds until it is filled.
      positions: where the slots stand.
      visible_to: one past the last slot that each sees.
      open: slots to fill.
      lengths: how many slots a row has.
    """

    tokens: Int32[Array, "B I"]
    positions: Int32[Array, "B I"]
    visible_to: Int32[Array, "B I"]
    open: Bool[Array, "B I"]
    lengths: Int32[Array, " B"]


def canvas(
    tokens: Sequence[Int[np.ndarray, " _"]],
    *,
    open: Sequence[Bool[np.ndarray, " _"]],
    slots: int,
    positions: Sequence[Int[np.ndarray, " _"]] | None = None,
    visible_to: Sequence[Int[np.ndarray, " _"]] | None = None,
) -> Canvas:
    """A canvas of texts of unequal length.

    Args:
      tokens: of each row; what open slots hold is shown to the model, so set it to
        the mask (or to the token of a text to restore).
      open: of each row, the slots to fill.
      slots: I, the width that rows are padded to. One width for all means one
        compiled program.
      positions: of each row; None counts from 1, as training does. A row that begins
        with BOS, as where `shift` is trained, counts from 0.
      visible_to: of each row; None: all slots see all.

    Raises:
      ValueError: a row is longer than `slots`, or arrays of a row differ in length.
    """
    sizes = [len(row) for row in tokens]
    if positions is None:
        positions = [1 + np.arange(size) for size in sizes]
    if visible_to is None:
        visible_to = [np.full(size, size) for size in sizes]
    return Canvas(
        tokens=_padded("tokens", tokens, sizes, slots).astype(np.int32),
        positions=_padded("positions", positions, sizes, slots).astype(np.int32),
        visible_to=_padded("visible_to", visible_to, sizes, slots).astype(np.int32),
        open=_padded("open", open, sizes, slots).astype(bool),
        lengths=np.array(sizes, np.int32),
    )


def block_ends(
    length: int, *, block: int, first: int | None = None
) -> Int32[np.ndarray, " length"]:
    """`visible_to` of a row in blocks: each slot sees up to the end of its own.

    Args:
      length: slots of the row.
      block: slots of a block; the last one may have fewer.
      first: slots of the first block, say a prompt, or BOS with the first tokens;
        None: as many as the others.
    """
    require_count("block", block)
    first = block if first is None else first
    slot = np.arange(length)
    number = np.maximum(slot - first, -1) // block + 1  # 0 is the first block
    return np.minimum(first + number * block, length).astype(np.int32)


def canvas_stream(canvas: Canvas) -> Stream:
    """The rows as training lays out their Examples, one a row."""
    used = jnp.arange(canvas.tokens.shape[1]) < jnp.asarray(canvas.lengths)[:, None]
    positions = jnp.where(used, canvas.positions, 0)
    return unscored_stream(
        jnp.where(used, canvas.tokens, 0),
        positions,
        positions,
        jnp.where(used, canvas.visible_to, 0),
    )


def check_canvas(canvas: Canvas, *, vocabulary_size: int, shift: bool) -> None:
    """Refuses a canvas whose shapes or values fit neither each other nor the model.

    Raises:
      ValueError: what is wrong, in which row, and what fits.
    """
    shape = np.shape(canvas.tokens)
    if len(shape) != 2 or 0 in shape:
        raise UsageError(
            f"tokens of a canvas have the shape {shape}; give [B, I] with B ≥ 1 and "
            "I ≥ 1."
        )
    wanted = (shape,) * 4 + (shape[:1],)
    for name, array, size in zip(Canvas._fields, canvas, wanted, strict=True):
        if np.shape(array) != size:
            raise UsageError(
                f"{name} of a canvas has the shape {np.shape(array)}; beside tokens of "
                f"{shape} it must be {size}."
            )
    tokens, _, visible_to, open, lengths = map(np.asarray, canvas)
    slot = np.arange(shape[1])
    used = slot < lengths[:, None]
    _refuse(
        (lengths < 0) | (lengths > shape[1]),
        lambda row: f"lengths[{row}] is {lengths[row]}; set it within [0, {shape[1]}].",
    )
    _refuse(
        used & ((tokens < 0) | (tokens >= vocabulary_size)),
        lambda row, at: (
            f"tokens[{row}, {at}] is {tokens[row, at]}, which is no id of "
            f"the model's vocabulary; take ids in [0, {vocabulary_size})."
        ),
    )
    _refuse(
        used & ((visible_to < 1) | (visible_to > lengths[:, None])),
        lambda row, at: (
            f"visible_to[{row}, {at}] is {visible_to[row, at]}; set it "
            f"within [1, {lengths[row]}], the length of the row."
        ),
    )
    _refuse(
        open & ~used,
        lambda row, at: (
            f"open[{row}, {at}] is set behind the row's {lengths[row]} "
            "slots; open slots within them."
        ),
    )
    _refuse(
        open & (slot == 0) & shift,
        lambda row, at: (
            f"open[{row}, {at}] is set, but with `shift` the slot before "
            "predicts a token, and there is none; begin the row with BOS."
        ),
    )


def check_blocks(canvas: Canvas, *, block: int | None) -> None:
    """Refuses rows that are not in blocks, one after another, of at most `block` slots.

    None is any number of slots.

    Raises:
      ValueError: naming the first slot that is in none.
    """
    visible_to, lengths = np.asarray(canvas.visible_to), np.asarray(canvas.lengths)
    for row, length in enumerate(lengths.tolist()):
        ends, start = visible_to[row, :length], 0
        opened = np.flatnonzero(np.asarray(canvas.open)[row])
        first = opened[0] if len(opened) else length
        while start < length:
            end = int(ends[start])
            if not (end > start and (ends[start:end] == end).all()):
                raise UsageError(
                    f"slot {start} of row {row} sees up to slot {end}, and slots up to "
                    "there see elsewhere; blocks see themselves and those before them "
                    "(`block_ends`)."
                )
            if block is not None and end - start > block and end > first:
                raise UsageError(
                    f"slots {start} to {end - 1} of row {row} are a block of "
                    f"{end - start}; set block={end - start} or more."
                )
            start = end


def _refuse(wrong: np.ndarray, message) -> None:
    if wrong.any():
        raise UsageError(message(*(int(at) for at in np.argwhere(wrong)[0])))


def _padded(
    name: str, rows: Sequence[np.ndarray], sizes: Sequence[int], width: int
) -> np.ndarray:
    if len(rows) != len(sizes):
        raise UsageError(
            f"{len(sizes)} rows of tokens came with {len(rows)} of {name}; give one "
            "for each."
        )
    out = np.zeros((len(rows), width), np.int64)
    for number, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        if size > width:
            raise UsageError(
                f"row {number} has {size} tokens, more than the {width} that rows are "
                f"padded to; set slots={size} or more."
            )
        if len(row) != size:
            raise UsageError(
                f"row {number} has {size} tokens and {len(row)} {name}; give one for "
                "each token."
            )
        out[number, :size] = row
    return out
