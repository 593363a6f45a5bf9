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

import json
import math
from pathlib import Path
from typing import Any

from ...objectives.errors import UsageError, nearest
from ...tasks.files import write_whole
from ..scores.score import FAILURES
from .effects import Effect, Effects, Mix, OwnLoss

SHIPPED = Path(__file__).with_name("effects.json")
"""What the committed study measured."""


def shipped() -> Effects:
    """What the committed study measured; raises as `read` does."""
    return read(SHIPPED)


def write(path: Path, effects: Effects) -> None:
    """Writes what a study measured, all or nothing."""
    plain = {**effects._asdict(), "mixes": {}}
    for name, mix in effects.mixes.items():
        own = mix.own_loss._asdict() if mix.own_loss else None
        measured = [effect._asdict() for effect in mix.effects]
        plain["mixes"][name] = {**mix._asdict(), "own_loss": own, "effects": measured}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain, indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(path, text + "\n")


def read(path: Path) -> Effects:
    """Reads what `write` wrote.

    Raises:
      ValueError: the file is missing or no JSON, a field is missing, unknown or of the
        wrong kind, an interval does not hold its value, or the incumbent is no mix.
        The message says where.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"no file {str(path)!r} of a study's effects.") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    found = _fields(plain, Effects, str(path))
    mixes = {
        name: _mix(mix, f"{path}: mixes.{name}")
        for name, mix in _of(dict, found["mixes"], f"{path}: mixes").items()
    }
    for name in ("corpus", "command", "incumbent"):
        _of(str, found[name], f"{path}: {name}")
    _of(int, found["tokens"], f"{path}: tokens")
    if mixes and found["incumbent"] not in mixes:
        raise UsageError(
            f"{path}: incumbent: no mix {found['incumbent']!r}; "
            + nearest(found["incumbent"], mixes)
        )
    return Effects(**{**found, "mixes": mixes})


def _mix(plain: Any, where: str) -> Mix:
    found = _fields(plain, Mix, where)
    own = found["own_loss"]
    if own is not None:
        own = OwnLoss(**_interval(_fields(own, OwnLoss, f"{where}.own_loss"), where))
    for name in ("rates", "loss_shares"):
        amounts = _of(dict, found[name], f"{where}.{name}")
        for key, amount in amounts.items():
            _number(amount, f"{where}.{name}.{key}")
    _of(dict, found["settings"], f"{where}.settings")
    effects = _of(list, found["effects"], f"{where}.effects")
    read_ones = [_effect(e, f"{where}.effects[{n}]") for n, e in enumerate(effects)]
    return Mix(**{**found, "own_loss": own, "effects": tuple(read_ones)})


def _effect(plain: Any, where: str) -> Effect:
    found = _interval(_fields(plain, Effect, where), where)
    choices = {"failure": FAILURES, "better": ("higher", "lower")}
    for name, valid in choices.items():
        if found[name] not in valid:
            value = found[name]
            raise UsageError(f"{where}.{name}: {value!r}; {nearest(str(value), valid)}")
    for name in ("probe", "metric"):
        _of(str, found[name], f"{where}.{name}")
    _of(int, found["seeds"], f"{where}.seeds")
    if found["chance"] is not None:
        _number(found["chance"], f"{where}.chance")
    return Effect(**found)


def _fields(plain: Any, kind: Any, where: str) -> dict[str, Any]:
    """An object with exactly the fields of a tuple."""
    names = kind._fields
    found = _of(dict, plain, where)
    for name in found:
        if name not in names:
            raise UsageError(f"{where}: no field {name!r}; {nearest(name, names)}")
    missing = [name for name in names if name not in found]
    if missing:
        raise UsageError(f"{where}: {', '.join(missing)} missing.")
    return found


def _interval(found: dict[str, Any], where: str) -> dict[str, Any]:
    low, _, high = (
        _number(found[name], f"{where}.{name}") for name in ("low", "value", "high")
    )
    if low > high:
        raise UsageError(f"{where}: the interval [{low}, {high}] is upside down.")
    return found


def _number(value: Any, where: str) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        raise UsageError(f"{where}: {value!r} is no finite number.")
    return float(value)


def _of(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UsageError(f"{where}: {value!r} is no {kind.__name__}.")
    return value
