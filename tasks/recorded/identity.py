"""What identifies a recording: layouts, digests, and what differs between two."""

import hashlib
import json
from typing import Any, Literal

Layout = Literal["mixed", "per_objective"]
"""One group of the whole mixture, its rates baked in; or one group for each task."""

LAYOUTS: tuple[Layout, ...] = ("mixed", "per_objective")


def differences(before: Any, now: Any, at: str = "") -> list[str]:
    """`tasks.masked.share: 0.25, now 0.5` of all that differs in two JSON values."""
    if isinstance(before, dict) and isinstance(now, dict):
        found = []
        for key in sorted({*before, *now}):
            inner = f"{at}.{key}" if at else str(key)
            found += differences(
                before.get(key, "nothing"), now.get(key, "nothing"), inner
            )
        return found
    return [] if before == now else [f"{at}: {before}, now {now}"]


def digest_of(value: Any) -> str:
    """sha256 of a JSON value, in hexadecimal."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
