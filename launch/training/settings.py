"""What arguments of `train` may be, as far as it can be told before there is data."""

from collections.abc import Mapping
from typing import Any

from flax import nnx

from ...models.axes import param_shardings
from ...models.build import build
from ...objectives.errors import (
    require_acting,
    require_count,
    require_number,
    require_positive,
    require_seed,
)
from ...tasks.examples.preflight import check_loss_shares, check_objectives
from ...tasks.tokens.vocabulary import vocabulary
from ..hosts.progress import MOST_SECONDS
from ..runs.trackers import check_trackers
from .mesh import abstract_mesh, check_rows
from .optimizers import optimizer_of
from .schedules import schedule_of
from .state import abstract_batch, batch_shardings

LEAST = {
    "steps": 1,
    "log_every": 1,
    "eval_every": 1,
    "eval_batches": 0,
    "checkpoint_every": 1,
    "keep": 1,
    "keep_every": 0,
    "max_consecutive_skips": 1,
    "rollbacks": 0,
    "check_replicas_every": 0,
    "data_workers": 0,
}
"""What each whole number of the loop is at least."""


def check_loop(**settings: Any) -> None:
    """Refuses arguments of `train` that its loop cannot run with.

    Args:
      settings: all that are named here; others are ignored.

    Raises:
      UsageError: a number is out of range, a tracker is not to be had, or processes
        are to make what is recorded.
    """
    for name, least in LEAST.items():
        require_count(f"train.{name}", settings[name], least=least)
    require_acting(
        "train.data_workers",
        workers := settings["data_workers"],
        default=1,
        # Recorded rows are read by this process: "none makes data" is true of them.
        acts=settings["data"] is None or workers == 0,
        with_="train.data=None",
    )
    require_positive("train.report_seconds", settings["report_seconds"])
    require_number(
        "train.stall_seconds",
        settings["stall_seconds"],
        least=1.0,
        most=MOST_SECONDS,
    )
    check_trackers(settings["trackers"])


def check_step(*, seed: int, clip_norm: float, spike_deviations: float | None) -> None:
    """Refuses arguments of `train` that its step cannot be made with.

    Raises:
      UsageError: a number is out of range.
    """
    require_seed("train.seed", seed)
    require_positive("train.clip_norm", clip_norm)
    if spike_deviations is not None:
        require_positive("train.spike_deviations", spike_deviations)


def check_elsewhere(settings: Mapping[str, Any], *, devices: int) -> None:
    """Refuses what `train` would refuse on that many devices, which are elsewhere.

    Nothing is allocated. Data, and a run to start from, are not looked at.

    Args:
      settings: all arguments of `train`.
      devices: their number.

    Raises:
      UsageError: settings that cannot work together, or not on so many devices.
    """
    check_loop(**settings)
    names = ("seed", "clip_norm", "spike_deviations")
    check_step(**{name: settings[name] for name in names})
    check_loss_shares(settings["mixture"], settings["normalisation"])
    for phase in settings["mixture"].phases().values():
        check_objectives(phase, settings["rows"])
    schedule = schedule_of(settings["schedule"], steps=settings["steps"])
    optimizer_of(settings["optimizer"], schedule)
    rows, batch_rows = settings["rows"], settings["batch_rows"]
    mesh = abstract_mesh(settings["mesh"], devices=devices)
    check_rows(batch_rows, microbatches=settings["microbatches"], mesh=mesh)
    batch_shardings(abstract_batch(rows, batch_rows=batch_rows), mesh)
    model = nnx.eval_shape(
        lambda: build(
            settings["model"],
            vocabulary_size=vocabulary(settings["mixture"].vocabulary).size,
            shape=rows,
            rngs=nnx.Rngs(params=0),
        )
    )
    param_shardings(nnx.state(model), mesh)
