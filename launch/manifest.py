"""What a checkpoint says of itself, so that damage to it is seen."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jax


def make_manifest(
    arrays: Mapping[str, jax.Array],
    data: dict[str, Any],
    fingerprints: Mapping[str, int],
) -> dict[str, Any]:
    """Shape, type and fingerprint of each array, digests of the data and of itself."""
    entries = {
        name: {
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            "fingerprint": fingerprints[name],
        }
        for name, array in arrays.items()
    }
    manifest = {"arrays": entries, "data": _digest(data)}
    return {**manifest, "digest": _digest(manifest)}


def manifest_damage(manifest: Any, data: Any) -> str | None:
    """What is wrong with a manifest or with its data; None if nothing is."""
    if not isinstance(manifest, dict) or not {"arrays", "data"} <= manifest.keys():
        return "its manifest is damaged"
    own = {key: value for key, value in manifest.items() if key != "digest"}
    if manifest.get("digest") != _digest(own):
        return "its manifest is damaged"
    return None if own["data"] == _digest(data) else "its data position is damaged"


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
