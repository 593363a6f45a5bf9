"""The file of a study's effects, which the memo reads.

`results/effects.json` holds the fields of `Effects` by name. Rates and loss shares sum
to 1.
"""

from pathlib import Path

from ...objectives.errors import UsageError, nearest
from ..failures.registry import names
from . import json_file
from .effects import Effects

SHIPPED = Path(__file__).with_name("effects.json")
"""The effects of the committed study."""


def shipped() -> Effects:
    """The effects of the committed study; raises as `read` does."""
    return read(SHIPPED)


def write(path: Path, effects: Effects) -> None:
    """Writes the effects of a study atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    json_file.write(path, effects, indent=1, allow_nan=False)


def read(path: Path) -> Effects:
    """Reads what `write` wrote.

    Raises:
      UsageError: the file is refused by `json_file.read`, an interval is upside down,
        a failure is unknown, or the incumbent is no mix. The message says where.
    """
    effects = json_file.read(path, Effects, finite=True)
    for name, mix in effects.mixes.items():
        for figure in (mix.own_loss, *mix.effects):
            if figure and figure.low > figure.high:
                raise UsageError(
                    f"{path}: $.mixes.{name}: interval [{figure.low}, {figure.high}] "
                    "is upside down."
                )
        for effect in mix.effects:
            if effect.failure not in names():
                raise UsageError(
                    f"{path}: $.mixes.{name}: no failure {effect.failure!r}; "
                    + nearest(effect.failure, names())
                )
    if effects.mixes and effects.incumbent not in effects.mixes:
        raise UsageError(
            f"{path}: $.incumbent: no mix {effects.incumbent!r}; "
            + nearest(effects.incumbent, effects.mixes)
        )
    return effects
