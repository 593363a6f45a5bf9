"""`sightline tune run`: train the mixtures of a design side by side, and probe them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...diagnosis.tuning.table import read_table
from ...objectives.errors import UsageError, require_count, require_seed
from ..hosts.compilation_cache import use_compilation_cache
from ._arguments import gin_parser, parse_gin, require_file
from ._tuning import names

_ABOUT = """\
Train a small model of a study on every mixture of a design, several side by side in one
program, and write a table: the held-out loss of each component (`loss_A`), the
incumbent's own held-out loss (`own_loss`) and the primary probe score of each failure
(`score_drift`). Rows are added as they are done; the same command continues the table,
and another model or text is refused: FILE.gin, beside it, says what trained its rows.

  sightline tune design --components=causal,masked,permuted --count=20 --held_out=8 \\
    --seeds=3 --current=incumbent.gin --out=design.csv
  sightline tune run --gin_file=three_failures.gin --design=design.csv \\
    --components=causal,masked,permuted --out=runs.csv --population=4
  sightline tune recommend --csv=runs.csv --components=causal,masked,permuted \\
    --maximise=score_drift,score_continuation --minimise=score_reconstruction \\
    --out=found
"""


def main(arguments: Sequence[str]) -> int:
    """Trains what is still to be trained; returns the exit status."""
    use_compilation_cache()

    from ..configuration.config import load
    from ..configuration.study import study_of
    from ..studies.proxies import Proxies
    from ..studies.proxy_probes import failures_asked, failures_of
    from ._design_runs import wanted
    from ._proxy_table import train_table, trained_by

    options, bindings = _options(arguments)
    components = names(options.components)
    config = load(options.gin_file, bindings)
    study = study_of(config)
    asked = names(options.failures) if options.failures else failures_asked(study)
    design = read_table(options.design, components)
    runs = wanted(design, options.design, seed=options.seed)
    proxies = Proxies(
        study=study,
        components=tuple(components),
        size=options.population,
        failures=failures_of(asked),
    )
    text = trained_by(config, proxies)
    train_table(proxies, runs, options.out, Console(stderr=True), config=text)
    print(options.out)
    return 0


def _options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = gin_parser("tune run", _ABOUT)
    add = parser.add_argument
    add("--components", required=True, metavar="A,B", help="objectives to mix")
    add("--design", required=True, type=Path, metavar="FILE", help="mixtures to train")
    add("--out", required=True, type=Path, metavar="FILE", help="the table")
    add("--population", type=int, default=8, metavar="K", help="side by side (8)")
    add(
        "--failures",
        metavar="A,B",
        help="whose probes are columns (those of study.probes), or none",
    )
    add(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="added to those of the design (0)",
    )
    options, bindings = parse_gin(parser, arguments)
    require_count("--population", options.population)
    require_seed("--seed", options.seed)
    require_file("--out", options.out)
    if options.out.resolve() == options.design.resolve():
        raise UsageError(f"--out={options.out} would replace the design.")
    return options, bindings
