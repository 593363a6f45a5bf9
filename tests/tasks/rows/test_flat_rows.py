"""Flat layout, packing and collation against slow ones, one Example at a time."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.models.rows import (
    Batch,
    Memory,
    Stream,
    decoder_rows,
    encoder_decoder_rows,
)
from sightline.objectives.example import Example
from sightline.tasks.rows.blocks import Blocks
from sightline.tasks.rows.layout import Placed, Slots, capacities, lay_out
from sightline.tasks.rows.packing import (
    PATIENCE,
    Packer,
    _blocks_of,
    collate,
    first_fit,
)

pytestmark = pytest.mark.unchecked

BOS = 77
SHAPES = [
    decoder_rows(slots=24, predictions=20),
    encoder_decoder_rows(
        slots=14, predictions=12, memory_slots=16, memory_predictions=8
    ),
]


@st.composite
def example(draw):
    inputs, targets = draw(st.integers(0, 8)), draw(st.integers(0, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    if inputs + targets == 0:
        targets = 1

    def ints(size):
        return rng.integers(1, 99, size).astype(np.int32)

    def weights(size):
        return (rng.random(size) * rng.integers(0, 2, size)).astype(np.float32)

    plain = Example(
        int(rng.integers(8)),
        *(ints(inputs), ints(inputs), ints(inputs), weights(inputs)),
        *(ints(targets), ints(targets), weights(targets)),
    )
    if draw(st.booleans()):
        limits = np.sort(rng.integers(1, inputs + 1, inputs)).astype(np.int32)
        plain = plain._replace(inputs_sees=limits)
    if draw(st.booleans()):
        sees = np.sort(rng.integers(0, inputs + 1, targets)).astype(np.int32)
        plain = plain._replace(targets_shown=ints(targets), targets_sees=sees)
    return plain


def fits_one_stream(one: Example) -> bool:
    """Whether no target sees inputs beside a block that they do not meet."""
    sees = one.targets_sees
    return not sees.any() or bool((sees == len(one.inputs)).all())


examples = st.lists(example(), min_size=1, max_size=40)
shapes = st.sampled_from(SHAPES)


def slow_layout(one: Example, shape) -> Placed:
    predicted = np.flatnonzero(one.inputs_weights)
    size = len(one.inputs)
    inputs = Slots(
        one.inputs,
        one.inputs_positions,
        one.inputs_positions,
        one.inputs_sees if len(one.inputs_sees) else np.full(size, size),
        predicted,
        one.inputs_targets[predicted],
        one.inputs_weights[predicted],
    )
    asks_from = one.targets_positions - 1
    size = len(one.targets)
    predicted = np.flatnonzero(one.targets_weights)
    targets = Slots(
        np.array([BOS, *one.targets[:-1]])[:size],
        np.array([*asks_from[:1], *one.targets_positions[:-1]])[:size],
        asks_from,
        np.arange(1, size + 1),
        predicted,
        one.targets[predicted],
        one.targets_weights[predicted],
    )
    blocks = None
    if len(one.targets_shown):
        sees = one.targets_sees.tolist()
        begin, end = [], []
        for at in range(size):
            edge = [k for k in range(1, size) if sees[k] != sees[k - 1]]
            begin.append(max([k for k in edge if k <= at], default=0))
            end.append(min([k for k in edge if k > at], default=size))
        targets = targets._replace(
            tokens=one.targets_shown,
            positions=one.targets_positions,
            query_positions=one.targets_positions,
            visible_to=np.array(end),
        )
        blocks = Blocks(np.array(begin), one.targets_sees)
    if shape.encoder is not None:
        return Placed(one.objective, targets, inputs, blocks)
    offset = len(one.inputs)
    targets = targets._replace(
        visible_to=targets.visible_to + offset,
        prediction_slots=targets.prediction_slots + offset,
    )
    both = [np.concatenate(pair) for pair in zip(inputs, targets, strict=True)]
    if blocks:
        begins = [0 if sees else b + offset for b, sees in zip(*blocks, strict=True)]
        none = [0] * offset
        blocks = Blocks(np.array(none + begins), np.array([offset] * offset + sees))
    return Placed(one.objective, Slots(*both), None, blocks)


def slow_first_fit(placed, shape, look_back):
    """As first written: every capacity of every open row is compared."""
    capacity = np.array(capacities(shape))
    free, rows, opened = [], [], []
    for number, one in enumerate(placed):
        need = np.array(one.sizes)
        row = next((n for n, f in enumerate(free) if (f >= need).all()), len(rows))
        if row == len(rows):
            rows.append([])
            opened.append(number)
            free.append(capacity.copy())
        rows[row].append(one)
        free[row] -= need
        if len(rows) > look_back:
            waited = number - opened[0] > PATIENCE * look_back
            closed = 0 if waited else int(np.argmin([f[::2].sum() for f in free]))
            yield rows.pop(closed)
            del opened[closed], free[closed]
    yield from rows


def slow_collate(rows, shape) -> Batch:
    def empty(capacity):
        ints = [np.zeros((len(rows), capacity.slots), np.int32) for _ in range(6)]
        more = [np.zeros((len(rows), capacity.predictions), np.int32) for _ in range(4)]
        more[2] = more[2].astype(np.float32)
        return Stream(*ints, *more)

    streams = [empty(shape.decoder)] + ([empty(shape.encoder)] if shape.encoder else [])
    memory = Memory(*(np.zeros_like(streams[0].tokens) for _ in range(2)))
    for row, placed in enumerate(rows):
        at = [[0, 0] for _ in streams]
        for number, one in enumerate(placed, start=1):
            spans = []
            for stream, slots, place in zip(
                streams, (one.decoder, one.encoder), at, strict=False
            ):
                start, first = place
                stop, last = start + len(slots.tokens), first + len(slots.targets)
                stream.tokens[row, start:stop] = slots.tokens
                stream.positions[row, start:stop] = slots.positions
                stream.query_positions[row, start:stop] = slots.query_positions
                stream.segment_ids[row, start:stop] = number
                decoder = slots is one.decoder
                own = one.blocks.visible_from if one.blocks and decoder else 0
                stream.visible_from[row, start:stop] = start + own
                stream.visible_to[row, start:stop] = start + slots.visible_to
                stream.prediction_slots[row, first:last] = (
                    start + slots.prediction_slots
                )
                stream.targets[row, first:last] = slots.targets
                stream.loss_weights[row, first:last] = slots.loss_weights
                stream.objective_ids[row, first:last] = one.objective
                spans.append((start, stop))
                place[:] = stop, last
            if shape.encoder:
                memory.memory_from[row, slice(*spans[0])] = spans[1][0]
                memory.memory_to[row, slice(*spans[0])] = (
                    spans[1][0] + one.blocks.memory_to if one.blocks else spans[1][1]
                )
    return Batch(*streams, memory) if shape.encoder else Batch(streams[0])


def fitting(some, shape) -> list[Example]:
    """The Examples, as if in order where blocks do not fit one stream."""
    none = np.zeros(0, np.int32)
    plain = [one._replace(targets_shown=none, targets_sees=none) for one in some]
    return [
        one if shape.encoder or fits_one_stream(one) else other
        for one, other in zip(some, plain, strict=True)
    ]


def written_out(one: Placed) -> Placed:
    """With what decoder slots see where it is ordinary, too."""
    blocks = _blocks_of(one)
    if one.encoder is None:  # no memory
        blocks = blocks._replace(memory_to=np.zeros_like(blocks.memory_to))
    return one._replace(blocks=blocks)


def same(one, other) -> bool:
    """Whether two batches or Examples hold the same values."""
    if one is None or isinstance(one, int):
        return one == other
    if other is None:
        return False
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return all(map(same, one, other))


@settings(max_examples=60, deadline=None)
@given(examples, shapes)
def test_many_examples_are_laid_out_as_each_alone(some, shape):
    some = fitting(some, shape)
    found = [written_out(one) for one in lay_out(some, shape, bos=BOS).placed()]
    expected = [written_out(slow_layout(one, shape)) for one in some]
    assert all(map(same, found, expected))
    for placed in found:
        for slots in filter(None, placed[1:3]):
            kinds = {array.dtype.type for array in slots[:-1]}
            assert kinds == {np.int32} and slots.loss_weights.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(examples, shapes, st.integers(1, 5))
def test_rows_are_those_of_the_slow_packer(some, shape, look_back):
    placed = lay_out(fitting(some, shape) * 3, shape, bos=BOS).placed()
    numbered = list(enumerate(placed))
    found = list(
        first_fit(numbered, shape, placed=lambda item: item[1], look_back=look_back)
    )
    place = {id(one): number for number, one in numbered}
    expected = [
        [place[id(one)] for one in row]
        for row in slow_first_fit(placed, shape, look_back)
    ]
    assert [[number for number, _ in row] for row in found] == expected


@settings(max_examples=60, deadline=None)
@given(examples, shapes)
def test_batches_are_those_of_the_slow_collation(some, shape):
    placed = lay_out(fitting(some, shape), shape, bos=BOS).placed()
    rows = [*first_fit(placed, shape, look_back=3), []]
    found, expected = collate(rows, shape), slow_collate(rows, shape)
    assert same(found, expected)
    kinds = [array.dtype for part in found if part is not None for array in part]
    assert kinds == [a.dtype for p in expected if p is not None for a in p]


@settings(max_examples=40, deadline=None)
@given(examples, shapes, st.integers(0, 60))
def test_a_packer_goes_on_from_its_state(some, shape, cut):
    placed = list(enumerate(lay_out(fitting(some, shape) * 3, shape, bos=BOS).placed()))
    whole = Packer(shape, look_back=3)
    first = Packer(shape, look_back=3)
    expected = [whole.add(number, one) for number, one in placed]
    found = [first.add(number, one) for number, one in placed[:cut]]
    second = Packer(shape, look_back=3)
    second.restore(
        [[placed[number] for number in row] for row in first.rows],
        first.opened,
        first.count,
    )
    found += [second.add(number, one) for number, one in placed[cut:]]
    assert found == expected and second.rows == whole.rows


def test_a_batch_of_empty_rows_is_all_zeros():
    for shape in SHAPES:
        assert same(collate([[], []], shape), slow_collate([[], []], shape))
