"""`sightline mix preview`: show what the slots of a mixture see, ask and predict."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...models.rows import RowShape, decoder_rows, encoder_decoder_rows
from ...objectives.errors import UsageError, nearest, require_count, require_seed
from ...objectives.registry import base_name
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.examples.preflight import check_examples
from ...tasks.examples.sample_examples import draw
from ...tasks.files import write_whole
from ...tasks.preview.reading import telling_slot
from ...tasks.preview.scene import Scene, Slot, scene
from ...tasks.tokens.vocabulary import vocabulary
from ..terminal import preview
from ..terminal.preview_page import Page, page
from ._arguments import gin_parser, parse_gin, require_file

_ABOUT = """\
Show real Examples of each task of a mixture as the model reads them: what each slot
sees, from where it asks, and what it predicts.

  sightline mix preview --gin_file=mixtures/five.gin
  sightline mix preview --gin_file=mixtures/five.gin --objective=permuted --slot=60
  sightline mix preview --gin_file=mixtures/five.gin --html=five.html
"""

ARCHITECTURES = ("decoder", "encoder_decoder")
WIDEST = 110
"""Columns; longer lines are hard to read."""


def main(arguments: Sequence[str]) -> int:
    """Prints the preview, or writes it as a page; returns the exit status."""
    options, bindings = parse_gin(_parser(), arguments)
    target = None if options.html is None else Path(options.html)
    if target is not None:
        require_file("--html", target)
    shape = rows(options.architecture, slots=options.slots)
    require_count("--examples", options.examples)
    require_seed("--seed", options.seed)

    from ..configuration.config import load

    mixture = Mixture(**load(options.gin_file, bindings).arguments("Mixture"))
    tasks = tasks_of(mixture, options.objective)
    check_examples(mixture, shape)
    scenes = make_scenes(
        mixture, shape, tasks=tasks, seed=options.seed, examples=options.examples
    )
    slots = [choose(example, options.slot) for example in scenes]
    if target is not None:
        about = Page(mixture, options.architecture, options.slots, options.seed)
        write_whole(target, page(about, scenes, slots))
        print(f"wrote {target}")
        return 0
    _print(mixture, scenes, slots)
    return 0


def rows(architecture: str, *, slots: int) -> RowShape:
    """Rows of an architecture with that many slots and predictions in each stream.

    Raises:
      ValueError: an unknown architecture, or fewer than one slot.
    """
    if architecture not in ARCHITECTURES:
        raise UsageError(
            f"no architecture {architecture!r}; {nearest(architecture, ARCHITECTURES)}"
        )
    require_count("--slots", slots)
    if architecture == "decoder":
        return decoder_rows(slots=slots, predictions=slots)
    return encoder_decoder_rows(
        slots=slots, predictions=slots, memory_slots=slots, memory_predictions=slots
    )


def tasks_of(mixture: Mixture, objective: str | None) -> list[str]:
    """The tasks of a mixture, or those of one objective or variant of it.

    Args:
      mixture: only its tasks with a positive rate count.
      objective: name of an objective, a variant or a task; None for all.

    Raises:
      ValueError: the mixture has no such objective; the message names the nearest.
    """
    tasks = list(mixture.positive_rates())
    if objective is None:
        return tasks
    names = {task: split_task(task)[1] for task in tasks}
    chosen = [
        task
        for task, name in names.items()
        if objective in (task, name, base_name(name))
    ]
    if not chosen:
        raise UsageError(
            f"mixture {mixture.name!r} has no objective {objective!r}; "
            + nearest(objective, set(names.values()))
        )
    return chosen


def make_scenes(
    mixture: Mixture, shape: RowShape, *, tasks: Sequence[str], seed: int, examples: int
) -> list[Scene]:
    """Examples of real text, laid out and packed, one in each row."""
    vocab = vocabulary(mixture.vocabulary)
    return [
        scene(
            task,
            example,
            objective=mixture.objective(split_task(task)[1]),
            shape=shape,
            vocabulary=vocab,
        )
        for task, example in draw(
            mixture, shape, tasks=tasks, seed=seed, examples=examples
        )
    ]


def choose(scene: Scene, slot: int | None) -> Slot:
    """The chosen slot of the stream that predicts, or a telling one by default.

    Raises:
      ValueError: there is no such slot; the message gives the valid numbers.
    """
    telling = telling_slot(scene)
    if slot is None:
        return telling
    stream = scene.stream(telling.stream)
    if not 0 <= slot < len(stream):
        raise UsageError(
            f"--slot={slot}: the {telling.stream} of {scene.task!r} has the slots 0 to "
            f"{len(stream) - 1} in this Example; give one of those, or --objective "
            "for the task that you mean."
        )
    return stream[slot]


def _print(mixture: Mixture, scenes: Sequence[Scene], slots: Sequence[Slot]) -> None:
    console = Console(highlight=False)
    console.width = min(console.width, WIDEST)
    shares = mixture.task_shares()
    console.print(preview.legend(), "", sep="\n")
    for example, slot in zip(scenes, slots, strict=True):
        note = f"{shares[example.task]:.1%} of the examples"
        console.print(preview.example(example, slot, note=note))


def _parser() -> argparse.ArgumentParser:
    parser = gin_parser("mix preview", _ABOUT)
    parser.add_argument("--objective", metavar="NAME", help="show only this one")
    parser.add_argument(
        "--slot",
        type=int,
        metavar="N",
        help="slot to explain, of the stream that predicts (default: a telling one)",
    )
    parser.add_argument("--examples", type=int, default=1, metavar="N", help="of each")
    parser.add_argument("--slots", type=int, default=64, metavar="N", help="of a row")
    parser.add_argument(
        "--architecture", default="decoder", metavar="|".join(ARCHITECTURES)
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the Examples drawn"
    )
    parser.add_argument("--html", metavar="FILE", help="write an interactive page")
    return parser
