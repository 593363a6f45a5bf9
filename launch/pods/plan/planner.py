"""From the arguments of a run to its plan."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from ....objectives.errors import UsageError
from ...training.program import program_of
from .cache import Cache
from .captured import captured_stderr
from .compile import compile_step
from .devices import cluster
from .names import Emulated, Here, Slices
from .report import Report, report


class Planner:
    """Plans settings on one cluster.

    Attributes:
      cluster: its devices.
    """

    def __init__(
        self,
        topology: Slices | Emulated | Here,
        *,
        vocabulary_size: int | None = None,
        price: float | None = None,
        cache: Cache | None = None,
        show: Callable[[str], None] = lambda _: None,
    ):
        """Finds the devices.

        Args:
          topology: to compile for; the process must be prepared (`environment`).
          vocabulary_size: of a vocabulary that is not at hand; None is the mixture's.
          price: dollars of a chip-hour.
          cache: of compiled steps; None is the user's.
          show: called with the name of each phase when it begins.

        Raises:
          UsageError: a price, of devices whose speeds are not known.
        """
        show("finding the devices")
        with captured_stderr():  # libtpu complains that it is on no TPU host
            self.cluster = cluster(topology)
        if price is not None and self.cluster.speeds is None:
            raise UsageError(
                f"--price is {price:g}, but no speed of {self.cluster.name} is known, "
                "so tokens have no price; leave it out, or plan for a TPU topology."
            )
        self._vocabulary_size = vocabulary_size
        self._price = price
        self._cache = cache or Cache()
        self._show = show

    def plan(self, settings: Mapping[str, Any]) -> Report:
        """Compiles the train step of these arguments of `train`, and reads it.

        Raises:
          UsageError: the settings do not go together, or not with the devices.
        """
        program = program_of(settings, devices=self.cluster.devices)
        if self._vocabulary_size is not None:
            program = dataclasses.replace(
                program, vocabulary_size=self._vocabulary_size
            )
        compiled = compile_step(
            program, self.cluster, cache=self._cache, show=self._show
        )
        self._show("reading the compiled step")
        return report(program, self.cluster, compiled, price=self._price)
