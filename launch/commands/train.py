"""`sightline train`: train one model on a mixture of objectives, or resume a run."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..configuration import files
from ..hosts import coordination
from ..hosts.job import find_job
from ..hosts.leaving import STOPPED
from ..hosts.processes import JOIN_SECONDS, joined
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Train one model on a mixture of objectives, or resume a run that was stopped. Exit
status 0: all steps are done; 75: stopped by SIGTERM, run the same command to resume.

  sightline train --gin_file=quickstart.gin --run_dir=runs/quickstart
  sightline train --gin_file=my.gin --gin.train.steps=100 --run_dir=runs/mine

Many hosts: the same command on each, with one --run_dir that all share. Under SLURM
(srun), on TPU pods and in Kubernetes jobs (JobSet) the processes find each other;
elsewhere give all of --coordinator, --processes and --process.
"""


def main(arguments: Sequence[str]) -> int:
    """Trains; returns 0 once all steps are done, 75 (`EX_TEMPFAIL`) where it stopped.

    With 76 it leaves where nothing has progressed for `train.stall_seconds`, with 77
    where another process of the run has failed.

    Everything that the configuration can have wrong is found before anything is
    compiled and before TensorFlow is imported.
    """
    parser = gin_parser("train", _ABOUT)
    parser.add_argument("--run_dir", required=True, metavar="FOLDER")
    parser.add_argument(
        "--coordinator",
        metavar="HOST:PORT",
        help="where process 0 listens, and nowhere else; the network must be trusted",
    )
    parser.add_argument("--processes", type=int, metavar="N", help="their number")
    parser.add_argument("--process", type=int, metavar="I", help="this one, from 0")
    parser.add_argument(
        "--join_seconds",
        type=float,
        default=JOIN_SECONDS,
        metavar="S",
        help="how long to wait for the other processes to start (%(default)g)",
    )
    options, bindings = parse_gin(parser, arguments)

    job = find_job(
        coordinator=options.coordinator,
        processes=options.processes,
        process=options.process,
    )
    with joined(job, seconds=options.join_seconds):
        return _train(options, bindings)


def _train(options: argparse.Namespace, bindings: Sequence[str]) -> int:
    """Reads the configuration, and trains."""
    from ..configuration.config import load

    config = load(options.gin_file, bindings)
    # A shipped file also binds what other architectures would use.
    ours = {Path(name).name for name in files.shipped()}
    for binding in config.unused("train"):
        if binding.partition(":")[0] in ours:
            continue
        if coordination.process() == 0:
            print(f"note: {binding} is bound, but nothing uses it.", file=sys.stderr)
    settings = config.arguments(
        "train", run_dir=options.run_dir, config=config.resolved_config("train")
    )

    from ..hosts.watchdog import Watchdog
    from ..training.train import train

    with Watchdog(Path(options.run_dir)):
        return 0 if train(**settings) == settings["steps"] else STOPPED
