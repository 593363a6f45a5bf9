"""The held-out batches that a run's training evaluates on."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...models.rows import Batch
from ...tasks.examples.preflight import check_examples
from ..training.data import Streaming
from ..training.recorded import RecordedData
from ..training.train import train


def held_out_batches(
    settings: Mapping[str, Any], *, most: int | None = None
) -> dict[str, list[Batch]]:
    """Held-out batches by task, made from the corpora or read from recorded rows.

    Args:
      settings: arguments of `train`.
      most: batches of a task; None: as many as training takes.

    Raises:
      UsageError: the Examples of the mixture do not fit the rows.
    """
    mixture, rows = settings["mixture"], settings["rows"]
    default = inspect.signature(train).parameters["eval_batches"].default
    limit: int = settings.get("eval_batches", default) if most is None else most
    if settings.get("data") is not None:
        source = RecordedData(
            Path(settings["data"]), mixture.phases(), rows, settings["batch_rows"]
        )
    else:
        check_examples(mixture, rows)
        source = Streaming(mixture, rows, settings["batch_rows"], workers=0)
    try:
        return source.held_out(most=max(limit, 1))
    finally:
        source.close()
