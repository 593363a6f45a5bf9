"""`sightline tune confirm`: a recommended mixture against the incumbent."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from ...diagnosis.tuning.counting import NOT_LEARNED
from ...diagnosis.tuning.table import LOSS_SHARE
from ...objectives.errors import UsageError, nearest, require_count, require_seed
from ...tasks.files import write_whole
from ..hosts.compilation_cache import use_compilation_cache
from ._arguments import gin_parser, parse_gin, require_folder
from ._tuning import require_fitting

_ABOUT = """\
Train a recommended mixture and the incumbent, with seeds that no table has seen, and
report the difference of every failure and of the own loss, seed by seed, with 95 %
intervals. Runs that are done are kept; the same command continues.

  sightline tune confirm --gin_file=three_failures.gin --out=confirmed --seeds=3 \\
    --recommendation=found/recommendation.json

Written to --out: runs.csv, runs.csv.gin (what trained its rows) and confirmation.json.
"""

WINNER, INCUMBENT = "winner", "incumbent"

_NEEDED = (
    *("mixture", "recommended", "evidence", "incumbent", "components"),
    *("targets", "loss", "most_loss", "seeds"),
)
"""What is read of a recommendation."""

FIRST_SEED = 1000
"""Of a confirmation, where the table has no larger ones."""


def main(arguments: Sequence[str]) -> int:
    """Trains both and prints the differences; returns the exit status."""
    use_compilation_cache()
    require_fitting()

    from ...diagnosis.tuning.confirmation import (
        LEAST_SEEDS,
        as_values,
        failure_difference,
        loss_difference,
    )
    from ..configuration.config import load
    from ..configuration.study import study_of
    from ..studies.proxies import Proxies
    from ..studies.proxy_probes import failures_of
    from ..terminal.recommendation import print_confirmation
    from ._design_runs import Wanted
    from ._proxy_table import OWN_LOSS, SCORE, train_table, trained_by

    options, bindings = _options(arguments)
    require_count("--seeds", options.seeds, least=LEAST_SEEDS)
    found = _recommendation(options.recommendation, candidate=options.candidate)
    maximise, minimise = (found["targets"][key] for key in ("maximise", "minimise"))
    of_target = {name: name.removeprefix(SCORE) for name in (*maximise, *minimise)}
    config = load(options.gin_file, bindings)
    proxies = Proxies(
        study=study_of(config),
        components=tuple(found["components"]),
        size=options.population,
        failures=failures_of(list(of_target.values())),
    )
    first = options.seed
    if first is None:
        first = max(FIRST_SEED, max(found["seeds"], default=0) + 1)
    seeds = range(first, first + options.seeds)
    require_seed("the last seed, of --seed and --seeds,", seeds[-1])
    _check_fresh(seeds, found["seeds"])
    _check_measured(
        found["loss"], [OWN_LOSS, *(f"loss_{name}" for name in proxies.components)]
    )
    mixtures = {WINNER: found["mixture"], INCUMBENT: found["incumbent"]}
    runs = [
        Wanted(name, "confirm", _columns(mixture), seed)
        for seed in seeds
        for name, mixture in mixtures.items()
    ]
    options.out.mkdir(exist_ok=True)
    rows = train_table(
        proxies,
        runs,
        options.out / "runs.csv",
        Console(stderr=True),
        config=trained_by(config, proxies),
    )

    count = _that_count(rows, seeds)

    def pair(column: str) -> list[np.ndarray]:
        return [_scores(rows, name, column, count) for name in (WINNER, INCUMBENT)]

    failures = {
        name: failure_difference(*pair(f"{SCORE}{failure}"), maximise=name in maximise)
        for name, failure in of_target.items()
    }
    loss = loss_difference(*pair(found["loss"]), most_loss=found["most_loss"])
    values = as_values(failures, loss, most_loss=found["most_loss"], seeds=count)
    others = [seed for seed in seeds if seed not in count]
    if others:
        values["evidence"] += (
            f" Seeds {', '.join(map(str, others))} do not count, as a mixture trained "
            f"something in vain ({NOT_LEARNED} in runs.csv)."
        )
    values["not_counted"] = others
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1)
    write_whole(options.out / "confirmation.json", text + "\n")
    print_confirmation(values, Console())
    print(options.out)
    return 0


def _options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = gin_parser("tune confirm", _ABOUT)
    add = parser.add_argument
    add(
        "--recommendation",
        required=True,
        type=Path,
        metavar="FILE",
        help="recommendation.json of `tune recommend`",
    )
    add("--out", required=True, type=Path, metavar="DIR", help="of the files")
    add("--seeds", type=int, default=3, metavar="N", help="runs of each mixture (3)")
    add(
        "--seed",
        type=int,
        metavar="S",
        help=f"the first of them ({FIRST_SEED}, or above all of the table's)",
    )
    add("--population", type=int, default=2, metavar="K", help="side by side (2)")
    add(
        "--candidate",
        action="store_true",
        help="take the best mixture found, though there is no evidence for it",
    )
    options, bindings = parse_gin(parser, arguments)
    require_count("--population", options.population)
    if options.seed is not None:
        require_seed("--seed", options.seed)
    require_folder("--out", options.out)
    return options, bindings


def _recommendation(path: Path, *, candidate: bool) -> dict[str, Any]:
    """The recommendation of a file.

    Raises:
      UsageError: it is none, or recommends no mixture.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no JSON: {error}") from error
    lacking = "names" if not isinstance(found, dict) else _lacking(found)
    if lacking:
        raise UsageError(
            f"{path} is no recommendation: it has no {lacking}; give the "
            "recommendation.json that `sightline tune recommend --out=DIR` writes."
        )
    if found["mixture"] is None:
        raise UsageError(f"{path} holds no mixture to confirm: {found['evidence']}")
    if not (found["recommended"] or candidate):
        raise UsageError(
            f"{path} recommends no mixture: {found['evidence']} Give --candidate to "
            "train the best one found all the same."
        )
    return found


def _lacking(found: Mapping[str, Any]) -> str | None:
    """The first thing that a recommendation needs and this one lacks."""
    for name in _NEEDED:
        if name not in found:
            return repr(name)
    targets = found["targets"]
    if not isinstance(targets, dict) or targets.keys() != {"maximise", "minimise"}:
        return "'maximise' and 'minimise' in its 'targets'"
    return None if any(targets.values()) else "failure in its 'targets'"


def _check_measured(loss: str, columns: Sequence[str]) -> None:
    """Refuses a limit on what is no column of the runs."""
    if loss not in columns:
        raise UsageError(
            f"the recommendation limits {loss!r}, which no run of `tune confirm` "
            f"measures; recommend with another --loss: {nearest(loss, columns)}"
        )


def _check_fresh(seeds: range, seen: Sequence[int]) -> None:
    """Refuses seeds of runs that the mixture was chosen by."""
    again = [seed for seed in seeds if seed in seen]
    if again:
        raise UsageError(
            f"seeds {', '.join(map(str, again))} are among those of the table that the "
            f"mixture was chosen by; give --seed={max(seen) + 1} or more."
        )


def _columns(mixture: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    shares = {f"{LOSS_SHARE}{n}": s for n, s in mixture["loss_shares"].items()}
    return {**mixture["rates"], **shares}


def _that_count(rows: Sequence[Mapping[str, str]], seeds: range) -> list[int]:
    """The seeds with which both mixtures learned what they train.

    Raises:
      UsageError: there are too few of them for an interval.
    """
    from ...diagnosis.tuning.confirmation import LEAST_SEEDS

    failed = {int(row["seed"]) for row in rows if row[NOT_LEARNED]}
    count = [seed for seed in seeds if seed not in failed]
    if len(count) < LEAST_SEEDS:
        raise UsageError(
            f"of {len(seeds)} seeds {len(count)} count, as a run must have learned "
            f"what its mixture trains, and an interval takes {LEAST_SEEDS}; train "
            "longer (study.tokens), give more --seeds, or say what need not be learned "
            "(study.ungated)."
        )
    return count


def _scores(
    rows: Sequence[Mapping[str, str]], name: str, column: str, seeds: Sequence[int]
) -> np.ndarray:
    """A column of a mixture's runs, by seed.

    Raises:
      UsageError: there was nothing to measure in one of them.
    """
    cells = {int(r["seed"]): r[column] for r in rows if r["mixture"] == name}
    for seed in seeds:
        if not cells[seed]:
            raise UsageError(
                f"{column} of {name!r} with seed {seed} could not be measured; bind "
                "more study.documents, or another --seed."
            )
    return np.array([float(cells[seed]) for seed in seeds])
