"""How much room an Example may take, and how much raw text fits in it."""

import dataclasses
from collections.abc import Callable, Mapping

from .errors import UsageError, nearest
from .example import Lengths


@dataclasses.dataclass(frozen=True)
class Budget:
    """Upper bounds on one Example; None is no bound.

    A decoder lays inputs and targets into one stream and is bounded by `slots` and
    `predictions`; an encoder–decoder bounds each part by itself.

    Attributes:
      inputs: slots for inputs.
      targets: slots for targets.
      slots: slots for both together.
      inputs_predictions: predictions in place.
      targets_predictions: predictions of targets.
      predictions: both together.
    """

    inputs: int | None = None
    targets: int | None = None
    slots: int | None = None
    inputs_predictions: int | None = None
    targets_predictions: int | None = None
    predictions: int | None = None

    @classmethod
    def from_sequence_length(cls, sequence_length: Mapping[str, int]) -> "Budget":
        """Reads SeqIO's `sequence_length`, whose keys are this class's fields."""
        known = [field.name for field in dataclasses.fields(cls)]
        for key in sequence_length:
            if key not in known:
                raise UsageError(
                    f"sequence_length has the key {key!r}; {nearest(key, known)}"
                )
        return cls(**sequence_length)

    def fits(self, need: Lengths) -> bool:
        """Whether an Example of these lengths stays within every bound."""
        pairs = (
            (need.inputs, self.inputs),
            (need.targets, self.targets),
            (need.all_slots, self.slots),
            (need.inputs_predictions, self.inputs_predictions),
            (need.targets_predictions, self.targets_predictions),
            (need.inputs_predictions + need.targets_predictions, self.predictions),
        )
        return all(bound is None or size <= bound for size, bound in pairs)


def largest_window(
    lengths: Callable[[int], Lengths | None], budget: Budget, *, limit: int = 1 << 20
) -> int:
    """The largest number of raw tokens whose Example fits the budget; 0 if none does.

    T5 grows its raw length the same way: 568 raw tokens for 512 inputs and 114
    targets (t5 `random_spans_helper`). Lengths grow with the raw length, but for
    rounding steps of one, so a bisection ends beside the answer and a short walk
    finds it.

    Args:
      lengths: an Example's lengths for a number of raw tokens, None where the
        objective does not take that many.
      budget: the bounds.
      limit: the most raw tokens to consider.
    """

    def fits(tokens: int) -> bool:
        need = lengths(tokens)
        return need is not None and budget.fits(need)

    low = next((n for n in range(1, 65) if fits(n)), None)
    if low is None:
        return 0
    high = limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    while low < limit and fits(low + 1):
        low += 1
    return low
