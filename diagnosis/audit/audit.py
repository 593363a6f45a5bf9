"""The leak audit: what slots may see against what their logits depend on.

For every objective, Examples of known tokens go through layout, packing and the model,
as in training, with Examples of other objectives for neighbours. Then every slot's
logits are checked against every slot's token (MADE's test, Germain et al. 2015, on the
whole path rather than on a mask).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from ...models.build import Model
from ...models.rows import RowShape, decoder_rows, encoder_decoder_rows
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds
from ...tasks.rows.layout import layout
from ...tasks.rows.packing import collate, first_fit
from .declared import all_places, declared, places_of
from .dependence import Measure, make_measure
from .specimens import Specimen, specimen

ATTENTION = "xla"
"""The implementation of `interval_attention` that models have."""

ROWS = 2
"""Of the batch: one more than a row, to find what passes between rows."""

SHAPES: dict[str, RowShape] = {
    "decoder": decoder_rows(slots=96, predictions=96),
    "encoder_decoder": encoder_decoder_rows(
        slots=72, predictions=72, memory_slots=72, memory_predictions=72
    ),
}
"""Rows of the audit, by architecture. What slots see does not depend on their size."""


class Verdict(NamedTuple):
    """What the audit of one objective found.

    Attributes:
      objective: name, with that of the variant.
      architecture: "decoder" or "encoder_decoder".
      attention: implementation of attention.
      pairs_checked: pairs of slots (one asks, one holds a token).
      leaks: pairs that depend and must not.
      blind: pairs that may depend and do not.
    """

    objective: str
    architecture: str
    attention: str
    pairs_checked: int
    leaks: int
    blind: int


def audit(
    model: Model,
    objectives: Mapping[str, Objective],
    ids: SpecialIds,
    *,
    architecture: str,
    seed: int = 0,
) -> Iterator[Verdict]:
    """Audits a model on one objective after another.

    Args:
      model: computing in float32.
      objectives: with their settings.
      ids: of the model's vocabulary.
      architecture: of the model; chooses the rows.
      seed: of the specimens and perturbations.
    """
    measure = make_measure(model)
    shape = SHAPES[architecture]
    for number, objective in enumerate(objectives.values()):
        rng = np.random.default_rng([seed, number])
        rows = specimen_rows(objective, objectives, shape, ids, rng)
        leaks, blind, pairs = check(rows, shape, ids, measure, rng)
        yield Verdict(objective.name, architecture, ATTENTION, pairs, leaks, blind)


def specimen_rows(
    objective: Objective,
    neighbours: Mapping[str, Objective],
    shape: RowShape,
    ids: SpecialIds,
    rng: np.random.Generator,
) -> list[list[Specimen]]:
    """Rows of specimens of an objective between neighbours, packed first-fit."""
    others = list(neighbours.values())
    place = layout(shape, bos=ids.bos)
    specimens: list[Specimen] = []
    rows: list[list[Specimen]] = []
    while len(rows) <= ROWS:
        other = others[int(rng.integers(len(others)))]
        specimens += [specimen(o, shape, ids, rng) for o in (other, objective)]
        rows = list(first_fit(specimens, shape, placed=lambda s: place(s.example)))
    return rows[:ROWS]


def check(
    rows: Sequence[Sequence[Specimen]],
    shape: RowShape,
    ids: SpecialIds,
    measure: Measure,
    rng: np.random.Generator,
) -> tuple[int, int, int]:
    """Leaks, blind pairs, and pairs checked, of one batch of specimens.

    Every slot of an Example is a row of the matrices, every slot a column, free ones
    and those of other rows too.
    """
    place = layout(shape, bos=ids.bos)
    batch = collate([[place(s.example) for s in row] for row in rows], shape)
    may = declared(rows, shape)
    depends = measure(batch, rng.choice(ids.text, len(may))).either
    asking = _asking(rows, shape, len(may))
    leaks = int((depends & ~may)[asking].sum())
    blind = int((may & ~depends)[asking].sum())
    return leaks, blind, int(asking.sum()) * len(may)


def _asking(
    rows: Sequence[Sequence[Specimen]], shape: RowShape, size: int
) -> Bool[np.ndarray, " N"]:
    """Which slots an Example takes."""
    taken = {p for row in places_of(rows, shape) for places in row for p in places}
    every = all_places(shape, rows=len(rows))
    assert len(every) == size
    return np.array([place in taken for place in every])
