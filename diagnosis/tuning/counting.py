"""Which runs of a table count, by the gate that every study has."""

from ...objectives.errors import UsageError
from .table import MixtureTable

NOT_LEARNED = "not_learned"
"""The column of the components that a run trained and did not learn; empty if none."""


def counting(table: MixtureTable) -> tuple[MixtureTable, int]:
    """The rows that count, and how many do not.

    A model that has not learned what its mixture trains says nothing about the mixture
    (`results.gates`). A table without the column says of no row that it does not count.

    Raises:
      UsageError: no row counts.
    """
    kept = [
        n for n, row in enumerate(table.cells) if not row.get(NOT_LEARNED, "").strip()
    ]
    if not kept:
        raise UsageError(
            f"no row counts: its column {NOT_LEARNED!r} names in each what was not "
            "learned; train longer (study.tokens), or say what need not be learned "
            "(study.ungated)."
        )
    return table.rows(kept), len(table.cells) - len(kept)
