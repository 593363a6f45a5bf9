"""`sightline record`: write a mixture to disk as packed rows; check or show them."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from ...objectives.errors import UsageError, nearest, require_count
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
        *("shard_examples", "runner", "beam_option"),
    ),
    "check": (),
    "show": ("vocabulary",),
}
"""What can be done, and the options that act on it."""


def main(arguments: Sequence[str]) -> int:
    """Records, checks or shows; returns the exit status."""
    parser = _parser()
    options, bindings = parse_gin(parser, arguments)
    chosen = [name for name in ACTING if getattr(options, name)]
    if len(chosen) != 1:
        raise UsageError(
            "give one of --out=DIR (with --gin_file), --check DIR and --show DIR, not "
            + (" and ".join(f"--{name}" for name in chosen) or "none of them")
            + "."
        )
    given = [
        name
        for name, value in vars(options).items()
        if name not in ACTING and value != parser.get_default(name)
    ]
    _require_acting(chosen[0], given, bindings)
    if options.check:
        return _check(Path(options.check))
    if options.show:
        return _show(Path(options.show), options.vocabulary)
    if not options.gin_file:
        raise UsageError("--out needs --gin_file=FILE, which says what to record.")
    return _record(options, bindings)


def _require_acting(done: str, given: Sequence[str], bindings: Sequence[str]) -> None:
    """Refuses options that would change nothing of what is done."""
    for name in given:
        if name not in ACTING[done]:
            (other,) = (way for way, names in ACTING.items() if name in names)
            raise UsageError(
                f"--{name} changes nothing of --{done}; it is for --{other}."
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


def _record(options: argparse.Namespace, bindings: Sequence[str]) -> int:
    from rich.console import Console

    from ...tasks.examples.window_check import check_windows, remarks
    from ...tasks.recorded.record import record
    from ...tasks.recorded.workers import WorkerError
    from ..configuration.recipe import recipe_of
    from ..terminal.recorded import groups_table, recording_bar, summary

    for name in ("workers", "shard_examples"):
        require_count(f"--{name}", getattr(options, name))
    require_count("--held_out_rows", options.held_out_rows, least=0)
    if options.layout not in LAYOUTS:
        raise UsageError(
            f"no layout {options.layout!r}; {nearest(options.layout, LAYOUTS)}"
        )
    recipe = recipe_of(
        options.gin_file,
        bindings,
        layout=options.layout,
        row_count=options.rows,
        passes=options.passes,
        part_examples=options.shard_examples,
        held_out_rows=options.held_out_rows,
    )
    runner = _runner(options)
    for line in remarks(*check_windows(recipe.mixture, recipe.rows)):
        print(line, file=sys.stderr)
    folder = Path(options.out)
    try:
        with _stopped_by_sigterm(), recording_bar(Console(stderr=True)) as bar:
            manifest = record(recipe, folder, runner=runner, show=bar)
    except WorkerError as error:
        print(f"sightline: {error}", file=sys.stderr)
        return 1
    console = Console()
    console.print(summary(manifest, folder))
    console.print(groups_table(manifest))
    return 0


def _runner(options: argparse.Namespace) -> Any:
    """What does the jobs: processes of this machine, or an Apache Beam runner."""
    import functools

    if options.runner is not None:
        from ...tasks.recorded.beam_runner import beam_runner

        return beam_runner(options.runner, options.beam_option)
    from ...tasks.recorded.workers import done_in_processes

    return functools.partial(done_in_processes, workers=options.workers)


def _check(folder: Path) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from ...tasks.recorded.check import check
    from ...tasks.recorded.manifest import read_manifest

    groups = read_manifest(folder).groups
    total = sum(shard.bytes for group in groups for shard in group.shards)
    console = Console(stderr=True)
    columns = TextColumn("checking"), BarColumn(), DownloadColumn()
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=total)
        recording = check(folder, checked=lambda size: bar.advance(task, size))
    shards = sum(len(group.shards) for group in groups)
    rows = sum(group.rows for group in groups)
    print(
        f"{folder} is sound: {rows:,} rows in {shards:,} shards of {total:,} bytes; "
        f"identity {recording.manifest.identity}"
    )
    return 0


def _show(folder: Path, vocabulary_name: str | None) -> int:
    from rich.console import Console

    from ...tasks.preview.reading import telling_slot
    from ...tasks.preview.recorded_scene import shortest_scenes
    from ...tasks.recorded.serve import Recording
    from ...tasks.recorded.serving import serving_cost
    from ..terminal import preview
    from ..terminal.recorded import groups_table, serving_table, summary

    recording = Recording(folder)
    console = Console(highlight=False)
    console.print(summary(recording.manifest, folder))
    console.print(groups_table(recording.manifest))
    if recording.manifest.recipe["layout"] == "per_objective":
        console.print(serving_table(serving_cost(recording)))
    vocab = _vocabulary(recording, vocabulary_name)
    if vocab is None:
        console.print(
            "No preview: none of the shipped vocabularies is that of the recording; "
            "give its file as --vocabulary=FILE.model."
        )
        return 0
    console.print("", preview.legend(), "", sep="\n")
    for group in recording.manifest.of_split("train"):
        rows = recording.rows(group, range(min(64, group.rows)))
        for scene in shortest_scenes(rows, vocab):
            note = f"{group.name}, the shortest of its first rows"
            console.print(preview.example(scene, telling_slot(scene), note=note))
    return 0


def _vocabulary(recording: Any, name: str | None) -> Any:
    """The recording's vocabulary: of the given name, or a shipped one; else None."""
    from ...tasks.tokens import vocabulary

    wanted = recording.manifest.recipe["vocabulary"]["sha256"]
    if name is not None:
        given = vocabulary.vocabulary(name)
        if given.digest != wanted:
            raise UsageError(
                f"--vocabulary: {name!r} is not the vocabulary of {recording.folder}: "
                f"its sha256 is {given.digest}, that of the recording {wanted}."
            )
        return given
    shipped = map(vocabulary.vocabulary, vocabulary.names())
    return next((vocab for vocab in shipped if vocab.digest == wanted), None)


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the recording with exit status 75; what is finished is kept."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        print("Stopped; run the same command to go on.", file=sys.stderr)
        sys.exit(os.EX_TEMPFAIL)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may change a handler
        return
    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _parser() -> argparse.ArgumentParser:
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
