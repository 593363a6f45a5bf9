"""One wasteful thing of a plan, and what it is found in."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from ...training.program import Program
from .hlo import Collective
from .hlo_text import Module
from .state import State

SMALL = 16 * 2**20
"""Bytes of a device below which nothing is said."""


class Finding(NamedTuple):
    """Something wasteful.

    Attributes:
      kind: short, the same for the same thing.
      message: what, how much, and where.
      remedy: what to change; empty where that is the project's own work.
    """

    kind: str
    message: str
    remedy: str


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What findings are made from.

    Attributes:
      program: that was compiled.
      state: what its step is given.
      module: what the compiler made.
      collectives: of the module.
      log: what the compiler printed.
    """

    program: Program
    state: State
    module: Module
    collectives: Sequence[Collective]
    log: str

    @property
    def on_tpu(self) -> bool:
        """Whether the program is for TPUs."""
        return self.program.mesh.devices.flat[0].platform == "tpu"


def size_text(size: int) -> str:
    """ "1.25 GB"."""
    unit, name = (1e9, "GB") if size >= 1e9 else (1e6, "MB")
    return f"{size / unit:,.2f} {name}"


def last_names(op_name: str) -> str:
    """The end of a JAX operation's name."""
    return "/".join(op_name.split("/")[-2:]) or "an operation without a name"
