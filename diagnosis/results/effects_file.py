"""The file that carries a study's effects to the memo.

The study trains mixes at equal processed tokens and writes `results/effects.json`:

    {"corpus": "policies", "tokens": 8000000, "command": "sightline study …",
     "incumbent": "incumbent",
     "mixes": {"incumbent": {
       "rates": {"masked": 0.8, "permuted": 0.2}, "loss_shares": {…}, "settings": {…},
       "own_loss": {"value": 1.0, "low": 0.99, "high": 1.01},
       "effects": [{"failure": "drift", "probe": "minimal pairs", "metric": "accuracy",
                    "better": "higher", "chance": 0.5, "value": 0.52, "low": 0.5,
                    "high": 0.54, "seeds": 3}]}}}

Rates and shares are by objective, summing to 1; settings by objective or variant.
`own_loss` is the held-out loss of the incumbent's objectives, by its own loss shares,
divided by the incumbent's own: 1.02 is 2 % worse. It and `chance` may be null. Of a
failure the first effect is the one that the memo goes by.
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
