"""Records of figures as JSON."""

import json
import math
from typing import Any


def json_text(record: Any, *, indent: int) -> str:
    """The record as JSON, with null for NaN and infinities, which JSON cannot hold."""
    return json.dumps(_plain(record), indent=indent, allow_nan=False)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case float() if not math.isfinite(value):
            return None
    return value
