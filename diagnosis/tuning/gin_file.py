"""`recommended.gin`: a complete run of a recommended mixture."""

import itertools
import pprint
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture, split_task

START = "include 'runs/any_mixture.gin'"
"""The model, optimiser and steps of a small run."""

_WIDTH = 88


def gin_file(mixture: Mixture, rows: RowShape, about: Sequence[str]) -> str:
    """The text of the file.

    Args:
      mixture: with shares of the loss.
      rows: that it was measured on.
      about: lines that say where the numbers come from.
    """
    lines = [
        *itertools.chain.from_iterable(map(_comment, about)),
        "",
        START,
        "",
        "train.mixture = @Mixture()",
        f"Mixture.name = {mixture.name!r}",
        *_binding("Mixture.corpora", dict(mixture.corpora)),
        f"Mixture.vocabulary = {mixture.vocabulary!r}",
        *_binding("Mixture.rates", _positive(mixture.rates)),
        *_binding("Mixture.loss_shares", dict(mixture.loss_shares or {})),
        "train.normalisation = 'objective'",
        *_settings(mixture),
        "",
        "# Rows of the size that its proxies had.",
        *_rows(rows),
    ]
    return "\n".join(lines) + "\n"


def _comment(line: str) -> Iterator[str]:
    """A line as lines of comments that fit; an indented one stays as it is."""
    parts = line.splitlines()
    if not line.startswith(" "):  # paths stay whole
        parts = textwrap.wrap(
            line, _WIDTH - 2, break_on_hyphens=False, break_long_words=False
        )
    yield from (f"# {part}".rstrip() for part in parts or [""])


def _positive(rates: Mapping[str, float]) -> dict[str, float]:
    return {name: rate for name, rate in rates.items() if rate > 0}


def _binding(name: str, value: Any) -> Iterator[str]:
    literal = pprint.pformat(value, width=_WIDTH - 4, sort_dicts=False)
    yield f"{name} = {literal}"


def _settings(mixture: Mixture) -> Iterator[str]:
    """Settings of what is mixed; in full for variants, since gin merges them."""
    bound: dict[str, Mapping[str, Any]] = {}
    for name, objective in mixture.objectives().items():
        bound[name] = objective.settings if "/" in name else mixture.settings_of(name)
    for corpus in sorted({split_task(t)[0] for t in mixture.positive_rates()}):
        bound[corpus] = mixture.settings.get(corpus, {})
    for name, settings in bound.items():
        for setting, value in settings.items():
            yield from _binding(f"{name}.{setting}", value)


def _rows(rows: RowShape) -> Iterator[str]:
    kind = "decoder_rows" if rows.encoder is None else "encoder_decoder_rows"
    for prefix, capacity in (("memory_", rows.encoder), ("", rows.decoder)):
        if capacity is not None:
            yield f"{kind}.{prefix}slots = {capacity.slots}"
            yield f"{kind}.{prefix}predictions = {capacity.predictions}"
    yield f"train.rows = @{kind}()"
