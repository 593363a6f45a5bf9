"""`sightline tune design`: mixtures to try, as a table to fill in."""

import argparse
import csv
import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...diagnosis.tuning.design import (
    DECIMALS,
    KINDS,
    MOST,
    Designed,
    design,
    with_loss_shares,
)
from ...diagnosis.tuning.table import (
    HELD_OUT,
    LOSS_SHARE,
    MOST_SEEDS,
    check_columns,
    check_names,
)
from ...objectives.errors import UsageError, require_count
from ...objectives.registry import variant_share
from ...tasks.files import write_whole
from ._arguments import parse, require_file
from ._tuning import names

if TYPE_CHECKING:
    from ...tasks.examples.mixture import Mixture

_ABOUT = """\
Write mixtures to try as CSV: the current mixture, known recipes, each component alone,
the current mixture without each, and Dirichlet draws up to --count. Components are any
names; with mixture files, they are objectives.

  sightline tune design --components=web,books,code --count=40 > design.csv
  sightline tune design --components=causal,masked,permuted --count=40 \\
    --current=incumbent.gin --recipes=gpt.gin --held_out=8 --seeds=3 --out=design.csv
  sightline tune design --components=web,books,code --count=40 \\
    --between=web:.5:.8,books:.1:.3
"""


_RUN = ("mixture", "kind", "seeds", "seed")
"""Columns beside those of shares."""

_REPEATED = ("current", HELD_OUT)
"""Kinds of mixtures that are run with several seeds."""


def main(arguments: Sequence[str]) -> int:
    """Writes the table; returns the exit status."""
    options = _options(arguments)
    components = names(options.components)
    check_names(components, ())
    check_columns([*_RUN, *components, *_loss_columns(components)])
    current = _rates(options.current) if options.current else None
    files = _by_name(options.recipes)
    recipes = {name: _rates(file) for name, file in files.items()}
    files |= {"current": options.current} if options.current else {}
    known = {n: s for n, f in files.items() if (s := _loss_shares(f)) is not None}
    kinds = _kinds(options)
    designed = design(
        components,
        count=options.count,
        seed=options.seed,
        current=current,
        recipes=recipes,
        kinds=kinds,
        held_out=options.held_out,
        between=_between(options.between),
        weighed=known if options.loss_shares else (),
    )
    if options.loss_shares:
        designed = with_loss_shares(designed, components, known, seed=options.seed)
    else:
        for name, shares in known.items():
            _check_as_rates(files[name], shares)
    repeated = [each for each in designed if each.kind in _REPEATED]
    if options.seeds > 1 and not repeated:
        raise UsageError(
            f"--seeds={options.seeds} is runs of the current mixture and of those held "
            "out, and the design has neither; give --current or --held_out, or leave "
            "--seeds out."
        )
    text = _csv(components, designed, seeds=options.seeds)
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
    add(
        "--held_out",
        type=int,
        default=0,
        metavar="N",
        help="more draws, marked, which no model is fitted to (0)",
    )
    add(
        "--seeds",
        type=int,
        default=1,
        metavar="R",
        help="runs of the current mixture and of those held out: they show the noise",
    )
    add(
        "--loss_shares",
        action="store_true",
        help="draw shares of the loss too, as columns share_A",
    )
    add(
        "--between",
        metavar="A:LOW:HIGH,B:LOW:HIGH",
        help="least and most share of the examples: draws are within, and uniform",
    )
    add("--kinds", metavar="A,B", help=f"some of {', '.join(KINDS)}")
    add("--out", type=Path, metavar="FILE", help="standard output without it")
    options = parse(parser, arguments)
    require_count("--held_out", options.held_out, least=0)
    if options.held_out == 1:
        raise UsageError(
            "--held_out is 1, and how well mixtures are ranked takes two; give 2 or "
            "more, or 0."
        )
    require_count("--seeds", options.seeds, most=MOST_SEEDS)
    if options.out:
        require_file("--out", options.out)
    return options


def _kinds(options: argparse.Namespace) -> tuple[str, ...]:
    """The kinds that are asked for; one that is read from files needs its option."""
    if options.kinds is None:
        return tuple(KINDS)
    kinds = tuple(names(options.kinds))
    for kind in ("current", "recipes"):
        if kind in kinds and not getattr(options, kind):
            raise UsageError(
                f"--kinds={options.kinds}: {kind!r} is read from --{kind}, which is "
                f"not given; give --{kind}=FILE, or leave the kind out."
            )
    return kinds


def _between(text: str | None) -> dict[str, tuple[float, float]]:
    """The bounds by component."""
    found: dict[str, tuple[float, float]] = {}
    for part in [] if text is None else text.split(","):
        name, *bounds = part.strip().rsplit(":", 2)  # a name may hold one
        try:
            low, high = map(float, bounds)
        except ValueError:
            raise UsageError(
                f"--between={text}: {part!r} is not NAME:LOW:HIGH, two shares from 0 "
                "to 1."
            ) from None
        if name in found:
            raise UsageError(f"--between={text} bounds {name!r} twice; give it once.")
        found[name] = (low, high)
    return found


def _by_name(recipes: Sequence[str]) -> dict[str, str]:
    """Files by the names of their mixtures, which are those of the files."""
    files: dict[str, str] = {}
    for file in recipes:
        name = Path(file).stem
        if name in files:
            raise UsageError(
                f"--recipes={files[name]} and --recipes={file} are both named "
                f"{name!r}, which names a mixture of the design; rename one file."
            )
        files[name] = file
    return files


def _loss_columns(components: Sequence[str]) -> list[str]:
    return [f"{LOSS_SHARE}{name}" for name in components]


def _rates(file: str) -> dict[str, float]:
    """The rates of a mixture's objectives."""
    return dict(_mixture(file).objective_rates())


def _loss_shares(file: str) -> dict[str, float] | None:
    """The shares of the loss that a mixture binds; None if it binds none.

    Variants have those of their objective, divided as their rates are.
    """
    mixture = _mixture(file)
    if mixture.loss_shares is None:
        return None
    rates = mixture.objective_rates()
    shares = {name: float(share) for name, share in mixture.loss_shares.items()}
    return {name: variant_share(name, shares, rates) for name in rates}


def _check_as_rates(file: str, shares: Mapping[str, float]) -> None:
    """Refuses shares of the loss that a table without columns of them would lose."""
    for name, rate in _rates(file).items():
        if abs(shares[name] - rate) > 10**-DECIMALS:
            raise UsageError(
                f"{file} binds Mixture.loss_shares: {name} has {shares[name]:.4g} of "
                f"the loss and {rate:.4g} of the examples. A design without "
                "--loss_shares has one share for both, so this would be another "
                "mixture; give --loss_shares, or name a file that binds none."
            )


def _mixture(file: str) -> "Mixture":
    from ..configuration.study import read_mixture

    mixture = read_mixture(file)
    if mixture.schedule:
        raise UsageError(
            f"{file} binds Mixture.schedule, and a component of a design has one share "
            "all the time; name a file without a schedule."
        )
    return mixture


def _csv(components: Sequence[str], designed: Sequence[Designed], *, seeds: int) -> str:
    """The table; the current mixture and those held out are run with several seeds.

    No two runs have one seed: what all had in common would be found in no error. More
    seeds or more mixtures change none of those that are there.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    weighed = any(each.loss is not None for each in designed)
    columns = _loss_columns(components) if weighed else []
    writer.writerow([*_RUN, *components, *columns])
    counts = dict.fromkeys((each.kind == HELD_OUT for each in designed), 0)
    for each in designed:
        shares = [*each.shares, *(each.loss_or_rates() if weighed else ())]
        runs = seeds if each.kind in _REPEATED else 1
        cells = [f"{share:.{DECIMALS}f}" for share in shares]
        held = each.kind == HELD_OUT
        first = MOST_SEEDS * (counts[held] + MOST * held)
        writer.writerow([each.name, each.kind, runs, first, *cells])
        counts[held] += 1
    return file.getvalue()
