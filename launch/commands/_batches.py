"""Some batches of a configuration, to time its steps on."""

import itertools
from collections.abc import Mapping
from typing import Any

from ...models.rows import Batch
from ...tasks.examples.mixture import Mixture
from ..training.data import Streaming

BATCHES = 4
"""Distinct batches of each mixture."""


def some_batches(mixture: Mixture, settings: Mapping[str, Any]) -> list[Batch]:
    """The first batches of a mixture, as NumPy arrays.

    Args:
      mixture: whose rows they are; that of the settings, or a part of it.
      settings: arguments of `train`.
    """
    data = Streaming(mixture, settings["rows"], settings["batch_rows"], workers=0)
    stream = data.training(seed=settings["seed"], position=None)
    return [batch for batch, _ in itertools.islice(stream, BATCHES)]
