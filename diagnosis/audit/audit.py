"""The leak audit: compares what slots may see with what their logits depend on.

For every objective, Examples of known tokens go through layout, packing and the model,
as in training, packed beside Examples of other objectives. Then the logits of every
slot are checked against the token of every slot (the test of MADE, Germain et al. 2015,
applied to the whole path rather than to a mask).
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
from .specimens import Specimen, blocks, specimen

ATTENTION = "xla"
"""The implementation of `interval_attention` that is audited."""

ROWS = 2
"""Rows in a batch: two, so that leaks between rows are found."""

SHAPES: dict[str, RowShape] = {
    "decoder": decoder_rows(slots=96, predictions=96),
    "encoder_decoder": encoder_decoder_rows(
        slots=72, predictions=72, memory_slots=72, memory_predictions=72
    ),
}
"""Row shapes by architecture; what slots see does not depend on the shape."""


class Verdict(NamedTuple):
    """The result of auditing one objective.

    Attributes:
      objective: its name, variant included.
      architecture: "decoder" or "encoder_decoder".
      attention: implementation of attention.
      pairs_checked: pairs of slots: one predicts, one holds a token.
      leaks: pairs with a dependence that is not allowed.
      blind: pairs without a dependence that is allowed.
      blocks: most blocks of a specimen, where text is seen block by block; with one,
        nothing is known of the borders between them. 0 for other objectives.
    """

    objective: str
    architecture: str
    attention: str
    pairs_checked: int
    leaks: int
    blind: int
    blocks: int = 0


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
      model: its compute dtype must be float32.
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
        most = max(
            blocks(specimen.coded)
            for row in rows
            for specimen in row
            if specimen.objective.name == objective.name
        )
        yield Verdict(
            objective.name, architecture, ATTENTION, pairs, leaks, blind, blocks=most
        )


def specimen_rows(
    objective: Objective,
    neighbours: Mapping[str, Objective],
    shape: RowShape,
    ids: SpecialIds,
    rng: np.random.Generator,
) -> list[list[Specimen]]:
    """Rows of specimens of an objective among those of others, packed first-fit."""
    others = list(neighbours.values())
    place = layout(shape, bos=ids.bos)
    specimens: list[Specimen] = []
    rows: list[list[Specimen]] = []
    while len(rows) <= ROWS:
        other = others[int(rng.integers(len(others)))]
        specimens += [
            specimen(chosen, shape, ids, rng) for chosen in (other, objective)
        ]
        rows = list(first_fit(specimens, shape, placed=lambda s: place(s.example)))
    return rows[:ROWS]


def check(
    rows: Sequence[Sequence[Specimen]],
    shape: RowShape,
    ids: SpecialIds,
    measure: Measure,
    rng: np.random.Generator,
) -> tuple[int, int, int]:
    """Counts leaks, blind pairs and pairs checked in one batch of specimens.

    Rows of the matrices are the slots of Examples; columns are all slots, including
    free ones and those of other rows.
    """
    place = layout(shape, bos=ids.bos)
    batch = collate([[place(s.example) for s in row] for row in rows], shape)
    allowed = declared(rows, shape)
    depends = measure(batch, rng.choice(ids.text, len(allowed))).either
    occupied = _occupied_slots(rows, shape, len(allowed))
    leaks = int((depends & ~allowed)[occupied].sum())
    blind = int((allowed & ~depends)[occupied].sum())
    return leaks, blind, int(occupied.sum()) * len(allowed)


def _occupied_slots(
    rows: Sequence[Sequence[Specimen]], shape: RowShape, size: int
) -> Bool[np.ndarray, " N"]:
    """Which slots belong to an Example."""
    occupied = {p for row in places_of(rows, shape) for places in row for p in places}
    slots = all_places(shape, rows=len(rows))
    assert len(slots) == size
    return np.array([place in occupied for place in slots])
