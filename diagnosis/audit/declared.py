"""What each slot of packed rows may see, from the definition of an Example alone.

Nothing here reads the intervals that layout and packing wrote: they are under test.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ...models.rows import RowShape
from ...objectives.coded import coded_ids
from ...objectives.example import Example, predicts_next
from .specimens import Specimen, is_text


class Place(NamedTuple):
    """A slot of a batch."""

    stream: str
    row: int
    slot: int


def all_places(shape: RowShape, *, rows: int) -> list[Place]:
    """All slots of a batch, free ones included: decoder rows, then encoder rows."""
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
    """The slots of each specimen: those of its inputs, then those of its targets.

    Specimens of a row follow each other, in each stream separately.
    """
    block = "decoder" if shape.encoder is None else "encoder"
    placed = []
    for row, specimens in enumerate(rows):
        at = {"decoder": 0, "encoder": 0}
        placed.append([])
        for specimen in specimens:
            places = []
            for stream, part in ((block, "inputs"), ("decoder", "targets")):
                size = len(getattr(specimen.example, part))
                places += [Place(stream, row, at[stream] + k) for k in range(size)]
                at[stream] += size
            placed[-1].append(places)
    return placed


def may_see(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """Whose tokens each slot of a specimen may depend on: inputs first, then targets.

    An input sees every input, or as many as `inputs_sees` says. The slot that predicts
    target j sees every input and holds target j-1, so it sees the slots of the targets
    up to j; in a block it sees the block, and as many inputs as `targets_sees` says. No
    slot may see the token that it predicts, except with objectives whose `answers` are
    "shown": their `inputs` may hold it, for a prediction among the inputs only where
    the predicted token stands.
    """
    return _in_layout(specimen) & ~(_holds(specimen) & ~_may_hold(specimen))


def hidden(specimen: Specimen) -> Bool[np.ndarray, " n"]:
    """Which slots predict a token that nothing they may see contains.

    The token is text or a label; reserved ids such as sentinels, which follow from the
    structure of an Example, do not count.
    """
    shown = (_in_layout(specimen) & _holds(specimen) & _may_hold(specimen)).any(1)
    return _is_answer(specimen) & ~shown


def _in_layout(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """What the layout of an Example lets each slot see, whatever the tokens are."""
    coded = specimen.coded
    inputs, targets = len(coded.inputs), len(coded.targets)
    may = np.zeros((inputs + targets, inputs + targets), bool)
    may[:, :inputs] = True
    may[inputs:, inputs:] = np.tril(np.ones((targets, targets), bool))
    for slot, seen in enumerate(coded.inputs_sees.tolist()):
        may[slot, seen:] = False
    sees = coded.targets_sees.tolist()
    for target, seen in enumerate(sees):
        may[inputs + target, seen:inputs] = False
        # A block is a run of targets that see as many inputs.
        others = range(target, targets)
        end = next((k for k in others if sees[k] != seen), targets)
        begin = next((k + 1 for k in reversed(range(target)) if sees[k] != seen), 0)
        may[inputs + target, inputs:] = False
        may[inputs + target, inputs + begin : inputs + end] = True
    return may


def _is_answer(specimen: Specimen) -> Bool[np.ndarray, " n"]:
    """Which slots predict text or a label."""
    coded = specimen.coded
    predicted = _predicted(specimen)
    weight = np.concatenate([coded.inputs_weights, coded.targets_weights])
    return (weight > 0) & (is_text(predicted) | np.isin(predicted, coded_ids().labels))


def _holds(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """Which slots (columns) hold the answer of a slot (row)."""
    coded = specimen.coded
    return _is_answer(specimen)[:, None] & (
        _predicted(specimen)[:, None] == held(coded)
    )


def held(coded: Example) -> Int[np.ndarray, " n"]:
    """The code that each slot of an Example holds: inputs first, then targets."""
    before = np.concatenate([[coded_ids().bos], coded.targets])[: len(coded.targets)]
    shown = coded.targets_shown if len(coded.targets_shown) else before
    return np.concatenate([coded.inputs, shown])


def _predicted(specimen: Specimen) -> Int[np.ndarray, " n"]:
    return np.concatenate([specimen.coded.inputs_targets, specimen.coded.targets])


def _may_hold(specimen: Specimen) -> Bool[np.ndarray, "n n"]:
    """Which slots (columns) may hold the answer of a slot (row)."""
    inputs, targets = len(specimen.coded.inputs), len(specimen.coded.targets)
    may = np.zeros((inputs + targets, inputs + targets), bool)
    if specimen.objective.answers == "shown":
        may[inputs:, :inputs] = True
        ahead = predicts_next(specimen.coded, bos=coded_ids().bos)
        may[:inputs, :inputs] = np.eye(inputs, k=int(ahead), dtype=bool)
    return may


def declared(
    rows: Sequence[Sequence[Specimen]], shape: RowShape
) -> Bool[np.ndarray, "N N"]:
    """Whose tokens each slot of a batch may depend on, in the order of `all_places`.

    A free slot may depend on nothing and nothing on it.
    """
    index = {p: n for n, p in enumerate(all_places(shape, rows=len(rows)))}
    allowed = np.zeros((len(index), len(index)), bool)
    for specimens, places in zip(rows, places_of(rows, shape), strict=True):
        for specimen, slots_of in zip(specimens, places, strict=True):
            at = [index[place] for place in slots_of]
            allowed[np.ix_(at, at)] = may_see(specimen)
    return allowed
