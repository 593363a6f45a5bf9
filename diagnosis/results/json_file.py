"""NamedTuples as JSON files, validated against their annotations when read."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ...objectives.errors import UsageError, nearest
from ...tasks.files import write_whole


def write(path: Path, value: Any, **options: Any) -> None:
    """Writes a value atomically; `options` are those of `json.dumps`."""
    text = json.dumps(_plain(value), ensure_ascii=False, **options)
    write_whole(path, text + "\n")


def _plain(value: Any) -> Any:
    """Replaces NamedTuples, which `json` would write as lists, by objects."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def read(path: Path, kind: Any, *, finite: bool = False) -> Any:
    """Reads what `write` wrote.

    Args:
      path: of the file.
      kind: of the value: a NamedTuple, a number, str, bool, a Literal, one of these or
        None, or a tuple or a Mapping of them; Any is not checked.
      finite: whether NaN and infinities are refused.

    Raises:
      UsageError: the file is missing or no JSON, a field is missing or unknown, or a
        value is of the wrong kind. The message says where: `$.mixes.bert.rates`.
    """
    # A number with a large exponent is read as infinite, and is no constant.
    number = _finite if finite else float
    try:
        plain = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=number, parse_float=number
        )
    except FileNotFoundError as error:
        raise UsageError(f"no file {str(path)!r}.") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    return _typed(plain, kind, f"{path}: $")


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is no finite number.")
    return float(text)


def _typed(value: Any, kind: Any, where: str) -> Any:
    """Converts a plain value to the kind that is expected."""
    origin, inner = get_origin(kind), get_args(kind)
    if hasattr(kind, "_fields"):
        return _tuple(_of(dict, value, where), kind, where)
    if NoneType in inner:
        return None if value is None else _typed(value, inner[0], where)
    if origin is Literal and value not in inner:
        raise UsageError(f"{where}: {value!r}; {nearest(str(value), inner)}")
    if origin in (tuple, list):
        items = enumerate(_of(list, value, where))
        return origin(_typed(item, inner[0], f"{where}[{n}]") for n, item in items)
    if origin is Mapping:
        items = _of(dict, value, where).items()
        return {key: _typed(item, inner[1], f"{where}.{key}") for key, item in items}
    return value if kind is Any or origin else _of(kind, value, where)


def _tuple(fields_read: dict[str, Any], kind: Any, where: str) -> Any:
    """An object with exactly the fields of a NamedTuple."""
    hints = get_type_hints(kind)
    for name in fields_read:
        if name not in hints:
            raise UsageError(f"{where}: no field {name!r}; {nearest(name, hints)}")
    missing = [name for name in hints if name not in fields_read]
    if missing:
        raise UsageError(f"{where}: {', '.join(missing)} missing.")
    fields = fields_read.items()
    return kind(**{n: _typed(item, hints[n], f"{where}.{n}") for n, item in fields})


def _of(kind: type, value: Any, where: str) -> Any:
    """Refuses a JSON value of another kind; True is not a number, 1 is a float."""
    valid = int | float if kind is float else kind
    if not isinstance(value, valid) or isinstance(value, bool) != (kind is bool):
        name = {float: "number", dict: "object"}.get(kind, kind.__name__)
        raise UsageError(f"{where}: {value!r} is no {name}.")
    return value
