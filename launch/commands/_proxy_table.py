"""A table of proxies, of which rows are added as they are trained."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from ...diagnosis.tuning.counting import NOT_LEARNED
from ...diagnosis.tuning.table import LOSS_SHARE, check_columns, read_table
from ...objectives.errors import UsageError
from ...tasks.files import write_whole
from ..configuration.config import Config
from ..runs.directory import config_text, difference
from ..runs.lease import hold
from ..runs.run_identity import without
from ..studies.outcome import mix_identity
from ..studies.proxies import Proxies, Proxy, ProxyScores
from ..studies.proxy_probes import corpora_of
from ..studies.study import DESCRIBING
from ._design_runs import Wanted

Rows = list[dict[str, str]]

OWN_LOSS = "own_loss"
"""The column of the incumbent's own held-out loss."""

SCORE = "score_"
"""Begins columns of failures' scores: an objective may have a failure's name."""

OF_NO_PROXY = (
    *(name for name in DESCRIBING if name != "ungated"),
    "mixes",
    "seeds",
    "points",
    "published",
    "pairs",
    "items",
)
"""Settings of a study that change no row: they may change while a table is filled."""


def trained_by(config: Config, proxies: Proxies) -> str:
    """What the rows of a table depend on beside their mixtures and seeds.

    Returns:
      The study's resolved config, under the identities of its vocabulary and corpora
      and the contents of its incumbent and its components.
    """
    study = proxies.study
    incumbent = study.mixture(study.incumbent)
    corpora = sorted(corpora_of(study, proxies.failures))
    identities = {
        **incumbent.identities(),
        **{f"corpus {name}": incumbent.corpus(name).identity() for name in corpora},
        f"mix {study.incumbent}": mix_identity(incumbent),
        "mix of the components": mix_identity(proxies.even),
    }
    names = [f"study.{name}" for name in OF_NO_PROXY]
    return config_text(without(config.resolved_config("study"), names), identities)


def train_table(
    proxies: Proxies,
    runs: Sequence[Wanted],
    out: Path,
    console: Console,
    *,
    config: str,
) -> Rows:
    """Trains the runs that are not in the table yet; returns all of its rows.

    What the rows were trained by stands beside the table, in `OUT.gin`.

    Args:
      proxies: that train them.
      runs: in the order in which they are trained.
      out: the table, continued if it is there.
      console: for progress.
      config: as `trained_by` makes it.

    Raises:
      UsageError: the table is of other columns, mixtures or settings, or nothing says
        of which; or another process is adding rows to it.
    """
    columns = _columns(list(runs[0].shares), proxies.components, proxies.failures)
    # From before it is read to the end of the process: another's rows would be lost.
    lease = hold(out.absolute().parent, f"{out.name}.lease")
    done = _done(out, proxies.components, columns)
    waiting = list(_waiting(runs, done, out))
    saved = out.with_name(f"{out.name}.gin")
    if done:
        _check_same(out, saved, config)
    for start in range(0, len(waiting), proxies.size):
        group = waiting[start : start + proxies.size]
        scores = proxies.train([_proxy(proxies, run) for run in group])
        rows = [_row(proxies, *pair) for pair in zip(group, scores, strict=True)]
        for row in rows:
            _say_what_is_missing(row, columns, console)
            _say_what_was_not_learned(row, console)
        lease.check()
        if not done:
            write_whole(saved, config)
        done += rows
        write_whole(out, _csv(columns, done))
        count = min(start + proxies.size, len(waiting))
        console.print(f"{count} of {len(waiting)} proxies trained", highlight=False)
    return done


def _proxy(proxies: Proxies, run: Wanted) -> Proxy:
    rates = {name: run.shares[name] for name in proxies.components}
    loss = {
        name: run.shares[f"{LOSS_SHARE}{name}"]
        for name in proxies.components
        if f"{LOSS_SHARE}{name}" in run.shares
    }
    return Proxy(proxies.mixture(run.name, rates, loss or None), run.seed)


def _columns(
    shares: Sequence[str], components: Sequence[str], failures: Sequence[str]
) -> list[str]:
    losses = [f"loss_{component}" for component in components]
    scores = [f"{SCORE}{failure}" for failure in failures]
    run = ["mixture", "kind", "seed"]
    columns = [*run, *shares, "steps", "tokens", *losses, OWN_LOSS, *scores]
    columns.append(NOT_LEARNED)
    check_columns(columns)
    return columns


def _done(path: Path, components: Sequence[str], columns: Sequence[str]) -> Rows:
    """The rows that an earlier run has written."""
    if not path.exists():
        return []
    table = read_table(path, components)
    if list(table.cells[0]) != list(columns):
        raise UsageError(
            f"{path} is a table of other columns than this run writes "
            f"({', '.join(columns)}); name another file."
        )
    return [dict(row) for row in table.cells]


def _check_same(out: Path, saved: Path, config: str) -> None:
    """Refuses to continue a table whose rows were, or may have been, trained otherwise.

    Of a table without the file nothing can be said: one of an earlier version, or one
    that was moved without it.
    """
    if not saved.exists():
        raise UsageError(
            f"{out} has rows, and there is no {saved.name} beside it, which says what "
            "trained them; put the file there, or name another --out."
        )
    changes = difference(saved.read_text(encoding="utf-8"), config)
    if changes:
        raise UsageError(
            f"{out} holds rows of another config:\n{changes}\n"
            "Continue it with its own config, or name another --out."
        )


def _waiting(runs: Sequence[Wanted], done: Rows, out: Path) -> Iterator[Wanted]:
    """Runs that are not in the table."""
    known = {(row["mixture"], row["seed"]): row for row in done}
    for run in runs:
        row = known.get((run.name, str(run.seed)))
        if row is None:
            yield run
        elif any(abs(float(row[c]) - share) > 1e-6 for c, share in run.shares.items()):
            raise UsageError(
                f"mixture {run.name!r} has other shares in the design than in {out}, "
                "which is continued; name another --out."
            )


def _row(proxies: Proxies, run: Wanted, scores: ProxyScores) -> dict[str, str]:
    losses = {f"loss_{name}": loss for name, loss in scores.losses.items()}
    probes = {f"{SCORE}{failure}": score for failure, score in scores.probes.items()}
    measured = {**losses, OWN_LOSS: scores.own_loss, **probes}
    return {
        "mixture": run.name,
        "kind": run.kind,
        "seed": str(run.seed),
        **{column: f"{share:.9g}" for column, share in run.shares.items()},
        "steps": str(proxies.steps),
        "tokens": str(scores.tokens),
        **{c: "" if math.isnan(v) else f"{v:.6f}" for c, v in measured.items()},
        NOT_LEARNED: " ".join(scores.not_learned),
    }


def _say_what_is_missing(
    row: Mapping[str, str], columns: Sequence[str], console: Console
) -> None:
    """Names the scores that were not measured: no model can be fitted to the row."""
    measured = columns[columns.index("tokens") : columns.index(NOT_LEARNED)]
    missing = [c for c in measured if not row[c]]
    if missing:
        console.print(
            f"mixture {row['mixture']!r}, seed {row['seed']}: nothing to measure for "
            f"{', '.join(missing)}; the row is left empty there, and `sightline tune` "
            "fits no such column until the row is taken out.",
            markup=False,
            highlight=False,
        )


def _say_what_was_not_learned(row: Mapping[str, str], console: Console) -> None:
    """Names what a run trained in vain, for which it does not count."""
    if row[NOT_LEARNED]:
        console.print(
            f"mixture {row['mixture']!r}, seed {row['seed']}, does not count: "
            f"{row[NOT_LEARNED]} not learned, its held-out loss is not under that of "
            "the targets' frequencies alone. Train longer (study.tokens), or say what "
            "need not be learned (study.ungated).",
            markup=False,
            highlight=False,
        )


def _csv(columns: Sequence[str], rows: Rows) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
