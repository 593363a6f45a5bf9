"""`sightline tune recommend`: the mixture that improves the worst failure."""

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from ...objectives.errors import UsageError, require_seed
from ...tasks.files import write_whole
from ._arguments import gin_parser, parse_gin, require_folder
from ._tuning import all_names, counted, names, require_fitting, share_of

if TYPE_CHECKING:
    from ...diagnosis.tuning.recommendation import Recommendation
    from ...diagnosis.tuning.table import MixtureTable
    from ..studies.proxies import Proxies

_ABOUT = """\
Recommend rates, and shares of the loss if the table has them, from a table of mixtures
and scores: those whose worst failure gains most without losing more than --most_loss of
the incumbent's own held-out loss. Where intervals reach the incumbent, it says "no
evidence" and recommends nothing. Rows of the kind held_out are predicted, not fitted.

  sightline tune recommend --csv=runs.csv --components=causal,masked,permuted \\
    --maximise=score_drift,score_continuation --minimise=score_reconstruction \\
    --most_loss=2% --out=found
  sightline tune recommend --csv=runs.csv --components=causal,masked,permuted \\
    --maximise=score_drift,score_continuation --gin_file=three_failures.gin --out=found

Written to --out: recommendation.json, front.svg, and with the gin files of the study
recommended.gin, if a mixture is recommended.
"""

RECOMMENDATION = "recommendation.json"
PICTURE, GIN = "front.svg", "recommended.gin"
"""Files that only some recommendations have."""


def main(arguments: Sequence[str]) -> int:
    """Prints the recommendation and writes its files; returns the exit status."""
    options, bindings = _options(arguments)
    require_fitting()

    from ...diagnosis.tuning.assessment import assess
    from ...diagnosis.tuning.cross_validation import check_size
    from ...diagnosis.tuning.cut_losses import cut_at, cut_losses, larger
    from ...diagnosis.tuning.front_picture import picture_file
    from ...diagnosis.tuning.frontier import front
    from ...diagnosis.tuning.recommendation import incumbent_of, recommend
    from ...diagnosis.tuning.recommendation_report import (
        as_values,
        points,
        validations,
    )
    from ...diagnosis.tuning.table import check_held_out, distinct, read_table, seeds_of
    from ..terminal.recommendation import print_recommendation

    components = names(options.components)
    maximise, minimise = all_names(options.maximise), all_names(options.minimise)
    targets = _targets(maximise, minimise, options.loss)
    every = read_table(options.csv, components, targets)
    seeds = seeds_of(every)
    table, held = counted(every, options.csv).parts()
    check_size(table.groups(), len(table.components), str(options.csv))
    if held is not None:
        check_held_out(table, held)
    # What is wrong is refused before the long work.
    proxies = _proxies(options.gin_file, bindings, table.mixed)
    incumbent = incumbent_of(table, options.incumbent)
    cut = cut_at(
        table, loss=options.loss, incumbent=incumbent, most_loss=options.most_loss
    )
    table = cut_losses(table, loss=options.loss, at=cut.at)
    held_cut = 0
    if held is not None:
        held_cut = larger(held, loss=options.loss, at=cut.at)
        held = cut_losses(held, loss=options.loss, at=cut.at)
    assessed = assess(table, maximise=maximise, seed=options.seed)
    found = recommend(
        table,
        assessed,
        loss=options.loss,
        incumbent=incumbent,
        most_loss=options.most_loss,
        seed=options.seed,
    )
    predicted = None
    if found.worst is not None and found.judged_drawn is not None:
        predicted = front(
            found.worst,
            distinct(table.shares),
            found.drawn,
            found.judged_drawn,
            seed=options.seed,
        )
    values = as_values(
        found,
        table,
        validations(found, assessed, held, seed=options.seed) if held else {},
        predicted,
        models={each.target: each.verdict.model for each in assessed},
        noise={each.target: each.noise for each in assessed},
        seed=options.seed,
    )
    values["targets"] = {"maximise": maximise, "minimise": minimise}
    values["loss"] = options.loss
    values["cut"] = cut._asdict() | {"held_out": held_cut}
    values["seeds"] = seeds
    options.out.mkdir(exist_ok=True)
    # Nothing of an earlier recommendation stays beside this one.
    for name in (PICTURE, GIN):
        (options.out / name).unlink(missing_ok=True)
    measured = points(found, table, held)
    if measured is not None:
        text = picture_file(found, measured, predicted)
        write_whole(options.out / PICTURE, text)
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, indent=1)
    write_whole(options.out / RECOMMENDATION, text + "\n")
    _write_gin(options, proxies, found, table)
    if options.format == "json":
        print(text)
    else:
        print_recommendation(values, Console())
        print(options.out)
    return 0


def _options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    parser = gin_parser("tune recommend", _ABOUT, files="optional")
    add = parser.add_argument
    add("--csv", required=True, type=Path, metavar="FILE", help="mixtures and scores")
    add("--components", required=True, metavar="A,B", help="columns of shares")
    for name, better in (("maximise", "higher"), ("minimise", "lower")):
        add(
            f"--{name}",
            action="append",
            default=[],
            metavar="Y",
            help=f"scores of failures, of which {better} is better",
        )
    add("--loss", default="own_loss", metavar="Y", help="own held-out loss (own_loss)")
    add(
        "--most_loss",
        default="2%",
        metavar="P",  # "P%" would be taken for a format where usage is printed
        help="of the own loss that may be lost, a share or in per cent (2%%)",
    )
    add(
        "--incumbent",
        default="current",
        metavar="NAME",
        help="mixture in use (current)",
    )
    add("--out", required=True, type=Path, metavar="DIR", help="of the files")
    add("--seed", type=int, default=0, metavar="N", help="of folds and the search (0)")
    add("--format", choices=("table", "json"), default="table")
    options, bindings = parse_gin(parser, arguments)
    require_seed("--seed", options.seed)
    options.most_loss = share_of("--most_loss", options.most_loss)
    if bindings and not options.gin_file:
        raise UsageError(
            "--gin.NAME is given without --gin_file; name the study's files, as in "
            "--gin_file=three_failures.gin."
        )
    require_folder("--out", options.out)
    return options, bindings


def _targets(maximise: Sequence[str], minimise: Sequence[str], loss: str) -> list[str]:
    """The failures and the own loss."""
    failures = [*maximise, *minimise]
    if not failures:
        raise UsageError(
            "no failure is named; give the columns of their scores, as in "
            "--maximise=score_drift,score_continuation --minimise=score_reconstruction."
        )
    for name in failures:
        if failures.count(name) > 1 or name == loss:
            raise UsageError(
                f"{name!r} has two parts among --maximise, --minimise and --loss; "
                "give it one."
            )
    return [*failures, loss]


def _proxies(
    files: Sequence[str], bindings: Sequence[str], components: tuple[str, ...]
) -> "Proxies | None":
    """The components in the study of gin files; None without files.

    Raises:
      UsageError: a file is wrong, or a component is none of its objectives.
    """
    if not files:
        return None
    from ..configuration.study import read_study
    from ..studies.proxies import Proxies

    proxies = Proxies(study=read_study(files, bindings), components=components, size=1)
    _ = proxies.even  # refuses names of no objective
    return proxies


def _write_gin(
    options: argparse.Namespace,
    proxies: "Proxies | None",
    found: "Recommendation",
    table: "MixtureTable",
) -> None:
    """Writes `recommended.gin`, if a mixture is recommended."""
    if proxies is None or not found.recommended or found.mixture is None:
        return
    from ...diagnosis.tuning.gin_file import gin_file

    shares: list[dict[str, Any]] = [
        dict(zip(table.mixed, map(float, part), strict=True))
        for part in found.mixture.reshape(-1, len(table.mixed))
    ]
    mixture = proxies.mixture("recommended", shares[0], shares[-1])
    about = [
        "Recommended by `sightline tune recommend`: recommendation.json says why.",
        "",
        f"Evidence: {found.evidence}",
        "",
        "  sightline tune confirm --recommendation="
        f"{shlex.quote(str(options.out / RECOMMENDATION))} …",
        f"  sightline train --gin_file={shlex.quote(str(options.out / GIN))} "
        "--run_dir=runs/recommended",
    ]
    write_whole(options.out / GIN, gin_file(mixture, proxies.study.rows, about))
