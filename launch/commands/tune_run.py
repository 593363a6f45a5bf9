"""`sightline tune run`: train the mixtures of a design side by side."""

import argparse
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from ...diagnosis.tuning.table import MixtureTable, read_table
from ...objectives.errors import UsageError, require_count, require_seed
from ...tasks.files import write_whole
from ..studies.proxies import Proxies, ProxyScores
from ._arguments import gin_parser, parse_gin
from ._tuning import names

_ABOUT = """\
Train a small model of a study on every mixture of a design, several side by side in one
program, and write a table of their held-out losses, one column a component: `loss_A`.
Rows are added as they are done; the same command continues the table.

  sightline tune design --components=causal,masked --count=16 --out=design.csv
  sightline tune run --gin_file=three_failures.gin --components=causal,masked \\
    --design=design.csv --out=runs.csv --population=8
  sightline tune fit --csv=runs.csv --components=causal,masked \\
    --targets=loss_causal,loss_masked --minimise=loss_causal,loss_masked
"""

Rows = list[dict[str, str]]


def main(arguments: Sequence[str]) -> int:
    """Trains what is still to be trained; returns the exit status."""
    options, bindings = _options(arguments)
    components = names(options.components)
    design = read_table(options.design, components)
    if "mixture" not in design.cells[0]:
        raise UsageError(
            f"{options.design} has no column 'mixture', which names its rows, as "
            "`sightline tune design` writes it."
        )

    from ..configuration.study import read_study

    proxies = Proxies(
        study=read_study(options.gin_file, bindings),
        components=tuple(components),
        size=options.population,
        seed=options.seed,
    )
    done = _done(options.out, components)
    waiting = _waiting(design, done, options.seed, components)
    console = Console(stderr=True)
    for start in range(0, len(waiting), options.population):
        group = waiting[start : start + options.population]
        mixtures = [
            proxies.mixture(
                name, dict(zip(components, map(float, shares), strict=True))
            )
            for name, shares in group
        ]
        for (name, shares), scores in zip(group, proxies.train(mixtures), strict=True):
            done.append(_row(name, options.seed, components, shares, scores))
        write_whole(options.out, _csv(done))
        count = min(start + options.population, len(waiting))
        console.print(f"{count} of {len(waiting)} mixtures trained", highlight=False)
    print(options.out)
    return 0


def _options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = gin_parser("tune run", _ABOUT)
    add = parser.add_argument
    add("--components", required=True, metavar="A,B", help="objectives to mix")
    add("--design", required=True, type=Path, metavar="FILE", help="mixtures to train")
    add("--out", required=True, type=Path, metavar="FILE", help="the table")
    add("--population", type=int, default=8, metavar="K", help="side by side (8)")
    add("--seed", type=int, default=0, metavar="S", help="of parameters and data (0)")
    options, bindings = parse_gin(parser, arguments)
    require_count("--population", options.population)
    require_seed("--seed", options.seed)
    if not options.out.resolve().parent.is_dir():
        raise UsageError(
            f"--out={options.out}: there is no folder {str(options.out.parent)!r}; "
            "make it, or name another file."
        )
    if options.out.resolve() == options.design.resolve():
        raise UsageError(f"--out={options.out} would replace the design.")
    return options, bindings


def _columns(components: Sequence[str]) -> list[str]:
    losses = [f"loss_{component}" for component in components]
    return ["mixture", "seed", *components, "tokens", *losses]


def _done(path: Path, components: Sequence[str]) -> Rows:
    """The rows that an earlier run has written."""
    if not path.exists():
        return []
    table = read_table(path, components)
    if list(table.cells[0]) != _columns(components):
        raise UsageError(
            f"{path} is a table of other columns than this run writes "
            f"({', '.join(_columns(components))}); name another file."
        )
    return [dict(row) for row in table.cells]


def _waiting(
    design: MixtureTable, done: Rows, seed: int, components: Sequence[str]
) -> list[tuple[str, Sequence[float]]]:
    """Mixtures of the design that are not in the table with this seed."""
    known = {row["mixture"]: row for row in done if row["seed"] == str(seed)}
    waiting = []
    for row, shares in zip(design.cells, design.shares, strict=True):
        name = row["mixture"]
        if name not in known:
            waiting.append((name, [float(share) for share in shares]))
            continue
        before = [float(known[name][component]) for component in components]
        if any(abs(a - b) > 1e-6 for a, b in zip(before, shares, strict=True)):
            raise UsageError(
                f"mixture {name!r} has other shares in the design than in the table "
                "that is continued; name another --out."
            )
    return waiting


def _row(
    name: str,
    seed: int,
    components: Sequence[str],
    shares: Sequence[float],
    scores: ProxyScores,
) -> dict[str, str]:
    losses: Mapping[str, float] = scores.losses
    cells = [name, str(seed), *(f"{share:.9g}" for share in shares)]
    cells += [str(scores.tokens), *(f"{losses[c]:.6f}" for c in components)]
    return dict(zip(_columns(components), cells, strict=True))


def _csv(rows: Rows) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
