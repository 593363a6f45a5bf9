"""Files of studies' effects, which the memo reads.

`results/studies/NAME.json` holds the fields of `Effects` by name, of one study at one
size and one budget; a study of four budgets is four files. Rates and loss shares sum
to 1. A study that the memo may read states its whole `setup`:

    "corpus": "english", "tokens": 5000000, "command": "sightline study …",
    "incumbent": "incumbent",
    "mixes": {"incumbent": {"rates": …, "loss_shares": …, "settings": …,
                            "own_loss": …, "effects": […], "differences": []},
              "revised": …},
    "setup": {"name": "prose_10m_05", "parameters": 10400000,
              "architecture": "decoder", "text": "English prose",
              "original_tokens": 100000000, "seeds": 3, "date": "2026-11-27"},
    "comparisons": [{"objective": "sentence_pair",
                     "without": "revised_without_sentence_pair",
                     "having": "revised", "own_loss": …,
                     "differences": [{"failure": "continuation", "probe": …,
                                      "metric": "AUC", "better": "higher",
                                      "without": 0.71, "having": 0.74,
                                      "low": 0.01, "high": 0.05, "seeds": 3}]}]

`tokens` are those of each run; if runs began from a checkpoint, those processed since,
and `setup.original_tokens` those of the checkpoint, so that the share of the original
budget is their quotient. From scratch it is null. A comparison names two of the mixes,
which hold the same objectives but for the one; its interval is of the difference
`having - without` of runs with the same seed. A mix's `differences` are alike, from
the incumbent. All lists may be empty.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path

from ...objectives.errors import UsageError, nearest
from ...objectives.registry import base_name
from ..failures.registry import names
from . import json_file
from .effects import Comparison, Effects, Mix, Setup

SHIPPED = Path(__file__).with_name("studies")
"""The folder of the committed studies."""


def shipped() -> tuple[Effects, ...]:
    """The effects of the committed studies; raises as `read_folder` does."""
    return read_folder(SHIPPED)


def read_folder(folder: Path) -> tuple[Effects, ...]:
    """The effects of every study in a folder, by the names of their files.

    Raises:
      UsageError: a file is refused by `read`, or its setup is incomplete or has another
        name than the file. The message says where.
    """
    studies = []
    for path in sorted(folder.glob("*.json")):
        study = read(path)
        for wrong in _incomplete(study.setup, path.stem):
            raise UsageError(f"{path}: $.setup.{wrong}.")
        studies.append(study)
    return tuple(studies)


def write(path: Path, effects: Effects) -> None:
    """Writes the effects of a study atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    json_file.write(path, effects, indent=1, allow_nan=False)


def read(path: Path) -> Effects:
    """Reads what `write` wrote.

    Raises:
      UsageError: the file is refused by `json_file.read`, an interval is upside down,
        a failure is unknown, the incumbent is no mix, or a comparison's mixes do not
        differ in its objective alone. The message says where.
    """
    effects = json_file.read(path, Effects, finite=True)
    for where, low, high in _intervals(effects):
        if low > high:
            raise UsageError(
                f"{path}: $.{where}: interval [{low}, {high}] is upside down."
            )
    for where, failure in _failures(effects):
        if failure not in names():
            raise UsageError(
                f"{path}: $.{where}: no failure {failure!r}; "
                + nearest(failure, names())
            )
    if effects.mixes and effects.incumbent not in effects.mixes:
        raise UsageError(
            f"{path}: $.incumbent: no mix {effects.incumbent!r}; "
            + nearest(effects.incumbent, effects.mixes)
        )
    for number, comparison in enumerate(effects.comparisons):
        for wrong in _confounded(comparison, effects):
            raise UsageError(f"{path}: $.comparisons[{number}]{wrong}")
    return effects


def _intervals(effects: Effects) -> Iterator[tuple[str, float, float]]:
    """Every interval, and where it is."""
    for name, mix in effects.mixes.items():
        for figure in (mix.own_loss, *mix.effects, *mix.differences):
            if figure:
                yield f"mixes.{name}", figure.low, figure.high
    for number, comparison in enumerate(effects.comparisons):
        for figure in (comparison.own_loss, *comparison.differences):
            if figure:
                yield f"comparisons[{number}]", figure.low, figure.high


def _failures(effects: Effects) -> Iterator[tuple[str, str]]:
    """Every failure that is named, and where it is."""
    for name, mix in effects.mixes.items():
        for figure in (*mix.effects, *mix.differences):
            yield f"mixes.{name}", figure.failure
    for number, comparison in enumerate(effects.comparisons):
        for difference in comparison.differences:
            yield f"comparisons[{number}]", difference.failure


def _confounded(comparison: Comparison, effects: Effects) -> Iterator[str]:
    """What is wrong with the mixes of a comparison."""
    for field in ("without", "having"):
        name = getattr(comparison, field)
        if name not in effects.mixes:
            yield f".{field}: no mix {name!r}; {nearest(name, effects.mixes)}"
    without = _bases(effects.mixes[comparison.without])
    having = _bases(effects.mixes[comparison.having])
    if having - without != {comparison.objective} or without - having:
        yield (
            f": mixes {comparison.without!r} and {comparison.having!r} differ in "
            f"{', '.join(sorted(having ^ without)) or 'no objective'}, not in "
            f"{comparison.objective!r} alone."
        )


def _bases(mix: Mix) -> set[str]:
    return {base_name(name) for name, rate in mix.rates.items() if rate > 0}


def _incomplete(setup: Setup, name: str) -> Iterator[str]:
    """What a setup must still state."""
    if setup.name != name:
        yield f"name: {setup.name!r}; the file is named {name!r}"
    for field in ("parameters", "seeds"):
        if getattr(setup, field) < 1:
            yield f"{field}: {getattr(setup, field)}; give 1 or more"
    if setup.original_tokens is not None and setup.original_tokens < 1:
        yield f"original_tokens: {setup.original_tokens}; from scratch, give null"
    if not setup.text:
        yield "text: say what the corpus is, such as 'English prose'"
    try:
        datetime.date.fromisoformat(setup.date)
    except ValueError:
        yield f"date: {setup.date!r}; give one such as 2026-11-23"
