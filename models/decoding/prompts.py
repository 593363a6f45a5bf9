"""What is asked of a model that generates: inputs, forced targets, and free ones."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from ...objectives.errors import UsageError
from ...objectives.example import Example
from ..rows import Array


class Prompts(NamedTuple):
    """A batch of Examples whose last targets are to be generated.

    Rows are padded on the right; what stands in the padding is never read. Targets
    are generated in the order in which they are listed, each at its own position: for
    left-to-right text positions ascend, for infilling in any order they need not.

    Worked example, the row in which `a ? c ?` is to be filled, last gap first, by a
    model of permuted order: inputs `a c` at positions `1 3`, targets `? ?` at
    `4 2`, given 0, lengths 2.

    Attributes:
      inputs: tokens that all see each other. I may be 0.
      inputs_positions: where they stand.
      inputs_lengths: how many of them a row has; 0 is legal.
      targets: tokens predicted one after another; only the given ones are read.
      targets_positions: where they stand, the free ones too.
      given: how many leading targets are forced, a prompt.
      lengths: the most targets that a row has, given ones included.
    """

    inputs: Int32[Array, "B I"]
    inputs_positions: Int32[Array, "B I"]
    inputs_lengths: Int32[Array, " B"]
    targets: Int32[Array, "B J"]
    targets_positions: Int32[Array, "B J"]
    given: Int32[Array, " B"]
    lengths: Int32[Array, " B"]


def prompts(
    examples: Sequence[Example],
    *,
    given: Sequence[int],
    inputs: int,
    targets: int,
    lengths: Sequence[int] | None = None,
) -> Prompts:
    """Asks for the targets of Examples from the `given`-th on.

    Args:
      examples: B of them. Tokens of free targets are placeholders of any value.
      given: of each, how many leading targets are forced.
      inputs: I, the width that inputs are padded to. One width for all means one
        compiled program.
      targets: J, likewise.
      lengths: of each, the most targets; None: as many as the Example has. Those that
        it lacks stand one after another behind its last.

    Raises:
      ValueError: a width is exceeded, there is not one `given` and one length for each
        Example, or one has no target, so that nothing says where it is to go on; or
        an Example whose targets do not follow one another after inputs that all see
        each other.
    """
    for number, example in enumerate(examples):
        if len(example.inputs_sees) or len(example.targets_shown):
            raise UsageError(
                f"Example {number} is written in blocks, and prompts are of targets "
                "that follow one another; fill it in place, or ask in another mode."
            )
    sizes = [len(e.targets) for e in examples] if lengths is None else lengths
    if not len(given) == len(sizes) == len(examples):
        raise UsageError(
            f"{len(examples)} Examples came with {len(given)} values of `given` and "
            f"{len(sizes)} of `lengths`; give one for each."
        )
    stand = [_positions(*pair) for pair in zip(examples, sizes, strict=True)]
    known = [e.targets[:size] for e, size in zip(examples, sizes, strict=True)]
    return Prompts(
        inputs=_padded([e.inputs for e in examples], inputs, "inputs"),
        inputs_positions=_padded(
            [e.inputs_positions for e in examples], inputs, "inputs"
        ),
        inputs_lengths=np.array([len(e.inputs) for e in examples], np.int32),
        targets=_padded(known, targets, "targets"),
        targets_positions=_padded(stand, targets, "targets"),
        given=np.array(given, np.int32),
        lengths=np.array(sizes, np.int32),
    )


def _positions(example: Example, size: int) -> Int32[np.ndarray, " J"]:
    """Where `size` targets stand."""
    known = example.targets_positions
    if not len(known) and size:
        raise UsageError(
            f"an Example without targets came with the length {size}, and nothing says "
            f"where they stand; give it at least a first target."
        )
    more = np.arange(1, size - len(known) + 1) + (known[-1] if len(known) else 0)
    return np.concatenate([known, more])[:size].astype(np.int32)


def _padded(
    rows: Sequence[Int32[np.ndarray, " _"]], width: int, name: str
) -> Int32[np.ndarray, "B width"]:
    out = np.zeros((len(rows), width), np.int32)
    for number, row in enumerate(rows):
        if len(row) > width:
            raise UsageError(
                f"Example {number} has {len(row)} {name}, more than the {width} that "
                f"rows are padded to; set {name}={len(row)} or more."
            )
        out[number, : len(row)] = row
    return out
