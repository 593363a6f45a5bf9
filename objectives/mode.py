"""The mode token before the inputs, which tells the model the kind of denoising."""

from typing import Literal

import numpy as np

from .errors import UsageError, nearest, require_acting, require_share
from .example import Example
from .special_ids import MODES, SpecialIds

ShownMode = Literal["none", "R", "S", "X"]


def mode_slots(mode: ShownMode) -> int:
    """Slots that an Example takes at most for its mode token."""
    return int(mode != "none")


def require_mode(objective: str, mode: str, mode_rate: float) -> None:
    """Refuses an unknown mode, a rate outside (0, 1], and a rate of no mode."""
    valid = ("none", *MODES)
    if mode not in valid:
        raise UsageError(f"{objective}.mode is {mode!r}; {nearest(mode, valid)}")
    rate = f"{objective}.mode_rate"
    require_acting(
        rate,
        mode_rate,
        default=1.0,
        acts=mode != "none",
        with_=f'{objective}.mode="R", "S" or "X"',
    )
    require_share(rate, mode_rate, instead={0: f'set {objective}.mode="none"'})


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
      mode_rate: share of the Examples that show it, above 0.
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
