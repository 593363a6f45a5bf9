"""The Example contract: what every objective emits and every row is packed from."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32


class Example(NamedTuple):
    """One training example as flat arrays, independent of the architecture.

    Positions are shared by both parts, so that a target's position says where it
    stands relative to the inputs. A text's first token stands at position 1; the
    slot from which the first target is asked stands one before that target.

    Worked example, `permuted` on the tokens `a b c` with only `b` selected:

        inputs             a c        both see each other
        inputs_positions   1 3
        inputs_targets     0 0        nothing is predicted in place
        inputs_weights     0 0
        targets            b          sees a and c
        targets_positions  2
        targets_weights    1

    Attributes:
      objective: id of the objective (`registry.Objective.id`).
      inputs: tokens that all see each other. May be empty.
      inputs_positions: where they stand.
      inputs_targets: what is predicted in place at each of them.
      inputs_weights: loss weight of that prediction, 0 where there is none.
      targets: tokens predicted one after another; each sees all of `inputs` and
        the targets before it. May be empty.
      targets_positions: where they stand.
      targets_weights: loss weight of each target.
    """

    objective: int
    inputs: Int32[np.ndarray, " I"]
    inputs_positions: Int32[np.ndarray, " I"]
    inputs_targets: Int32[np.ndarray, " I"]
    inputs_weights: Float32[np.ndarray, " I"]
    targets: Int32[np.ndarray, " J"]
    targets_positions: Int32[np.ndarray, " J"]
    targets_weights: Float32[np.ndarray, " J"]


class Lengths(NamedTuple):
    """The most that an Example takes of each capacity of a row.

    Attributes:
      inputs: slots for inputs.
      targets: slots for targets.
      inputs_predictions: predictions in place.
      targets_predictions: predictions of targets.
      slots: slots for both; None where both can be at their most at one time.
    """

    inputs: int
    targets: int
    inputs_predictions: int
    targets_predictions: int
    slots: int | None = None

    @property
    def all_slots(self) -> int:
        """Slots for inputs and targets together."""
        return self.inputs + self.targets if self.slots is None else self.slots


def in_place(objective: int, inputs, *, positions, targets, weights) -> Example:
    """An Example that predicts tokens in place, inside a block that sees itself."""
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
