"""The options of `sightline record`, and which act on what it does."""

import argparse
import os
from collections.abc import Mapping, Sequence

from ...objectives.errors import UsageError
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Write the packed rows of a mixture to disk once, as ArrayRecord shards and a manifest.
A run that reads them (train.data) needs neither the text nor TensorFlow. The rows are
the same for any number of workers. If recording stops, the same command continues it.

  sightline record --gin_file=quickstart.gin --out=rows/quickstart
  sightline record --gin_file=quickstart.gin --out=rows/apart --layout=per_objective
  sightline record --check rows/quickstart
  sightline record --show rows/quickstart

Layout `mixed` packs all tasks together, at the rates of the gin files. It has
train.steps x train.batch_rows rows, or --rows, or as many as it takes until the first
task has read its corpus --passes times.

Layout `per_objective` has a group of rows for each task, which the run mixes at its own
rates. A group has --passes over the corpus of its task (1), or --rows.

Groups end with a whole shard, so they may have up to a shard's rows more than asked
for; --shard_examples bounds it. Up to --held_out_rows rows of each task are recorded
for evaluation. The seed is train.seed.

What the objectives get from a sample of the text is checked first, as before a run.

Exit status:
  0   done
  75  stopped by SIGTERM; run the same command to continue
  1   a worker died; run the same command to continue
  2   a wrong argument, or a damaged recording
"""

LAYOUTS = ("mixed", "per_objective")

ACTING = {
    "out": (
        *("gin_file", "layout", "workers", "rows", "passes", "held_out_rows"),
        *("shard_examples", "runner", "beam_option", "imports"),
    ),
    "check": (),
    "show": ("vocabulary",),
}
"""What can be done, and the options that act on it, as argparse names their values."""


def record_options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Reads the options and the gin bindings.

    Raises:
      UsageError: nothing or several things are to be done, or an option changes nothing
        of what is.
    """
    parser = record_parser()
    options, bindings = parse_gin(parser, arguments)
    chosen = [name for name in ACTING if getattr(options, name)]
    if len(chosen) != 1:
        raise UsageError(
            "give one of --out=DIR (with --gin_file), --check DIR and --show DIR, not "
            + (" and ".join(f"--{name}" for name in chosen) or "none of them")
            + "."
        )
    given = {
        action.dest: action.option_strings[0]
        for action in parser._actions
        if action.dest not in ACTING
        and getattr(options, action.dest, action.default) != action.default
    }
    _require_acting(chosen[0], given, bindings)
    if options.out and not options.gin_file:
        raise UsageError("--out needs --gin_file=FILE, which says what to record.")
    return options, bindings


def _require_acting(
    done: str, given: Mapping[str, str], bindings: Sequence[str]
) -> None:
    """Refuses options that would change nothing of what is done."""
    for name, option in given.items():
        if name not in ACTING[done]:
            (other,) = (way for way, names in ACTING.items() if name in names)
            raise UsageError(
                f"{option} changes nothing of --{done}; it is for --{other}."
            )
    if bindings and done != "out":
        raise UsageError(
            f"{bindings[0]!r} changes nothing of --{done}; bindings are for --out."
        )
    if "runner" in given and "workers" in given:
        raise UsageError(
            "--workers changes nothing of --runner, which has workers of its own; give "
            "its own option as --beam_option."
        )
    if "beam_option" in given and "runner" not in given:
        raise UsageError("--beam_option is passed to --runner, which is not given.")


def record_parser() -> argparse.ArgumentParser:
    """The parser of `sightline record`."""
    parser = gin_parser("record", _ABOUT, files="optional")
    parser.add_argument("--out", metavar="DIR", help="record into this folder")
    parser.add_argument(
        "--check", metavar="DIR", help="verify every byte and row of a recording"
    )
    parser.add_argument(
        "--show", metavar="DIR", help="say what is inside a recording, with a preview"
    )
    parser.add_argument(
        "--layout",
        default="mixed",
        metavar="|".join(LAYOUTS),
        help="whether rows mix the tasks (mixed, the default) or hold one each",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="number of processes (one a core)",
    )
    parser.add_argument(
        "--rows",
        type=int,
        metavar="N",
        help="rows to record, at least: of the mixture, or of each task",
    )
    parser.add_argument(
        "--passes",
        type=int,
        metavar="K",
        help="passes over the corpus, each with other masks and spans",
    )
    parser.add_argument(
        "--held_out_rows",
        type=int,
        default=512,
        metavar="N",
        help="most of each task (512)",
    )
    parser.add_argument(
        "--shard_examples",
        type=int,
        default=8192,
        metavar="N",
        help="Examples in a shard (8192)",
    )
    parser.add_argument(
        "--runner",
        metavar="NAME",
        help="record through Apache Beam: DirectRunner, FlinkRunner, ...; needs "
        "sightline[beam], and --out on a file system that all machines share",
    )
    parser.add_argument(
        "--beam_option",
        action="append",
        default=[],
        metavar="OPTION",
        help="passed to the runner: --beam_option=--direct_num_workers=4; repeatable",
    )
    parser.add_argument(
        "--vocabulary",
        metavar="FILE",
        help="of the recording, for --show, if it is not a shipped one",
    )
    return parser
