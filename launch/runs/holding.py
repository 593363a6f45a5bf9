"""The lease of a run's directory, seen by a process that only looks."""

import time
from pathlib import Path
from typing import NamedTuple

from .lease import (
    EXPIRES_SECONDS,
    Holder,
    has_ended,
    lease_path,
    machine,
    read_holder,
)


class Holding(NamedTuple):
    """A lease as it is found.

    Attributes:
      holder: None if the file is torn.
      seconds: since it was renewed, by this machine's clock.
      alive: whether its holder runs, as far as can be seen from here.
    """

    holder: Holder | None
    seconds: float
    alive: bool


def holding(folder: Path) -> Holding | None:
    """The lease in a run's directory; None if nobody holds it. Writes nothing."""
    path = lease_path(folder)
    try:
        holder, renewed = read_holder(path), path.stat().st_mtime
    except FileNotFoundError:
        return None
    seconds = max(0.0, time.time() - renewed)
    if holder is None or holder.folder != folder.stat().st_ino:
        return Holding(holder, seconds, alive=False)
    if holder.machine == machine():
        return Holding(holder, seconds, alive=not has_ended(holder))
    return Holding(holder, seconds, alive=seconds <= EXPIRES_SECONDS)
