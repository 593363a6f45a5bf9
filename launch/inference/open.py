"""The trained model of a run, from its directory."""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from flax import nnx

from ...models.build import Model
from ...models.config import ModelConfig
from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...tasks.examples.mixture import Mixture
from ...tasks.tokens.vocabulary import names, vocabulary
from ..configuration.config import Config, load
from ..hosts.devices import found_devices
from ..runs.verified import restore_latest
from ..training.mesh import MeshShape
from ..training.program import program_of


class TrainedModel(NamedTuple):
    """A trained model and its training set-up.

    Attributes:
      step: of the checkpoint.
      model: with the checkpoint's parameters.
      config: its dimensions.
      rows: capacities of a row in training.
      mixture: that it was trained on.
    """

    step: int
    model: Model
    config: ModelConfig
    rows: RowShape
    mixture: Mixture


def load_trained(
    run_dir: Path, *, compute_dtype: Literal["bfloat16", "float32"] | None = None
) -> TrainedModel:
    """Reads a run's config and its newest sound checkpoint.

    Args:
      run_dir: made by `sightline train`.
      compute_dtype: to compute in; None for the run's own.

    Raises:
      ValueError: as `run_config`, the checkpoint is of another model, or JAX finds no
        device.
      CheckpointError: no checkpoint is whole.
    """
    config = run_config(run_dir)
    settings = config.arguments("train", run_dir=str(run_dir), config="")
    model: ModelConfig = settings["model"]
    if compute_dtype is not None:
        model = dataclasses.replace(model, compute_dtype=compute_dtype)
    # On whatever devices there are; the run's own mesh does not matter.
    overrides = {"model": model, "mesh": MeshShape(data=-1), "microbatches": 1}
    overrides["batch_rows"] = len(found_devices())
    program = program_of({**settings, **overrides})
    # The optimiser's moments take twice the parameters, and are not needed here.
    restored = restore_latest(run_dir, program.abstract_params, prefix="params.")
    if restored is None:
        raise _unfinished(run_dir)
    step, state, _ = restored
    graph = nnx.graphdef(nnx.eval_shape(program.fresh_model))
    merged = nnx.merge(graph, state.params)
    return TrainedModel(step, merged, model, settings["rows"], settings["mixture"])


def run_config(run_dir: Path) -> Config:
    """The config of a run that has a checkpoint; nothing heavy is read.

    Raises:
      ValueError: the folder holds no run, or no checkpoint; or the name of the run's
        vocabulary stands for other ids than it did when the run was trained.
    """
    path = run_dir / "config.gin"
    if not path.is_file():
        raise UsageError(
            f"{run_dir} holds no run: it has no config.gin; give the --run_dir of a "
            "`sightline train`."
        )
    if not any(run_dir.glob("checkpoints/[0-9]*")):
        raise _unfinished(run_dir)
    config = saved_config(run_dir)
    digest_line = re.search(
        r"^# vocabulary sha256 (\w+)$", path.read_text(), re.MULTILINE
    )
    vocab = vocabulary(
        config.arguments("train", run_dir="", config="")["mixture"].vocabulary
    )
    if digest_line and digest_line.group(1) != vocab.digest:
        raise UsageError(
            f"vocabulary {vocab.name!r} is not the one that {run_dir} was trained with "
            f"(sha256 {vocab.digest[:12]}…, then {digest_line.group(1)[:12]}…): its "
            "ids, label tokens included, mean other things to the model, or nothing. "
            "Restore the vocabulary of that run."
        )
    return config


def saved_config(run_dir: Path, bindings: Sequence[str] = ()) -> Config:
    """The `config.gin` of a run, with bindings that win over it.

    A vocabulary in the run's own folder is the run's wherever that lies, so an imported
    model can be moved, or read from another working directory.

    Raises:
      UsageError: as `load`; or no file is where the run's vocabulary was.
    """
    path, own = run_dir / "config.gin", run_dir / "vocabulary.json"
    bound = [f"Mixture.vocabulary={str(own)!r}"] if own.is_file() else []
    config = load([str(path)], [*bound, *bindings])
    for (_, name), values in config.bindings.values.items():
        if name == "Mixture" and "vocabulary" in values:
            given = str(config.bindings.resolve(values["vocabulary"].value))
            if given not in names() and not Path(given).expanduser().is_file():
                raise UsageError(
                    f"{run_dir} was trained with the vocabulary {given!r}, and no such "
                    "file is there now; put it back, or write where it lies as "
                    f"Mixture.vocabulary in {path}."
                )
    return config


def _unfinished(run_dir: Path) -> UsageError:
    return UsageError(
        f"{run_dir} has no checkpoint yet; train it up to its first one "
        "(train.checkpoint_every), then run this again."
    )
