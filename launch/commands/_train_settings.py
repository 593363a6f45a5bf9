"""What `bench` and `plan` are told of a run that is not begun."""

from collections.abc import Sequence
from typing import Any

from ...tasks.examples.preflight import check_loss_shares
from ..configuration.config import load


def train_settings(gin_files: Sequence[str], bindings: Sequence[str]) -> dict[str, Any]:
    """All arguments of `train` that are bound, without a run's directory.

    Args:
      gin_files: paths, or names of shipped files.
      bindings: `NAME=VALUE`.

    Raises:
      UsageError: as `load`; or shares of the loss are bound that are not read.
    """
    settings = load(gin_files, bindings).arguments(
        "train", run_dir="unused", config="unused"
    )
    check_loss_shares(settings["mixture"], settings.get("normalisation", "objective"))
    return settings
