"""Where Sightline keeps what it would otherwise make again."""

import os
from collections.abc import Mapping
from pathlib import Path


def user_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's cache folder: of corpora, compiled programs, and plans.

    `SIGHTLINE_DATA_DIR`, or `sightline` in `XDG_CACHE_HOME`, or `~/.cache/sightline`.
    """
    if folder := environment.get("SIGHTLINE_DATA_DIR"):
        return Path(folder)
    caches = environment.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "sightline"
