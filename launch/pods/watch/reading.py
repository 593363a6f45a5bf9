"""Reads a run's directory, also while the run writes to it."""

import ast
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ....objectives.errors import UsageError
from ...runs import goodput, metrics, trace
from ...runs.changes import Changed, read_changes
from ...runs.holding import Holding, holding
from ...runs.json_lines import read_lines
from ...runs.run_identity import Origin, bindings_of, written_origin
from ...runs.verified import check_manifests
from ...training.rollback import Rollback, rollbacks

Series = list[tuple[int, float]]
"""Values by step."""


class Skip(NamedTuple):
    """An update that was skipped.

    Attributes:
      step: its number.
      reason: "not finite" or "spike".
      rows: that it read, by their numbers in the run.
    """

    step: int
    reason: str
    rows: range


class Host(NamedTuple):
    """One process of the run, by its account of time.

    Attributes:
      number: its index.
      spent: where its time went.
      time: of its last line, seconds since 1970.
      step: steps done then; None before the first.
      stacks: whether it wrote its stacks, since it made no progress.
    """

    number: int
    spent: goodput.Summary
    time: float
    step: int | None
    stacks: bool


class RunStatus(NamedTuple):
    """What a run's directory tells.

    Attributes:
      folder: of the run.
      settings: bindings of its config by name.
      origin: checkpoint of another run with whose parameters it began; None without.
      holding: its lease; None if nobody has it.
      steps: loss of every step.
      skips: updates that were skipped.
      train: loss of each objective, and of all together under "".
      held_out: loss of each objective at the evaluations.
      baselines: entropy of each objective's held-out targets.
      speed: processed tokens a second.
      data_wait: share of the time that devices waited for a batch.
      hosts: by number; none before the first step.
      checkpoints: what is wrong with each, by step; None if nothing was found.
      quarantined: names of checkpoints that a start has passed over.
      rollbacks: decisions to go back.
      changes: settings that resumed starts have changed.
    """

    folder: Path
    settings: Mapping[str, str]
    origin: Origin | None
    holding: Holding | None
    steps: Series
    skips: list[Skip]
    train: dict[str, Series]
    held_out: dict[str, Series]
    baselines: dict[str, float]
    speed: Series
    data_wait: Series
    hosts: list[Host]
    checkpoints: dict[int, str | None]
    quarantined: list[str]
    rollbacks: list[Rollback]
    changes: list[Changed]

    @property
    def step(self) -> int:
        """Steps done, as far as is written."""
        reached = [host.step or 0 for host in self.hosts]
        return max([0, *reached, *(step for step, _ in self.steps[-1:])])

    @property
    def total(self) -> int:
        """Steps in all."""
        return int(self.settings["train.steps"])

    @property
    def state(self) -> str:
        """`running`, `stopped` or `done`; `killed` if its lease was left behind."""
        if self.holding is not None:
            return "running" if self.holding.alive else "killed"
        return "done" if self.step >= self.total else "stopped"


def read_run(run_dir: str) -> RunStatus:
    """Everything that a run's directory tells.

    Raises:
      UsageError: there is no run, or a file of it is damaged; it is named.
    """
    folder = Path(run_dir)
    config = folder / "config.gin"
    if not config.is_file():
        raise UsageError(
            f"{run_dir!r} holds no run: there is no {config.name} in it; give the "
            "--run_dir of a `sightline train` that has begun."
        )
    text = config.read_text("utf-8", errors="replace")
    settings = bindings_of(text)
    for name in ("train.steps", "train.batch_rows"):
        value = settings.get(name, "")
        if not (value.isdecimal() and int(value) > 0):
            raise UsageError(
                f"{config}: {name} is {settings.get(name)!r}, no number above 0; the "
                "file is damaged, and `sightline train` with the run's own config "
                "mends it."
            )
    figures = _figures(folder / "metrics.jsonl")
    steps = trace.read_trace(folder)
    gone_back = rollbacks(folder)
    return RunStatus(
        folder=folder,
        settings=settings,
        origin=written_origin(text),
        holding=holding(folder),
        steps=[(number, step.loss) for number, step in steps],
        skips=list(_skips(steps, gone_back, int(settings["train.batch_rows"]))),
        train=dict(figures["train"]),
        held_out=dict(figures["held_out"]),
        baselines={name: found[-1][1] for name, found in figures["baseline"].items()},
        speed=figures["tokens_per_second"][""],
        data_wait=figures["data_wait"][""],
        hosts=[_host(folder, number) for number in goodput.hosts(folder)],
        checkpoints=check_manifests(folder),
        quarantined=sorted(p.name for p in folder.glob("checkpoints_quarantined/*")),
        rollbacks=gone_back,
        changes=read_changes(folder),
    )


def value_of(settings: Mapping[str, str], name: str) -> Any:
    """A setting as a Python value; its text if it is a reference."""
    try:
        return ast.literal_eval(settings[name])
    except (ValueError, SyntaxError):
        return settings[name]


def _figures(path: Path) -> defaultdict[str, defaultdict[str, Series]]:
    """The numbers of a run's metrics that are shown, by kind and objective.

    Raises:
      UsageError: a line is damaged; names it.
    """
    found: defaultdict[str, defaultdict[str, Series]]
    found = defaultdict(lambda: defaultdict(list))
    for step, figures in read_lines(path, _figures_of):
        for kind, objective, value in figures:
            found[kind][objective].append((step, value))
    return found


def _figures_of(line: Any) -> tuple[int, list[tuple[str, str, float]]]:
    """The step of a record, and kind, objective and value of what is shown of it."""
    record = metrics.record(line)
    named = ((_kind(name), value) for name, value in record.items())
    return record["step"], [(*kind, float(value)) for kind, value in named if kind]


def _kind(name: str) -> tuple[str, str] | None:
    """What a value is, and of which objective; None of what is not shown."""
    if name in ("tokens_per_second", "data_wait"):
        return name, ""
    part, _, rest = name.partition("/")
    objective, _, what = rest.rpartition("/")
    if part == "train" and what == "loss":
        return "train", objective
    # A task (CORPUS.OBJECTIVE) has figures of its own.
    if part == "eval" and "." not in name and what in ("loss", "baseline"):
        return {"loss": "held_out", "baseline": "baseline"}[what], objective
    return None


def _skips(
    steps: Sequence[tuple[int, trace.Step]], gone_back: Sequence[Rollback], rows: int
) -> Iterator[Skip]:
    """The skipped updates, with the rows that they read."""
    for step, found in steps:
        if found.skipped:
            # Steps after going back read on from where the run stood.
            back = [one for one in gone_back if one.to < step]
            read = back[-1].place.batches + step - back[-1].to if back else step
            yield Skip(step, found.skipped, range((read - 1) * rows, read * rows))


def _host(folder: Path, number: int) -> Host:
    lines = goodput.read(folder / goodput.file_of(number))
    last = lines[-1] if lines else {}
    step = next((line["step"] for line in reversed(lines) if "step" in line), None)
    return Host(
        number,
        goodput.summary(folder, host=number),
        time=last.get("until", last.get("begin", math.nan)),
        step=step,
        stacks=(folder / f"stacks-{number}.txt").exists(),
    )
