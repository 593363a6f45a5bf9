"""`sightline tune fit`: which models predict scores from mixtures, and the best mix."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ...objectives.errors import UsageError, nearest, require_count, require_seed
from ...tasks.files import write_whole
from ._arguments import parse, require_file
from ._tuning import all_names, counted, names, require_fitting

_ABOUT = """\
Fit models of scores to a table of mixtures, one row a run: an exponential mixing law, a
Gaussian process, a linear fit and gradient-boosted trees. Each is judged by repeated
cross-validation, and trusted only where it beats a constant beyond chance.

  sightline tune fit --csv=runs.csv --components=web,books,code --targets=loss,accuracy
  sightline tune fit --csv=runs.csv --components=web,books,code --targets=loss \\
    --holdout=held.csv --predict=more.csv --out=predicted.csv --minimise=loss
"""


def main(arguments: Sequence[str]) -> int:
    """Prints the models of every target; returns the exit status."""
    options = _options(arguments)
    require_fitting()

    from ...diagnosis.tuning.assessment import assess
    from ...diagnosis.tuning.cross_validation import check_size
    from ...diagnosis.tuning.optimum import optimum
    from ...diagnosis.tuning.predicted import check_columns_to_add, predicted_csv
    from ...diagnosis.tuning.report import report
    from ...diagnosis.tuning.table import HELD_OUT, check_held_out, read_table
    from ..terminal.tuning import print_fit

    components, targets = names(options.components), names(options.targets)
    maximise = all_names(options.maximise)
    wanted = _wanted(all_names(options.minimise), maximise, targets)
    out = _out(options)

    def read(path: Path, columns: Sequence[str]):
        return read_table(path, components, columns, normalise=options.normalise)

    table, holdout = counted(read(options.csv, targets), options.csv).parts()
    check_size(table.groups(), len(table.components), str(options.csv))
    if options.holdout:
        if holdout is not None:
            raise UsageError(
                f"{options.csv} has rows of the kind {HELD_OUT!r}, and --holdout names "
                "another table to test on; take the rows out, or leave --holdout out."
            )
        holdout = counted(read(options.holdout, targets), options.holdout)
    more = read(options.predict, ()) if options.predict else None
    if more is not None:
        check_columns_to_add(more, targets)
    for option, other in (("--holdout", holdout), ("--predict", more)):
        if other is not None:
            _check_same_shares(option, table.components, other.components)
    if holdout is not None:
        check_held_out(table, holdout)
    assessed = assess(
        table,
        holdout=holdout,
        maximise=maximise,
        seed=options.seed,
        repeats=options.repeats,
    )
    optima = {
        each.target: optimum(each, table.shares, seed=options.seed)
        for each in assessed
        if each.target in wanted
    }
    if more is not None and out is not None:
        write_whole(out, predicted_csv(more, assessed))
    found = report(table, assessed, optima, seed=options.seed)
    if options.format == "json":
        print(json.dumps(found, ensure_ascii=False, allow_nan=False, indent=1))
    else:
        print_fit(found, Console())
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "sightline tune fit",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--csv", required=True, type=Path, metavar="FILE", help="mixtures and scores")
    add("--components", required=True, metavar="A,B", help="columns of shares")
    add("--targets", required=True, metavar="Y,Z", help="columns of scores")
    add("--holdout", type=Path, metavar="FILE", help="a table to test on")
    add("--predict", type=Path, metavar="FILE", help="mixtures to predict")
    add("--out", type=Path, metavar="FILE", help="where the predictions go")
    for name in ("minimise", "maximise"):
        add(
            f"--{name}",
            action="append",
            default=[],
            metavar="Y",
            help=f"targets to {name}: finds the best mixture, and counts the regret",
        )
    add(
        "--normalise", action="store_true", help="divide the shares of a row by its sum"
    )
    add("--seed", type=int, default=0, metavar="N", help="of folds and resamples (0)")
    add("--repeats", type=int, metavar="N", help="of the cross-validation (by rows)")
    add("--format", choices=("table", "json"), default="table")
    options = parse(parser, arguments)
    require_seed("--seed", options.seed)
    if options.repeats is not None:
        require_count("--repeats", options.repeats, most=100)
    return options


def _wanted(
    minimise: Sequence[str], maximise: Sequence[str], targets: Sequence[str]
) -> set[str]:
    """The targets of which the best mixture is looked for."""
    for option, asked in (("minimise", minimise), ("maximise", maximise)):
        for name in asked:
            if name not in targets:
                raise UsageError(
                    f"--{option}={name} is no target; {nearest(name, targets)}"
                )
    for name in minimise:
        if name in maximise:
            raise UsageError(
                f"{name!r} is to be minimised and maximised; give one of the two."
            )
    return {*minimise, *maximise}


def _check_same_shares(
    option: str, fitted: Sequence[str], other: Sequence[str]
) -> None:
    """Refuses a table that has shares of the loss where the other has none."""
    apart = [name for name in (*fitted, *other) if (name in fitted) != (name in other)]
    if apart:
        has, lacks = ("--csv", option) if apart[0] in fitted else (option, "--csv")
        raise UsageError(
            f"the table of {has} has shares of the loss ({', '.join(apart)}), and that "
            f"of {lacks} has none; give these columns to both tables, or to neither."
        )


def _out(options: argparse.Namespace) -> Path | None:
    """The file of the predictions, checked before any work is done."""
    if (options.predict is None) != (options.out is None):
        given, other = (
            ("--predict", "--out") if options.predict else ("--out", "--predict")
        )
        raise UsageError(
            f"{given} is given without {other}; predictions need both, as in "
            "--predict=more.csv --out=predicted.csv."
        )
    if options.out is None:
        return None
    inputs = [options.csv, options.holdout, options.predict]
    if any(path and path.resolve() == options.out.resolve() for path in inputs):
        raise UsageError(
            f"--out={options.out} would replace a table that is read; name another "
            "file."
        )
    require_file("--out", options.out)
    return options.out
