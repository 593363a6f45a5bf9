"""The Example contract: what every objective emits and every row is packed from."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

_ALL = np.zeros(0, np.int32)


class Example(NamedTuple):
    """One training example as flat arrays, independent of the architecture.

    Positions are shared by both parts, so that a target's position says where it
    stands relative to the inputs. A text's first token stands at position 1; the
    slot from which the first target is asked stands one before that target.

    Three fields say what is out of the ordinary; each is empty where nothing is. With
    them inputs see no more than a first part of themselves, and targets are predicted
    in blocks: those that follow each other with the same `targets_sees` are a block,
    whose slots see each other and so many inputs, and predict in place.

    Worked example, `permuted` on the tokens `a b c` with only `b` selected:

        inputs             a c        both see each other
        inputs_positions   1 3
        inputs_targets     0 0        nothing is predicted in place
        inputs_weights     0 0
        targets            b          sees a and c
        targets_positions  2
        targets_weights    1

    Another, `block_diffusion` in its exact form, with blocks of two and `_` the mask:

        inputs             a b        the clean text before the last block
        inputs_positions   1 2
        inputs_sees        2 2        up to the end of the own block
        targets            a b c
        targets_positions  1 2 3
        targets_weights    0 2 1
        targets_shown      a _ _
        targets_sees       0 0 2      two blocks: a b without inputs, c after a and b

    Attributes:
      objective: id of the objective (`registry.Objective.id`).
      inputs: tokens that see each other. May be empty.
      inputs_positions: where they stand.
      inputs_targets: what is predicted at each of them: in place, or the token behind
        it where the first of the inputs is BOS, which stands at position 0.
      inputs_weights: loss weight of that prediction, 0 where there is none.
      targets: tokens predicted one after another; each sees all of `inputs` and
        the targets before it. May be empty.
      targets_positions: where they stand.
      targets_weights: loss weight of each target.
      inputs_sees: how many of the inputs, from the first on, each input sees, itself
        among them. Empty: all.
      targets_shown: what the slot of each target holds, at the target's own position.
        Empty: the target before it, since targets are predicted one after another.
      targets_sees: how many inputs, from the first on, the slot of each target sees.
        Empty where `targets_shown` is.
    """

    objective: int
    inputs: Int32[np.ndarray, " I"]
    inputs_positions: Int32[np.ndarray, " I"]
    inputs_targets: Int32[np.ndarray, " I"]
    inputs_weights: Float32[np.ndarray, " I"]
    targets: Int32[np.ndarray, " J"]
    targets_positions: Int32[np.ndarray, " J"]
    targets_weights: Float32[np.ndarray, " J"]
    inputs_sees: Int32[np.ndarray, " _"] = _ALL
    targets_shown: Int32[np.ndarray, " _"] = _ALL
    targets_sees: Int32[np.ndarray, " _"] = _ALL


class Lengths(NamedTuple):
    """The most that an Example takes of each capacity of a row.

    Attributes:
      inputs: slots for inputs.
      targets: slots for targets.
      inputs_predictions: predictions in place.
      targets_predictions: predictions of targets.
      slots: slots for both; None where both can be at their most at one time.
      apart: why inputs and targets need a stream each, and what else to set; None where
        one stream can hold both.
    """

    inputs: int
    targets: int
    inputs_predictions: int
    targets_predictions: int
    slots: int | None = None
    apart: str | None = None

    @property
    def all_slots(self) -> int:
        """Slots for inputs and targets together."""
        return self.inputs + self.targets if self.slots is None else self.slots


def in_place(
    objective: int, inputs, *, positions, targets, weights, sees=()
) -> Example:
    """An Example that predicts tokens in place, inside a block that sees itself.

    With `sees`, each input sees so many of them, from the first on.
    """
    none = np.zeros(0, np.int32)
    return Example(
        objective=objective,
        inputs=np.asarray(inputs, np.int32),
        inputs_positions=np.asarray(positions, np.int32),
        inputs_targets=np.asarray(targets, np.int32),
        inputs_weights=np.asarray(weights, np.float32),
        targets=none,
        targets_positions=none,
        targets_weights=np.zeros(0, np.float32),
        inputs_sees=np.asarray(sees, np.int32),
    )


def sequential(
    objective: int,
    inputs,
    targets,
    *,
    inputs_positions,
    targets_positions,
    targets_weights=None,
) -> Example:
    """An Example that predicts targets, one after another, after a block.

    Every target is predicted unless `targets_weights` says otherwise.
    """
    inputs = np.asarray(inputs, np.int32)
    targets = np.asarray(targets, np.int32)
    weights = np.ones(len(targets)) if targets_weights is None else targets_weights
    return Example(
        objective=objective,
        inputs=inputs,
        inputs_positions=np.asarray(inputs_positions, np.int32),
        inputs_targets=np.zeros(len(inputs), np.int32),
        inputs_weights=np.zeros(len(inputs), np.float32),
        targets=targets,
        targets_positions=np.asarray(targets_positions, np.int32),
        targets_weights=np.asarray(weights, np.float32),
    )


def in_blocks(
    objective: int,
    inputs,
    targets,
    *,
    inputs_positions,
    inputs_sees,
    targets_positions,
    targets_weights,
    targets_shown,
    targets_sees,
) -> Example:
    """An Example that predicts targets in place, block by block, beside its inputs."""
    example = sequential(
        objective,
        inputs,
        targets,
        inputs_positions=inputs_positions,
        targets_positions=targets_positions,
        targets_weights=targets_weights,
    )
    return example._replace(
        inputs_sees=np.asarray(inputs_sees, np.int32),
        targets_shown=np.asarray(targets_shown, np.int32),
        targets_sees=np.asarray(targets_sees, np.int32),
    )


def predicts_next(example: Example, *, bos: int) -> bool:
    """Whether what is predicted at an input is the token behind it, not its own."""
    return len(example.inputs) > 0 and int(example.inputs[0]) == bos
