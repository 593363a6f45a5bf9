"""Targets that are predicted in blocks: what their slots see.

A block is a run of targets of one Example that see as many of its inputs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, Int64

from ...objectives.errors import UsageError


class Blocks(NamedTuple):
    """What decoder slots see of an Example whose targets are predicted in blocks.

    Attributes:
      visible_from: the first slot of its own stream that each sees; else it is 0.
      memory_to: how many encoder slots each sees, from the first on; else it is all.
    """

    visible_from: Int32[np.ndarray, " n"]
    memory_to: Int32[np.ndarray, " n"]


def blocks_of(
    sees: Sequence[Int32[np.ndarray, " _"]],
    inputs: Int64[np.ndarray, " N"],
    targets: Int64[np.ndarray, " N"],
    *,
    one_stream: bool,
) -> Blocks | None:
    """What decoder slots see, if the targets of any Example are predicted in blocks.

    Args:
      sees: inputs that the slot of each target sees (`Example.targets_sees`).
      inputs: number of each Example's inputs.
      targets: number of each Example's targets.
      one_stream: whether inputs stand before the targets, or in an encoder.

    Raises:
      UsageError: inputs that a slot sees do not meet its block in one stream.
    """
    if not any(map(len, sees)):
        return None
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for each, size, behind in zip(sees, inputs.tolist(), targets.tolist(), strict=True):
        before = size if one_stream else 0
        begin = np.zeros(before + behind, np.int32)
        memory = np.full(before + behind, size, np.int32)
        if len(each):
            start = before + block_bounds(each)[0]
            if one_stream and ((each > 0) & ((each < size) | (start > size))).any():
                raise UsageError(
                    "an Example predicts its targets in blocks, each of which sees "
                    "itself and a part of the inputs: two intervals, of which a slot "
                    "of a decoder has one; use encoder_decoder_rows."
                )
            begin[before:] = np.where(one_stream & (each > 0), 0, start)
            memory[before:] = each
        parts.append((begin, memory))
    return Blocks(*map(np.concatenate, zip(*parts, strict=True)))


def block_bounds(
    sees: Int32[np.ndarray, " J"],
) -> tuple[Int64[np.ndarray, " J"], Int64[np.ndarray, " J"]]:
    """The first target of the block of each target, and the one behind its last."""
    heads = np.flatnonzero(np.diff(sees, prepend=-1))
    sizes = np.diff(heads, append=len(sees))
    return np.repeat(heads, sizes), np.repeat(heads + sizes, sizes)
