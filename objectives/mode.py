"""The mode token before the inputs, which tells the model the kind of denoising."""

from typing import Literal

import numpy as np

from .errors import UsageError, nearest, require_share
from .example import Example
from .special_ids import MODES, SpecialIds

ShownMode = Literal["none", "R", "S", "X"]


def mode_slots(mode: ShownMode, mode_rate: float) -> int:
    """Slots that an Example takes at most for its mode token."""
    return int(mode != "none" and mode_rate > 0)


def require_mode(objective: str, mode: str, mode_rate: float) -> None:
    """Refuses an unknown mode, and a rate outside [0, 1]."""
    valid = ("none", *MODES)
    if mode not in valid:
        raise UsageError(f"{objective}.mode is {mode!r}; {nearest(mode, valid)}")
    require_share(f"{objective}.mode_rate", mode_rate)


def with_mode(
    example: Example,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    mode: ShownMode,
    mode_rate: float,
) -> Example:
    """Puts a mode token before the inputs in a share of the Examples.

    UL2 (Tay et al. 2022, §3.1.2). The token stands at position 0, where nothing else
    does, so that no other position depends on whether it is shown. A model that sees
    it every time needs it ever after, so it can be left out at times.

    Args:
      example: its inputs are the text to restore or to continue.
      rng: drawn from only where `mode` is not "none".
      ids: reserved ids.
      mode: which token, or "none".
      mode_rate: share of the Examples that show it.
    """
    if mode == "none":
        return example
    ids.mode(mode)  # a vocabulary without it is refused, shown or not
    if rng.random() >= mode_rate:
        return example
    return show_mode(example, ids, mode=mode)


def show_mode(example: Example, ids: SpecialIds, *, mode: ShownMode) -> Example:
    """The Example with a mode token at position 0, before its inputs."""
    if mode == "none":
        return example
    front = {
        "inputs": ids.mode(mode),
        "inputs_positions": 0,
        "inputs_targets": 0,
        "inputs_weights": 0,
    }
    return example._replace(
        **{
            field: np.insert(getattr(example, field), 0, value)
            for field, value in front.items()
        }
    )
