"""`sightline study`: train mixtures side by side or from a checkpoint; probe each."""

import functools
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ...diagnosis.results import effects_file
from ...diagnosis.results.adaptation_table import spoken
from ...diagnosis.results.measures import measures
from ...diagnosis.results.study_picture import curves
from ...diagnosis.results.study_summary import effects
from ...diagnosis.results.study_table import better_on_all, markdown
from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..studies import outcome
from ..studies.checks import (
    require_apart,
    require_measurable,
    require_recorded,
    require_schedules,
)
from ..studies.facts import Facts, facts
from ..studies.folder import of_training, prepare_folder
from ..studies.jobs import Jobs
from ..studies.store import Store
from ..studies.workers import Task, work
from ._arguments import gin_parser, parse_gin

_ABOUT = """\
Train the mixes of a study on equal processed tokens, probe each, and write a table,
curves and effects. A study with an adaptation trains its incumbent, and from there on
every mix, every addition and every ablation, at several budgets. What is done is kept,
checkpoints among it: the same command continues the study, and measures again what is
to be measured otherwise. Where checkpoints are not kept (study.keep_checkpoints), it
trains again for that, and says which runs.

  sightline study --gin_file=three_failures.gin --out=runs/study
  sightline study --gin_file=adaptation_small.gin --out=runs/adaptation --minutes=8

Exit status:
  0   done
  75  the time was over; run the same command to continue
  1   a run failed, or was killed; run the same command to continue
  2   a wrong argument, or a run that could not go on; the message says why
"""

STOPPED = 75
"""Exit status, as of `sightline train`."""


def main(arguments: Sequence[str]) -> int:
    """Does what is still to be done, then writes the results."""
    parser = gin_parser("study", _ABOUT)
    add = parser.add_argument
    add("--out", required=True, metavar="FOLDER")
    add("--workers", type=int, default=2, metavar="N", help="runs side by side (2)")
    add("--minutes", type=float, default=np.inf, metavar="M", help="stop after that")
    options, bindings = parse_gin(parser, arguments)
    if options.workers < 1:
        raise UsageError(f"--workers is {options.workers}; give 1 or more.")
    if not options.minutes > 0:
        raise UsageError(f"--minutes is {options.minutes}; give more than 0.")
    deadline = time.time() + 60 * options.minutes

    from ..configuration.config import load
    from ..configuration.study import read_study, study_of

    config = load(options.gin_file, bindings)
    study = study_of(config)
    require_measurable(study)
    identities = study.mixture(study.incumbent).identities()
    for name in study.mixes:
        identities[f"mix {name}"] = outcome.mix_identity(study.mixture(name))
    text = config.resolved_config("study")
    out = prepare_folder(options.out, text, identities=identities)
    data = facts(study, out, config=of_training(text))
    require_apart(data)
    jobs = Jobs(study, Store(out), own_share=data.own_share)
    require_schedules(study, jobs.arms.values())
    if not all(jobs.is_done(run) for run in jobs.runs.values()):
        require_recorded(study, jobs.arms.values())
    again = [run.name for run in jobs.trained_again()]
    if again:
        print(
            "Trained again, as they are to be measured otherwise or begun with, and "
            f"their checkpoints were not kept: {', '.join(again)}.",
            file=sys.stderr,
        )
    read = functools.partial(read_study, options.gin_file, bindings)
    task = Task(read, data.own_share, jobs.store, deadline)
    done = _run(jobs, task, workers=options.workers)
    if done or study.adaptation is not None:  # of which parts can be compared
        command = shlex.join(["sightline", "study", *arguments])
        written = _write(jobs, data, command=command)
        for path in set(out.glob("effects/*.json")) - set(written):
            path.unlink()  # of a name that the study had
        print(*written, sep="\n")
    return 0 if done else STOPPED


def _run(jobs: Jobs, task: Task, *, workers: int) -> bool:
    """Does what is waiting, with a progress bar; returns whether everything is done."""
    tokens = {r.name: r.length - r.fork for r in jobs.runs.values()}
    waiting = [run for run in jobs.runs.values() if not jobs.is_done(run)]
    done = dict(tokens)
    for run in waiting:
        done[run.name] = 0
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.1f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    stopped, ended = False, len(jobs.runs) - len(waiting)
    with bar:
        shown = bar.add_task(
            "study", total=sum(tokens.values()), completed=sum(done.values())
        )
        for news in work(waiting, task, ready=jobs.is_ready, workers=workers):
            if news.tokens is None:
                stopped = stopped or news.outcome == "stopped"
                if news.outcome == "done":
                    ended += 1
                    done[news.run] = tokens[news.run]
                # Above the bar; the only output where standard error is no terminal.
                bar.console.print(
                    f"{news.run}: {news.outcome}", markup=False, highlight=False
                )
            else:
                done[news.run] = news.tokens - jobs.runs[news.run].fork
            bar.update(
                shown,
                completed=sum(done.values()),
                description=f"{ended} of {len(jobs.runs)} runs",
            )
    return not stopped


def _write(jobs: Jobs, data: Facts, *, command: str) -> list[Path]:
    """Writes the results of a study that is done; returns the files."""
    study, out = jobs.study, jobs.store.folder
    measured = outcome.counted(jobs)
    for refusal in measured.refusals:
        reasons = "; ".join(refusal.reasons)
        print(f"{refusal.mix}, seed {refusal.seed}, does not count: {reasons}.")
    if study.adaptation is not None:
        budgets = outcome.budgets_of(jobs, measured.records, command=command)
        for name, each in budgets.items():
            for verdict in each.verdicts:
                print(f"{name}: {spoken(verdict)}")
        return outcome.write(jobs, data, measured, budgets, command=command)
    mixes = {name: outcome.mix_of(arm.mixture) for name, arm in jobs.arms.items()}
    counting = {record.mix for record in measured.records}
    if study.incumbent not in counting:
        raise UsageError(
            f"no run of the incumbent {study.incumbent!r} counts, so there is nothing "
            "to compare with; train longer (study.tokens)."
        )
    found = effects(
        measured.records,
        measures(),
        {name: mix for name, mix in mixes.items() if name in counting},
        corpus=study.text_name,
        command=command,
        incumbent=study.incumbent,
        setup=outcome.setup(jobs, measured.records),
    )
    files = [out / "table.md", out / "curves.svg", out / f"effects/{study.name}.json"]
    effects_file.write(files[-1], found)
    sections = (outcome.published, outcome.published_differences)
    table = markdown(measured.records, found)
    table += "".join(section(measured.records) for section in sections)
    write_whole(files[0], table)
    picture = curves(
        measured.records, incumbent=study.incumbent, best=better_on_all(found)
    )
    write_whole(files[1], picture)
    return files
