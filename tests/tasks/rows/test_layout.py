"""Slots against a slow reading of the rules, for every objective and architecture."""

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.tasks.rows.layout import budget, layout
from sightline.tasks.rows.packing import collate

BOS = 1000
SHAPES = {
    "decoder": decoder_rows(slots=560, predictions=300),  # four of 60, twice each
    "encoder_decoder": encoder_decoder_rows(
        slots=300, predictions=300, memory_slots=400, memory_predictions=150
    ),
}
each_shape = pytest.mark.parametrize("name", SHAPES)


def visible(example):
    """Who sees whom, by definition: `{slot: (slots seen, position it asks from)}`.

    Slots are named `("input", i)` and `("target", j)`, the one that predicts target j.
    """
    inputs = [("input", i) for i in range(len(example.inputs))]
    seen = {}
    for i, slot in enumerate(inputs):
        limit = example.inputs_sees[i] if len(example.inputs_sees) else len(inputs)
        seen[slot] = (set(inputs[:limit]), example.inputs_positions[i])
    for j, position in enumerate(example.targets_positions):
        if len(example.targets_shown):
            sees = example.targets_sees
            block = {("target", k) for k in range(len(sees)) if same_block(sees, j, k)}
            seen["target", j] = (set(inputs[: sees[j]]) | block, position)
        else:
            earlier = {("target", k) for k in range(j + 1)}
            seen["target", j] = (set(inputs) | earlier, position - 1)
    return seen


def same_block(sees, j, k):
    """Whether every target from one to the other sees as many inputs."""
    return len(set(sees[min(j, k) : max(j, k) + 1].tolist())) == 1


def names_in_row(examples, part_of):
    """The name of every slot of a stream, Example after Example."""
    return [
        (number, kind, i)
        for number, example in enumerate(examples)
        for kind in part_of
        for i in range(len(getattr(example, f"{kind}s")))
    ]


def seen_by(stream, slot, names, start="visible_from", stop="visible_to"):
    first, last = (int(getattr(stream, f)[0, slot]) for f in (start, stop))
    return {names[k] for k in range(first, last)}


SETTINGS = {
    "masked (shift)": {"shift": True},
    "block_diffusion": {"block": 7},
    "block_diffusion (exact)": {"block": 7, "form": "exact"},
}
"""Of kinds of Examples; the others have their defaults."""

KINDS = sorted({*registry.objectives(), *SETTINGS})


@st.composite
def some_examples(draw):
    names = st.sampled_from(KINDS)
    kinds = draw(st.lists(st.tuples(names, st.integers(5, 60)), min_size=1, max_size=4))
    return kinds, draw(st.integers(0, 2**32))


def packed(drawn, shape, make_text, ids):
    """Some Examples, and the batch of the one row that they make."""
    kinds, seed = drawn
    rng = np.random.default_rng(seed)
    hypothesis.assume(shape.encoder or "exact" not in str(kinds))
    examples = [
        registry.get(kind.partition(" ")[0]).with_settings(**SETTINGS.get(kind, {}))(
            make_text(n), rng, ids
        )
        for kind, n in kinds
    ]
    place = layout(shape, bos=BOS)
    return examples, collate([[place(example) for example in examples]], shape)


@each_shape
@settings(max_examples=40, deadline=None)
@given(drawn=some_examples())
def test_slots_see_and_ask_as_defined(name, drawn, make_text, ids):
    shape = SHAPES[name]
    examples, batch = packed(drawn, shape, make_text, ids)
    decoder = batch.decoder
    parts = ("input", "target") if shape.encoder is None else ("target",)
    names = names_in_row(examples, parts)
    encoder_names = names_in_row(examples, ("input",))
    for slot, (number, kind, index) in enumerate(names):
        expected, asks_from = visible(examples[number])[kind, index]
        seen = seen_by(decoder, slot, names)
        if shape.encoder is not None:
            seen |= seen_by(
                batch.memory, slot, encoder_names, "memory_from", "memory_to"
            )
        assert seen == {(number, *other) for other in expected}
        assert decoder.query_positions[0, slot] == asks_from
        assert decoder.segment_ids[0, slot] == number + 1
    assert not decoder.segment_ids[0, len(names) :].any()
    assert not decoder.visible_to[0, len(names) :].any()
    if batch.encoder is not None:
        for slot, (number, kind, index) in enumerate(encoder_names):
            expected, asks_from = visible(examples[number])[kind, index]
            seen = seen_by(batch.encoder, slot, encoder_names)
            assert seen == {(number, *other) for other in expected}
            assert batch.encoder.query_positions[0, slot] == asks_from


@each_shape
@settings(max_examples=40, deadline=None)
@given(drawn=some_examples())
@hypothesis.example(drawn=([("reconstruction", 60)] * 4, 0))
@hypothesis.example(drawn=([("causal", 9), *[("block_diffusion (exact)", 60)] * 2], 0))
def test_slots_hold_and_predict_as_defined(name, drawn, make_text, ids):
    """A target's slot holds the target before it, and stands where that one stood."""
    shape = SHAPES[name]
    examples, batch = packed(drawn, shape, make_text, ids)
    held, stands, predicted = [], [], []
    for example in examples:
        block = list(zip(example.inputs, example.inputs_positions, strict=True))
        chain = []
        before = (BOS, example.targets_positions[0] - 1) if len(example.targets) else ()
        for pair in zip(example.targets, example.targets_positions, strict=True):
            chain.append(before)
            before = pair
        if len(example.targets_shown):
            shown = example.targets_shown, example.targets_positions
            chain = list(zip(*shown, strict=True))
        streams = [block + chain] if shape.encoder is None else [chain]
        held += [token for token, _ in streams[0]]
        stands += [position for _, position in streams[0]]
        in_place = example.inputs_targets[example.inputs_weights > 0].tolist()
        asked = example.targets[example.targets_weights > 0].tolist()
        predicted += (in_place if shape.encoder is None else []) + asked
    size = len(held)
    assert batch.decoder.tokens[0, :size].tolist() == held
    assert batch.decoder.positions[0, :size].tolist() == stands
    weighted = batch.decoder.loss_weights[0] > 0
    assert batch.decoder.targets[0, weighted].tolist() == predicted
    slots = batch.decoder.prediction_slots[0, weighted]
    assert len(set(slots.tolist())) == len(slots)


def test_blocks_that_one_stream_cannot_hold_are_refused(make_text, ids):
    """By its measure before anything is made, and by the layout itself."""
    exact = registry.get("block_diffusion").with_settings(block=4, form="exact")
    with pytest.raises(ValueError, match='form="canvas"'):
        exact.window(budget(SHAPES["decoder"]))
    example = exact(make_text(9), np.random.default_rng(0), ids)
    with pytest.raises(ValueError, match="use encoder_decoder_rows"):
        layout(SHAPES["decoder"], bos=BOS)(example)
    one = exact(make_text(4), np.random.default_rng(0), ids)  # sees nothing but itself
    placed = layout(SHAPES["decoder"], bos=BOS)(one)
    assert placed.decoder.visible_to.tolist() == [4] * 4


def test_an_empty_block_sees_nothing_of_its_neighbour(make_text, ids):
    """A causal Example beside a masked one: its memory interval is empty."""
    shape = SHAPES["encoder_decoder"]
    rng = np.random.default_rng(0)
    examples = [registry.get(o)(make_text(9), rng, ids) for o in ("masked", "causal")]
    place = layout(shape, bos=BOS)
    batch = collate([[place(example) for example in examples]], shape)
    assert batch.encoder.segment_ids[0, :10].tolist() == [1] * 9 + [0]
    assert batch.decoder.segment_ids[0, :10].tolist() == [2] * 9 + [0]
    np.testing.assert_array_equal(
        batch.memory.memory_from[0, :9], batch.memory.memory_to[0, :9]
    )


@each_shape
@pytest.mark.parametrize("objective", sorted(registry.objectives()))
def test_the_widest_window_fits_a_row(name, objective, make_text, ids):
    shape = SHAPES[name]
    bound = registry.get(objective)
    window = bound.window(budget(shape))
    text = make_text(window + 1, 0, window)
    placed = layout(shape, bos=BOS)(bound(text, np.random.default_rng(0), ids))
    batch = collate([[placed]], shape)
    weights = batch.decoder.loss_weights.sum()
    if batch.encoder is not None:
        weights += batch.encoder.loss_weights.sum()
    assert weights > 0
