"""What each slot of packed rows may see, from the definition of an Example alone.

Nothing here reads the intervals that layout and packing wrote: those are on trial.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ...models.rows import RowShape
from ...objectives.coded import coded_ids
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
    block = "decoder" if shape.encoder is None else "encoder"
    found = []
    for row, specimens in enumerate(rows):
        at = {"decoder": 0, "encoder": 0}
        found.append([])
        for specimen in specimens:
            places = []
            for stream, part in ((block, "inputs"), ("decoder", "targets")):
                size = len(getattr(specimen.example, part))
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
    return _in_order(specimen) & ~(_shows(specimen) & ~_may_show(specimen))


def hidden(specimen: Specimen) -> Bool[np.ndarray, " n"]:
    """Which slots predict what nothing may tell them but the text's own statistics.

    Text or a label, which no slot that they may see shows. What the slots of free
    choice predict (reserved ids such as sentinels) is not among them.
    """
    shown = (_in_order(specimen) & _shows(specimen) & _may_show(specimen)).any(1)
    return _is_answer(specimen) & ~shown


def _in_order(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """What an Example's definition lets each slot see, whatever the tokens are."""
    inputs, targets = len(specimen.coded.inputs), len(specimen.coded.targets)
    may = np.zeros((inputs + targets, inputs + targets), bool)
    may[:, :inputs] = True
    may[inputs:, inputs:] = np.tril(np.ones((targets, targets), bool))
    return may


def _is_answer(specimen: Specimen) -> Bool[np.ndarray, " n"]:
    """Which slots predict text or a label."""
    coded = specimen.coded
    asks = _asks(specimen)
    weight = np.concatenate([coded.inputs_weights, coded.targets_weights])
    return (weight > 0) & (is_text(asks) | np.isin(asks, coded_ids().labels))


def _shows(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """Which slots (columns) hold the answer of a slot (row)."""
    coded = specimen.coded
    before = np.concatenate([[coded_ids().bos], coded.targets])[: len(coded.targets)]
    holds = np.concatenate([coded.inputs, before])
    return _is_answer(specimen)[:, None] & (_asks(specimen)[:, None] == holds)


def _asks(specimen: Specimen) -> Int[np.ndarray, " n"]:
    return np.concatenate([specimen.coded.inputs_targets, specimen.coded.targets])


def _may_show(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """Where an answer may be shown to the slot that asks for it."""
    inputs, targets = len(specimen.coded.inputs), len(specimen.coded.targets)
    may = np.zeros((inputs + targets, inputs + targets), bool)
    if specimen.objective.answers == "shown":
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
