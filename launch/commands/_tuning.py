"""What the `tune` commands share."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from ...diagnosis.tuning.counting import NOT_LEARNED, counting
from ...diagnosis.tuning.table import MixtureTable
from ...objectives.errors import UsageError


def require_fitting() -> None:
    """Refuses to fit without scikit-learn and SciPy, the extra `tune`."""
    for module, name in (("sklearn", "scikit-learn"), ("scipy", "scipy")):
        if importlib.util.find_spec(module) is None:
            raise UsageError(
                f"sightline tune needs {name}, which is not installed; run pip "
                "install -c constraints.txt -e '.[tune]'."
            )


def counted(table: MixtureTable, path: Path) -> MixtureTable:
    """The rows of a table that count; says of how many others there are."""
    rows, others = counting(table)
    if others:
        print(
            f"{others} rows of {path} do not count: column {NOT_LEARNED!r} names what "
            "their runs trained in vain.",
            file=sys.stderr,
        )
    return rows


def names(text: str) -> list[str]:
    """The names between commas."""
    return [name.strip() for name in text.split(",")]


def all_names(options: Sequence[str]) -> list[str]:
    """Those of an option that may be given several times."""
    return [name for text in options for name in names(text)]


def share_of(option: str, text: str) -> float:
    """A share written as `2%` or `0.02`."""
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(
            f"{option} is {text!r}; give a percentage from 0% to 100%, as in 2%, or a "
            "share, as in 0.02."
        )
    return share
