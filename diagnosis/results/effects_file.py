"""The file that carries a study's effects to the memo.

`results/effects.json` holds `Effects`, every field of it by its name. Its rates and
shares are by objective, summing to 1, and its settings by objective or variant.
"""

from pathlib import Path

from ...objectives.errors import UsageError, nearest
from . import json_file
from .effects import Effects

SHIPPED = Path(__file__).with_name("effects.json")
"""What the committed study measured."""


def shipped() -> Effects:
    """What the committed study measured; raises as `read` does."""
    return read(SHIPPED)


def write(path: Path, effects: Effects) -> None:
    """Writes what a study measured, all or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    json_file.write(path, effects, indent=1, allow_nan=False)


def read(path: Path) -> Effects:
    """Reads what `write` wrote.

    Raises:
      UsageError: the file is refused by `json_file.read`, an interval is upside down,
        or the incumbent is no mix. The message says where.
    """
    effects = json_file.read(path, Effects, finite=True)
    for name, mix in effects.mixes.items():
        for one in (mix.own_loss, *mix.effects):
            if one and one.low > one.high:
                raise UsageError(
                    f"{path}: $.mixes.{name}: the interval [{one.low}, {one.high}] is "
                    "upside down."
                )
    if effects.mixes and effects.incumbent not in effects.mixes:
        raise UsageError(
            f"{path}: $.incumbent: no mix {effects.incumbent!r}; "
            + nearest(effects.incumbent, effects.mixes)
        )
    return effects
