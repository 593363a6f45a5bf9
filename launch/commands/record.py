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
from ._arguments import require_folders
from ._record_options import LAYOUTS, record_options


def main(arguments: Sequence[str]) -> int:
    """Records, checks or shows; returns the exit status."""
    options, bindings = record_options(arguments)
    if options.check:
        return _check(Path(options.check))
    if options.show:
        return _show(Path(options.show), options.vocabulary)
    return _record(options, bindings)


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
    folder = Path(options.out)
    require_folders("--out", folder)
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
