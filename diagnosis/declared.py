"""What each slot of packed rows may see, from the definition of an Example alone.

Nothing here reads the intervals that layout and packing wrote: those are on trial.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from ..models.rows import RowShape
from ..objectives.coded import coded_ids
from ..objectives.registry import Answers
from .specimens import Specimen, is_text


class Place(NamedTuple):
    """A slot of a batch."""

    stream: str
    row: int
    slot: int


def all_places(shape: RowShape, *, rows: int) -> list[Place]:
    """Every slot of a batch, free ones too: the decoder's rows, then the encoder's."""
    streams = {"decoder": shape.decoder, "encoder": shape.encoder}
    return [
        Place(stream, row, slot)
        for stream, capacity in streams.items()
        if capacity is not None
        for row in range(rows)
        for slot in range(capacity.slots)
    ]


def places_of(
    rows: Sequence[Sequence[Specimen]], shape: RowShape
) -> list[list[list[Place]]]:
    """Where the slots of each specimen stand: those of its inputs, then its targets.

    Specimens of a row stand one behind another, in each stream by itself.
    """
    found = []
    for row, specimens in enumerate(rows):
        at = {"decoder": 0, "encoder": 0}
        found.append([])
        for specimen in specimens:
            sizes = {
                "decoder" if shape.encoder is None else "encoder": len(
                    specimen.example.inputs
                )
            }
            places = []
            for stream, size in (
                *sizes.items(),
                ("decoder", len(specimen.example.targets)),
            ):
                places += [Place(stream, row, at[stream] + k) for k in range(size)]
                at[stream] += size
            found[-1].append(places)
    return found


def may_see(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """Whose tokens each slot of a specimen may depend on: inputs first, then targets.

    An input sees every input. The slot that predicts target j sees every input and
    holds target j-1, so it sees the slots of the targets up to j. No slot may see a
    token that it is to predict, but for objectives whose `answers` are "shown": they
    may show it in `inputs`, to a prediction in place at that very slot.
    """
    example, coded = specimen.example, specimen.coded
    inputs, targets = len(example.inputs), len(example.targets)
    may = np.zeros((inputs + targets, inputs + targets), bool)
    may[:, :inputs] = True
    may[inputs:, inputs:] = np.tril(np.ones((targets, targets), bool))

    holds = np.concatenate([coded.inputs, [coded_ids().bos], coded.targets[:-1]])
    holds = holds[: inputs + targets]
    asks = np.concatenate([coded.inputs_targets, coded.targets])
    weight = np.concatenate([coded.inputs_weights, coded.targets_weights])
    is_answer = (weight > 0) & (is_text(asks) | np.isin(asks, coded_ids().labels))
    shows = is_answer[:, None] & (asks[:, None] == holds[None, :])
    return may & ~(shows & ~_may_show(inputs, targets, specimen.objective.answers))


def _may_show(inputs: int, targets: int, answers: Answers) -> Bool[np.ndarray, "n n"]:
    """Where an answer may be shown to the slot that asks for it."""
    may = np.zeros((inputs + targets, inputs + targets), bool)
    if answers == "shown":
        may[inputs:, :inputs] = True
        may[:inputs, :inputs] = np.eye(inputs, dtype=bool)
    return may


def declared(
    rows: Sequence[Sequence[Specimen]], shape: RowShape
) -> Bool[np.ndarray, "N N"]:
    """Whose tokens each slot of a batch may depend on, in the order of `all_places`.

    A free slot may depend on nothing and nothing on it.
    """
    every = {p: n for n, p in enumerate(all_places(shape, rows=len(rows)))}
    may = np.zeros((len(every), len(every)), bool)
    for specimens, places in zip(rows, places_of(rows, shape), strict=True):
        for specimen, here in zip(specimens, places, strict=True):
            at = [every[place] for place in here]
            may[np.ix_(at, at)] = may_see(specimen)
    return may
