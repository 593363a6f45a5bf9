"""`sightline study`: train mixtures side by side at equal tokens and probe each."""

import functools
import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ...diagnosis.results import effects_file, records
from ...diagnosis.results.effects import Mix, is_better
from ...diagnosis.results.study_picture import curves
from ...diagnosis.results.study_summary import effects
from ...diagnosis.results.study_table import MEASURES, markdown
from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..runs.directory import prepare_run_dir
from ..studies.jobs import Job, jobs, work
from ..studies.study import Study
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Train the mixes of a study side by side on equal processed tokens, probe each on the
way, and write table.md, curves.svg and effects.json. Finished runs are kept: the same
command continues the study.

  sightline study --gin_file=three_failures.gin --out=runs/study
"""


def main(arguments: Sequence[str]) -> int:
    """Runs what is still to be run, then writes the results."""
    parser = gin_parser("study", _ABOUT)
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    options, bindings = parse_gin(parser, arguments)
    if options.workers < 1:
        raise UsageError(f"--workers is {options.workers}; give 1 or more.")

    from ..configuration.config import load
    from ..configuration.study import study_of

    config = load(options.gin_file, bindings)
    study = study_of(config)
    mixes = {name: _mix(study, name) for name in study.mixes}
    identities = study.mixture(study.incumbent).identities()
    identities |= {f"mix {name}": _identity(mix) for name, mix in mixes.items()}
    text = config.resolved_config("study")
    out = prepare_run_dir(
        options.out, text, identities=identities, done="records/*.json"
    )
    folder = out / "records"
    folder.mkdir(exist_ok=True)
    waiting = jobs(list(study.mixes), study.seeds, folder)
    _run(study, waiting, folder, options, bindings)

    command = shlex.join(["sightline", "study", *arguments])
    measured = [r for r in records.read_all(folder) if r.mix in study.mixes]
    outcome = effects(
        measured,
        MEASURES,
        mixes,
        corpus=study.corpus,
        command=command,
        incumbent=study.incumbent,
    )
    effects_file.write(out / "effects.json", outcome)
    write_whole(out / "table.md", markdown(measured, outcome))
    judged = [effect.failure for effect in outcome.mixes[study.incumbent].effects]
    best = [n for n in mixes if all(is_better(outcome, n, f) for f in judged)]
    picture = curves(measured, incumbent=study.incumbent, best=best)
    write_whole(out / "curves.svg", picture)
    console = Console()
    for name in ("table.md", "curves.svg", "effects.json"):
        console.print(str(out / name), highlight=False)
    return 0


def _run(
    study: Study, waiting: Sequence[Job], folder: Path, options, bindings: Sequence[str]
) -> None:
    """Runs the waiting jobs, with a progress bar of the whole study."""
    from ..configuration.study import read_study

    done = len(study.mixes) * len(study.seeds) - len(waiting)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.1f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("study", total=study.tokens * (done + len(waiting)))
        tokens: dict[Job, int] = {}
        ended = done
        bar.update(task, completed=done * study.tokens)
        for news in work(
            waiting,
            folder,
            read=functools.partial(read_study, options.gin_file, bindings),
            workers=options.workers,
        ):
            tokens[news.job] = study.tokens if news.tokens is None else news.tokens
            if news.tokens is None:
                ended += 1
                # Above the bar; the only output where standard error is no terminal.
                mix, seed = news.job
                bar.console.print(f"{mix}, seed {seed}: done", highlight=False)
            bar.update(
                task,
                completed=done * study.tokens + sum(tokens.values()),
                description=f"{ended} of {done + len(waiting)} runs",
            )


def _mix(study: Study, name: str) -> Mix:
    """A mix as in `effects.json`: shares by objective or variant."""
    mixture = study.mixture(name)
    loss_shares = mixture.loss_share_array()
    shares = {o.base: float(loss_shares[o.id]) for o in mixture.objectives().values()}
    settings = {
        key: value for key, value in mixture.settings.items() if key != study.corpus
    }
    return Mix(mixture.objective_rates(), shares, settings, None, ())


def _identity(mix: Mix) -> str:
    """A mix's contents on one line: its file may change under its name."""
    return json.dumps([mix.rates, mix.loss_shares, mix.settings], sort_keys=True)
