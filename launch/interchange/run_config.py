"""The config.gin of an imported model: a run of no steps, to probe or to go on from."""

import dataclasses
from pathlib import Path

from ...models.config import ModelConfig
from ...models.rows import RowShape
from ..configuration.config import load
from ..runs.directory import config_text

_RUN = """
train.mixture = @Mixture()
train.model = @ModelConfig()
train.schedule = @warmup_cosine
train.optimizer = @adamw
train.steps = 1000
train.batch_rows = 8
train.seed = 0
warmup_cosine.peak = 1e-4
warmup_cosine.warmup_steps = 0.05
"""


def config_gin(
    model: ModelConfig,
    rows: RowShape,
    task: str,
    *,
    folder: Path,
    digest: str,
    source: str,
) -> str:
    """The text, with every default written out.

    Args:
      model: dimensions.
      rows: capacities of a row.
      task: corpus and objective.
      folder: that the run will lie in.
      digest: of the vocabulary.
      source: where the model came from.
    """
    fields = dataclasses.asdict(model)
    capacities = {"": rows.decoder, "memory_": rows.encoder}
    bindings = [
        *(line.replace(" = ", "=") for line in _RUN.strip().splitlines()),
        *(f"ModelConfig.{name}={value!r}" for name, value in fields.items()),
        f"train.rows=@{rows.architecture}_rows()",
        *(
            f"{rows.architecture}_rows.{prefix}{name}={value}"
            for prefix, capacity in capacities.items()
            if capacity is not None
            for name, value in capacity._asdict().items()
        ),
        f"Mixture.name={folder.name!r}",
        f"Mixture.rates={{{task!r}: 1.0}}",
        f"Mixture.vocabulary={str(folder.resolve() / 'vocabulary.json')!r}",
    ]
    head = (
        f"# Imported from {source.splitlines()[0]}. Nothing was trained here: the "
        "optimiser is for\n# runs that start from this one, and the corpus is where "
        "probes read.\n"
    )
    text = load([], bindings).resolved_config()
    return head + config_text(text, {"vocabulary sha256": digest})
