"""The devices: found, named, and the ones that were asked for."""

import logging
import os
from collections.abc import Sequence
from typing import Any, Literal

import jax

from ...objectives.errors import UsageError

Platform = Literal["tpu", "gpu", "cpu"]

_LOG = logging.getLogger(__name__)


def found_devices() -> Sequence[Any]:
    """All `jax.Device`s that there are.

    Raises:
      UsageError: it finds none.
    """
    try:
        return jax.devices()
    except (RuntimeError, AssertionError) as error:
        # JAX asserts where JAX_PLATFORMS names a backend that is not installed.
        asked = os.environ.get("JAX_PLATFORMS", "")
        raise UsageError(
            f"JAX finds no device for JAX_PLATFORMS={asked!r}"
            + (f" ({str(error).strip().splitlines()[0]})" if str(error) else "")
            + "; install its plug-in (`pip install 'sightline[cuda]'` or `[tpu]`), "
            "check the driver, or set JAX_PLATFORMS=cpu. `sightline doctor` says more."
        ) from error


def require_devices(platform: Platform | None) -> None:
    """Says what the run computes on, loudly if that is the CPU for want of another.

    Args:
      platform: that the devices must be of; None takes what there is.

    Raises:
      UsageError: JAX finds no devices, or of another platform.
    """
    devices = found_devices()
    found = devices[0].platform
    if platform not in (None, found):
        raise UsageError(
            f"--require={platform}, and JAX finds {len(devices)} {found} device(s) "
            f"({devices[0].device_kind}); start the run where there is a {platform}, "
            f"or leave --require out. `sightline doctor` says what JAX finds."
        )
    if found == "cpu" and platform != "cpu" and not os.environ.get("JAX_PLATFORMS"):
        _LOG.warning(
            "NO ACCELERATOR FOUND: this run computes on the CPU. If there should be "
            "one, stop here and ask `sightline doctor`; --require=tpu or --require=gpu "
            "refuses to start without it, and --require=cpu silences this."
        )
