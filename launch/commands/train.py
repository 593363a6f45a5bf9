"""`sightline train`: train one model on a mixture of objectives, or resume a run."""

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...objectives.errors import UsageError, require_number
from ..configuration import files
from ..hosts.compilation_cache import compilation_cache, use_compilation_cache
from ..hosts.progress import MOST_SECONDS
from ._arguments import gin_parser, parse_gin

_LOG = logging.getLogger(__name__)

_ABOUT = """\
Train one model on a mixture of objectives, or resume a run that was stopped.

  sightline train --gin_file=quickstart.gin --run_dir=runs/quickstart
  sightline train --gin_file=my.gin --gin.train.steps=100 --run_dir=runs/mine

To resume a run, give the same command again. Bind train.data to a folder written by
`sightline record` to train on recorded rows.

SIGTERM, SIGINT and SIGHUP stop a run after the current step and save a checkpoint; a
second SIGINT ends it at once. Before the first step there is nothing to save: SIGTERM
and SIGHUP end it at once. A run that fails also saves its state, if it can. If
standard output is closed (`| head`), the run continues without it.

Many hosts: run the same command on each, with one --run_dir that all of them share.
Under SLURM (srun), on TPU pods and in Kubernetes jobs (JobSet) the processes find each
other; elsewhere give all of --coordinator, --processes and --process.

--copy_to=gs://BUCKET/FOLDER (or s3://) uploads every checkpoint and the metrics in the
background; on a new machine the same command fetches them and resumes.

Exit status:
  0    all steps are done, or more of them; with --replay, the step is bit-equal
  75   stopped by SIGTERM, SIGHUP or, once it trains, SIGINT; run the same command to
       resume
  2    a wrong argument or binding, a file that cannot be read or written, or too
       many updates skipped in a row
  1    any other error; with --replay, the step is not bit-equal
  76   no progress for train.stall_seconds
  77   another process of the run failed
  130  interrupted before the first step
"""


def main(arguments: Sequence[str]) -> int:
    """Trains; returns 0 once all steps are done, 75 (`EX_TEMPFAIL`) where it stopped.

    Everything that the configuration can have wrong is found before anything is
    compiled.
    """
    options, bindings = _options(arguments)
    check_environment(os.environ)
    use_compilation_cache()

    from ..hosts.job import find_job
    from ..hosts.processes import joined
    from ..hosts.stop_at_once import stopping_at_once

    with stopping_at_once(_after_stop(options)):
        job = find_job(
            coordinator=options.coordinator,
            processes=options.processes,
            process=options.process,
        )
        with joined(job, seconds=options.join_seconds):
            return _train(options, bindings)


def _after_stop(options: argparse.Namespace) -> str:
    """What is said of a run that is stopped before its first step or after its last."""
    copy = " (its copy may be behind)" if options.copy_to else ""
    return (
        f"What it has trained is in {options.run_dir}{copy}; run the same command to "
        "resume."
    )


def _train(options: argparse.Namespace, bindings: Sequence[str]) -> int:
    """Reads the configuration, and trains."""
    from ..configuration.config import load
    from ..hosts import coordination
    from ..hosts.leaving import STOPPED
    from ..terminal.log import RunLog
    from ..terminal.output import surviving_console

    host = coordination.process()
    log = RunLog(surviving_console(), kind=options.log, first=host == 0)
    with log.listening(host=host), _end_logged():
        config = load(options.gin_file, bindings)
        # A shipped file also binds what other architectures would use.
        ours = {Path(name).name for name in files.shipped()}
        for binding in config.unused("train"):
            if binding.partition(":")[0] not in ours and host == 0:
                note = f"note: {binding} is bound, but nothing uses it."
                print(note, file=sys.stderr)

        from ..hosts.devices import require_devices
        from ..hosts.watchdog import Watchdog
        from ..runs.run_copy import copied
        from ..training.profile import profile_window
        from ..training.resume import RunConfig
        from ..training.train import train

        allow = [name.strip() for name in options.allow.split(",") if name.strip()]
        settings = config.arguments(
            "train",
            run_dir=options.run_dir,
            config=RunConfig(
                config.resolved_config("train"), allow, log, defaults=config.defaults()
            ),
        )
        if options.profile is not None:
            window = profile_window(options.profile, steps=settings["steps"])
            settings["config"] = settings["config"]._replace(profile=window)
        require_devices(options.require)
        _LOG.info("Compiled programs are kept in %s.", compilation_cache() or "no file")
        if options.replay is not None:
            return _replay(settings, options.replay)
        run_dir = options.run_dir
        with Watchdog(Path(run_dir)), copied(run_dir, options.copy_to):
            done = train(**settings)
    return 0 if done >= settings["steps"] else STOPPED


def _replay(settings: Mapping[str, Any], step: int) -> int:
    """Prints a step computed again; 0 if it is bit-equal, else 1."""
    from ..training.replay import replay_run, replay_table

    result = replay_run(settings, step=step)
    log = settings["config"].log
    log.console.print(replay_table(result))
    if log.kind == "json":
        _LOG.info("step %d: %s", step, result.verdict)
    return 0 if result.bit_equal else 1


def check_environment(environment: Mapping[str, str]) -> None:
    """Refuses variables that JAX would stumble over while it is imported.

    Raises:
      UsageError: naming the variable and its value.
    """
    devices = environment.get("JAX_NUM_CPU_DEVICES")
    if devices is not None and not (devices.isdecimal() and int(devices) > 0):
        raise UsageError(
            f"the environment variable JAX_NUM_CPU_DEVICES is {devices!r}; set it to "
            "the number of CPU devices to emulate, 1 or more, or unset it."
        )


def _options(arguments: Sequence[str]):
    parser = gin_parser("train", _ABOUT)
    parser.add_argument(
        "--run_dir",
        required=True,
        metavar="FOLDER",
        help="where the run is kept; made if it is missing, resumed if it holds a run",
    )
    parser.add_argument(
        "--copy_to",
        metavar="ADDRESS",
        help="keep a copy of the run in a bucket, gs://BUCKET/FOLDER or "
        "s3://BUCKET/FOLDER, and go on from it where --run_dir is behind it",
    )
    parser.add_argument(
        "--allow",
        default="",
        metavar="NAMES",
        help="bindings that this resume may change, separated by commas: full names "
        "(train.clip_norm) or what comes before the dot (adamw); each change is "
        "recorded in changes.jsonl",
    )
    parser.add_argument(
        "--require",
        choices=("tpu", "gpu", "cpu"),
        help="refuse to start on any other kind of device",
    )
    parser.add_argument(
        "--log",
        choices=("plain", "json"),
        default="plain",
        help="format of the log where output is not a terminal (plain); json suits "
        "Google Cloud Logging",
    )
    parser.add_argument(
        "--replay",
        type=int,
        metavar="STEP",
        help="do not train: recompute this step from the checkpoint before it and say "
        "whether the result is bit-equal; nothing is written",
    )
    parser.add_argument(
        "--profile",
        metavar="FIRST:LAST",
        help="capture these steps with jax's profiler into RUN/profile/, for xprof or "
        "TensorBoard",
    )
    _add_process_options(parser)
    options, bindings = parse_gin(parser, arguments)
    _check_replay(options)
    require_number("--join_seconds", options.join_seconds, above=0.0, most=MOST_SECONDS)
    return options, bindings


def _check_replay(options: argparse.Namespace) -> None:
    """Refuses what `--replay` would not look at."""
    unused = ("profile", "copy_to", "allow")
    given = [f"--{name}" for name in unused if getattr(options, name)]
    if options.replay is not None and given:
        raise UsageError(
            f"--replay={options.replay} computes a step again as the run did, trains "
            f"nothing and writes nothing; take out {' and '.join(given)}."
        )


def _add_process_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--coordinator",
        metavar="HOST:PORT",
        help="the address that process 0 listens on; the network must be trusted",
    )
    parser.add_argument(
        "--processes", type=int, metavar="N", help="number of processes"
    )
    parser.add_argument(
        "--process", type=int, metavar="I", help="index of this one, from 0"
    )
    parser.add_argument(
        "--join_seconds",
        type=float,
        default=300.0,
        metavar="S",
        help="how long to wait for the other processes to start (%(default)g)",
    )


@contextlib.contextmanager
def _end_logged() -> Iterator[None]:
    """Logs what ends the run, so that a log alone says why it ended."""
    import logging

    try:
        yield
    except BaseException as error:
        reason = str(error) or type(error).__name__
        first = reason.strip().splitlines()[0]
        logging.getLogger(__name__).error("ended: %s", first, extra={"reason": reason})
        raise
