"""Tables with predictions beside their mixtures."""

import csv
import io
from collections.abc import Sequence

from ...objectives.errors import UsageError
from .assessment import CONSTANT, Assessed
from .errors import predictions
from .table import MixtureTable
from .threads import one_thread

SUFFIXES = ("predicted", "se", "low", "high", "model")
"""Of the columns that are added for each target; the interval holds at 95 %."""

_NORMAL = 1.96


def check_columns_to_add(table: MixtureTable, targets: Sequence[str]) -> None:
    """Refuses targets whose predictions would take the place of another column.

    Raises:
      UsageError: one would; the message names both.
    """
    taken = list(table.cells[0])
    for target in targets:
        for column in (f"{target}_{suffix}" for suffix in SUFFIXES):
            if column in taken:
                raise UsageError(
                    f"predictions of {target!r} are written to a column {column!r}, "
                    "which the table of --predict or another target has; rename one."
                )
            taken.append(column)


@one_thread()
def predicted_csv(table: MixtureTable, assessed: Sequence[Assessed]) -> str:
    """The table's own columns, and the `SUFFIXES` of every target.

    A target without a trusted model gets the mean of its scores, from the model
    "constant".
    """
    columns: dict[str, list[str]] = {
        name: [row[name] for row in table.cells] for name in table.cells[0]
    }
    for each in assessed:
        name = each.verdict.model or CONSTANT.name
        model = each.validated[name]
        means, errors = predictions(model, each.scores, table.shares)
        low, high = means - _NORMAL * errors, means + _NORMAL * errors
        for suffix, values in zip(SUFFIXES, (means, errors, low, high), strict=False):
            columns[f"{each.target}_{suffix}"] = [f"{v:.9g}" for v in values]
        columns[f"{each.target}_model"] = [name] * len(means)
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return file.getvalue()
