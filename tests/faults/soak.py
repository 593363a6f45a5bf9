"""Kills runs at random moments, many times, and compares them with one never killed.

    python tests/faults/soak.py --kills=200 --processes=1 --seed=0
    python tests/faults/soak.py --kills=200 --processes=2 --seed=0 --recorded

Every run is killed, resumed and killed again until it is complete; then its steps and
its last checkpoint must equal those of the run that was left alone, to the last bit.
"""

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from trial_runs import Trial, kill_at_random, last_step, same, saved_steps

STEPS = 120
EVERY = 10
"""Steps between checkpoints: every one is saved while the next steps run."""


def main() -> int:
    """Prints one table; returns 1 if anything was lost or differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--recorded", action="store_true", help="record the rows first; runs start fast"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    table = Table(title=f"Soak: {options.processes} process(es), seed {options.seed}")
    for column in ("figure", "value"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    counts, wrong = soak(folder, options)
    for name, value in counts.items():
        table.add_row(name, f"{value:,}")
    Console().print(table)
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        print(f"left in {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


def soak(folder: Path, options: argparse.Namespace) -> tuple[Counter, list[str]]:
    """Kills runs until there were enough; what happened, and what is wrong."""
    data = [f"train.data='{record(folder / 'rows')}'"] if options.recorded else []
    trial = Trial(
        folder=folder,
        bindings=(
            f"train.steps={STEPS}",
            f"train.checkpoint_every={EVERY}",
            "train.log_every=5",
            *data,
        ),
        processes=options.processes,
    )
    rng = random.Random(options.seed)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    began = time.monotonic()
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("kills", total=options.kills)
        whole = trial.finish("whole").folder
        longest = time.monotonic() - began
        while counts["kills"] < options.kills:
            name = f"run-{counts['runs']}"
            wrong += killed_run(trial, name, whole, rng, counts, longest=longest)
            counts["runs"] += 1
            bar.update(task, completed=counts["kills"])
    counts["minutes"] = round((time.monotonic() - began) / 60)
    return counts, wrong


def record(folder: Path) -> Path:
    """Records fewer rows than a run reads, and returns their folder."""
    words = ["--gin_file=quickstart.gin", f"--out={folder}", "--held_out_rows=8"]
    sizes = ["--rows=512", "--shard_examples=1024"]
    command = [sys.executable, "-m", "sightline", "record", *words, *sizes]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


def killed_run(
    trial: Trial, name: str, whole: Path, rng, counts: Counter, *, longest: float
) -> list[str]:
    """Kills a run at most eight times, then lets it finish; what is wrong with it."""
    wrong = []
    folder = trial.folder / name
    for _ in range(8):
        run = trial.start(name)
        moment = kill_at_random(run, rng, longest=longest)
        if moment == "ended":
            break
        counts["kills"] += 1
        counts[f"kills while {moment}"] += 1
        saved = saved_steps(folder)[-1:] or [0]
        counts["steps taken again"] += max(0, last_step(folder) - saved[0])
    trial.finish(name)
    if same(folder, whole, step=STEPS):
        counts["runs equal to the one left alone"] += 1
        shutil.rmtree(folder)
    else:
        wrong.append(f"{name} differs from the run that was left alone")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
