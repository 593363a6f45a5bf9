"""`sightline tune design`: mixtures to try, as a table to fill in."""

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from ...diagnosis.tuning.design import DECIMALS, KINDS, Designed, design
from ...diagnosis.tuning.table import check_names
from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ._arguments import parse
from ._tuning import names

_ABOUT = """\
Write mixtures to try as CSV: the current mixture, known recipes, each component alone,
the current mixture without each, and Dirichlet draws up to --count. Components are any
names; with mixture files, they are objectives.

  sightline tune design --components=web,books,code --count=40 > design.csv
  sightline tune design --components=web,books,code --count=20 --kinds=dirichlet \\
    --seed=1 > held.csv
  sightline tune design --components=causal,masked,span_corruption --count=40 \\
    --recipes=gpt.gin --out=design.csv
"""


def main(arguments: Sequence[str]) -> int:
    """Writes the table; returns the exit status."""
    options = _options(arguments)
    components = names(options.components)
    check_names(components, ())
    current = _rates(options.current) if options.current else None
    recipes = {Path(file).stem: _rates(file) for file in options.recipes}
    kinds = tuple(KINDS) if options.kinds is None else names(options.kinds)
    designed = design(
        components,
        count=options.count,
        seed=options.seed,
        current=current,
        recipes=recipes,
        kinds=kinds,
    )
    text = _csv(components, designed)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_whole(options.out, text)
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "sightline tune design",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--components", required=True, metavar="A,B", help="what is mixed")
    add("--count", required=True, type=int, metavar="N", help="mixtures in all")
    add("--seed", type=int, default=0, metavar="S", help="of the draws (0)")
    add("--current", metavar="FILE", help="gin file of the mixture in use")
    add(
        "--recipes",
        action="append",
        default=[],
        metavar="FILE",
        help="gin file of another mixture; may be repeated",
    )
    add("--kinds", metavar="A,B", help=f"some of {', '.join(KINDS)}")
    add("--out", type=Path, metavar="FILE", help="standard output without it")
    options = parse(parser, arguments)
    if options.out and not options.out.resolve().parent.is_dir():
        raise UsageError(
            f"--out={options.out}: there is no folder {str(options.out.parent)!r}; "
            "make it, or name another file."
        )
    return options


def _rates(file: str) -> dict[str, float]:
    """The rates of a mixture's objectives."""
    from ..configuration.study import read_mixture

    return dict(read_mixture(file).objective_rates())


def _csv(components: Sequence[str], designed: Sequence[Designed]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["mixture", "kind", *components])
    for name, kind, shares in designed:
        writer.writerow([name, kind, *(f"{share:.{DECIMALS}f}" for share in shares)])
    return file.getvalue()
