"""`sightline plan`: what a configuration needs on a cluster that is not there."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...objectives.errors import UsageError, require_count, require_positive
from ..pods.plan import environment
from ..pods.plan.names import topology
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Compile the train step for a cluster and say whether it fits, what bounds its speed,
what it communicates and what is wasteful. No TPU is needed, only its compiler (libtpu).

  sightline plan --gin_file=any_mixture.gin --gin_file=models/1b.gin \\
    --gin_file=t5.gin --topology=v5e-64 --gin.train.batch_rows=512
  sightline plan ... --topology=v5p-128 --slices=2 --gin.MeshShape.slices=2
  sightline plan ... --topology=cpu-8     eight CPU devices, emulated
  sightline plan ... --topology=here      the devices of this machine

A compiled step is kept in the user's cache folder: the same plan again takes seconds.
--search tries meshes, remat policies and microbatches, always nearest to the best yet.

Exit status: 0 where a plan fits, or the devices' memory is not known; 1 where none
does; 2 a wrong argument or binding.
"""

MOST = 12
"""Settings that a search compiles at most, where nothing else is asked for."""


def main(arguments: Sequence[str]) -> int:
    """Prints the plan; returns 1 if it does not fit, nor any of a search."""
    parser = gin_parser("plan", _ABOUT)
    parser.add_argument(
        "--topology", required=True, metavar="NAME", help="of one slice, as above"
    )
    parser.add_argument(
        "--slices", type=int, default=1, metavar="N", help="of that topology (1)"
    )
    parser.add_argument("--search", action="store_true", help="try other settings")
    parser.add_argument(
        "--most",
        type=int,
        default=MOST,
        metavar="N",
        help="with --search: settings to compile at most (%(default)d)",
    )
    parser.add_argument("--format", choices=("screen", "json"), default="screen")
    parser.add_argument(
        "--price", type=float, metavar="USD", help="of a chip for an hour"
    )
    parser.add_argument(
        "--vocabulary_size",
        type=int,
        metavar="V",
        help="tokens of a vocabulary that is not at hand (the mixture's)",
    )
    options, bindings = parse_gin(parser, arguments)
    if options.vocabulary_size is not None:
        require_count("--vocabulary_size", options.vocabulary_size)
    if options.price is not None:
        require_positive("--price", options.price)
    if options.most != MOST and not options.search:
        raise UsageError(
            f"--most={options.most} is how many settings a search compiles; add "
            "--search, or leave it out."
        )
    wanted = topology(options.topology, slices=options.slices)
    environment.prepare(wanted, os.environ)

    from ..pods.plan.planner import Planner
    from ..pods.plan.search import ranked, settings_to_try
    from ._train_settings import train_settings

    settings = train_settings(options.gin_file, bindings)
    with _phases() as show:
        planner = Planner(
            wanted,
            vocabulary_size=options.vocabulary_size,
            price=options.price,
            show=show,
        )
        tried: Sequence[Mapping[str, Any]] = [settings]
        if options.search:
            tried = settings_to_try(settings, planner.cluster)
        reports = ranked(planner.plan, tried, most=options.most, show=show)
    _print(reports, options.format)
    return 1 if reports[0]["fits"] is False else 0


@contextlib.contextmanager
def _phases() -> Iterator[Callable[[str], None]]:
    """Shows phases on standard error, also while what compilers print is caught."""
    from rich.console import Console

    from ..pods.plan.captured import uncaptured_stderr
    from ..terminal.progress import phases

    with uncaptured_stderr() as file, phases(Console(file=file)) as show:
        yield show


def _print(reports: Sequence[Mapping[str, Any]], kind: str) -> None:
    """The best plan, and the table of all where there are several."""
    if kind == "json":
        print(json.dumps(reports if len(reports) > 1 else reports[0], indent=2))
        return
    from rich.console import Console

    from ..terminal.plan import plan_screen, ranking

    console = Console(highlight=False)
    if len(reports) > 1:
        console.print(ranking(reports))
    console.print(plan_screen(reports[0]))
