"""What `status` and `report` share: how a run is read, the peak of its devices."""

import argparse

import jax

from ...objectives.errors import UsageError
from ..pods.plan.names import Slices, topology
from ..pods.watch.reading import RunStatus, read_run
from ..pods.watch.utilisation import Utilisation, utilisation


def watched_run(run_dir: str) -> RunStatus:
    """A run as `read_run` reads it, on the CPU.

    An accelerator may be missing here, or be held by the training process alone.
    """
    jax.config.update("jax_platforms", "cpu")
    return read_run(run_dir)


def add_peak(parser: argparse.ArgumentParser) -> None:
    """Adds the options that say what the run's devices can do."""
    parser.add_argument(
        "--topology", metavar="SLICE", help="of TPUs that it runs on, v5p-128, for MFU"
    )
    parser.add_argument(
        "--slices", type=int, default=1, metavar="N", help="of that topology (1)"
    )
    parser.add_argument(
        "--peak_flops",
        type=float,
        metavar="F",
        help="operations a second of all its devices together, in place of --topology: "
        "8 H100s have 7.9e15 in bfloat16",
    )


def measured_utilisation(
    run: RunStatus, options: argparse.Namespace
) -> Utilisation | None:
    """The run's MFU; None where the options do not give its devices' peak.

    Raises:
      UsageError: both options are given, or a topology whose peak is not published.
    """
    if options.topology and options.peak_flops is not None:
        raise UsageError("--topology and --peak_flops say the same; give one of them.")
    peak = options.peak_flops
    if options.topology:
        found = topology(options.topology, slices=options.slices)
        if not isinstance(found, Slices):
            raise UsageError(
                f"--topology={options.topology} has no published peak; give "
                "--peak_flops, the operations a second of all devices together."
            )
        peak = found.generation.flops * found.chips
    return None if peak is None else utilisation(run, peak=peak)
