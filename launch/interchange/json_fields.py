"""JSON files of a model's folder: their objects, and values of the types they must be.

A value of another type is refused: a guess in its place would make another model.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...objectives.errors import (
    UsageError,
    require_count,
    require_flag,
    require_positive,
)

Json = Mapping[str, Any]

CONFIG = "config.json"


def read_json(path: Path) -> dict[str, Any]:
    """An object in a JSON file.

    Raises:
      UsageError: there is no such file, or it holds none.
    """
    if not path.is_file():
        raise UsageError(
            f"{path.parent} has no {path.name}; give the folder of a model, with "
            f"{path.name} in it."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}; copy it again.") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds no JSON object; copy it again.")
    return content


def wrong(where: str, name: str, value: Any, wanted: str) -> UsageError:
    """A value of the wrong type.

    Args:
      where: the file, and the object in it that has the value.
      name: the value's key.
      value: as it is.
      wanted: ends "set it to …".
    """
    return UsageError(f"{where}: {name} is {value!r:.100}; set it to {wanted}.")


def number(
    content: Json, name: str, default: float | None = None, *, where: str = CONFIG
) -> float:
    """A finite number above 0; one without a default must be there.

    Raises:
      UsageError: it is none.
    """
    value = content.get(name, default)
    require_positive(f"{where}: {name}", value)
    return float(value)


def count(
    content: Json,
    name: str,
    default: int | None = None,
    *,
    least: int = 1,
    where: str = CONFIG,
) -> int:
    """A whole number of at least `least`; one without a default must be there.

    Raises:
      UsageError: it is none.
    """
    value = content.get(name, default)
    require_count(f"{where}: {name}", value, least=least)
    return value


def count_or_none(content: Json, name: str) -> int | None:
    """A positive whole number of config.json; None where it is missing or null.

    Raises:
      UsageError: it is neither.
    """
    return None if content.get(name) is None else count(content, name)


def flag(content: Json, name: str, default: bool) -> bool:
    """A truth value of config.json.

    Raises:
      UsageError: it is none, such as the text "false".
    """
    value = content.get(name, default)
    require_flag(f"{CONFIG}: {name}", value)
    return value


def text(content: Json, name: str, default: str, *, where: str = CONFIG) -> str:
    """A text.

    Raises:
      UsageError: it is none.
    """
    value = content.get(name, default)
    if not isinstance(value, str):
        raise wrong(where, name, value, f"a text such as {default!r}")
    return value


def mapping(content: Json, name: str, *, where: str = CONFIG) -> Json:
    """An object; an empty one where it is missing or null.

    Raises:
      UsageError: it is none.
    """
    value = content.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise wrong(where, name, value, "an object, or take it out")
    return value or {}


def listed(content: Json, name: str, *, where: str = CONFIG) -> list[Any]:
    """A list; an empty one where it is missing or null.

    Raises:
      UsageError: it is none.
    """
    value = content.get(name)
    if value is not None and not isinstance(value, list):
        raise wrong(where, name, value, "a list")
    return value or []
