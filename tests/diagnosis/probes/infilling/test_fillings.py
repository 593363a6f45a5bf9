"""What is asked about a filling, and what models that see one side or both answer."""

import numpy as np
import pytest

from sightline.diagnosis.probes.asking.subject import Subject
from sightline.diagnosis.probes.choices.items import Item
from sightline.diagnosis.probes.infilling.filling_forms import (
    FILLING_MODES,
    filling_in,
)
from sightline.diagnosis.probes.infilling.fillings import (
    blanked,
    filling_mode,
    infilling_scores,
)
from sightline.models.rows import decoder_rows

from ..conftest import seen_elsewhere

RIGHT = " B1. C C0 C1. B B6 B0."
ITEMS = [
    Item(
        n,
        "entity",
        ("D D0. B", f" B6{RIGHT}"),
        ("D D0. B", f" A6{RIGHT}"),
        right=len(RIGHT),
    )
    for n in range(3)
]


def taught(toy, mode, slots=80):
    """A model that likes a token the better the more often it sees it elsewhere."""

    shape = decoder_rows(slots=slots, predictions=slots)
    on = "causal" if mode in FILLING_MODES else mode
    return Subject(
        None, seen_elsewhere, seen_elsewhere, shape, toy.vocab, on, {mode: 1.0}
    )


@pytest.mark.parametrize("mode", FILLING_MODES)
def test_exactly_the_filling_is_asked_for(mode, toy):
    ids, encode = toy.vocab.special_ids, toy.vocab.encode
    left, filling, right = map(encode, ("D D0.", "B B6 B0", ". C C0."))
    examples = filling_in(mode, left, filling, right, ids)
    asked = [
        token
        for e in examples
        for token in (
            *e.inputs_targets[e.inputs_weights > 0],
            *e.targets[e.targets_weights > 0],
        )
    ]
    ends = {"reconstruction": [right[0]], "permuted": []}
    knows_the_length = mode in ("masked", "shifted", "blocks", "permuted")
    end = [] if knows_the_length else ends.get(mode, [ids.eos])
    assert asked == [*filling, *end]
    for e, k in zip(examples, range(len(filling)), strict=False):
        # Whatever is asked for, or still to be, is not in sight.
        shown = e.inputs.tolist()
        assert not set(filling[k:].tolist()) & set(shown)
        if len(examples) > 1:
            assert set(filling[:k].tolist()) <= set(shown)
        held = [*shown, *e.targets[e.targets_weights == 0].tolist()]
        assert set(right.tolist()) <= set(held)
    alone = filling_in(mode, left, filling, right[:0], ids)
    assert len(alone) == len(examples)


@pytest.mark.parametrize("mode", FILLING_MODES)
def test_a_model_that_sees_both_sides_is_asked_with_both(mode, toy):
    model = taught(toy, mode)
    assert filling_mode(model) == mode
    scores = infilling_scores(model, ITEMS, baselines={})
    both, left = (score for score in scores if score.kind == "all")
    assert (both.probe, both.value, both.mode) == ("infilling pairs", 1.0, mode)
    assert (left.probe, left.value) == ("infilling pairs, filled from the left", 0.5)
    assert both.items == 3 and both.trained


def test_a_strictly_past_model_fills_from_the_left_and_could_have_known(toy):
    scores = infilling_scores(taught(toy, "causal"), ITEMS, baselines={})
    left, whole = (score for score in scores if score.kind == "all")
    assert (left.probe, left.value, left.mode) == ("infilling pairs", 0.5, "causal")
    assert (whole.probe, whole.value) == ("infilling pairs, by the whole text", 1.0)


def test_both_fillings_have_the_same_text_around_them(toy):
    true, false = blanked(taught(toy, "causal"), ITEMS[0])
    decode = toy.vocab.decode
    assert [decode(part).strip() for part in true] == ["D D0. B", "B6", RIGHT.strip()]
    assert decode(false.filling).strip() == "A6"
    for a, b in ((true.left, false.left), (true.right, false.right)):
        np.testing.assert_array_equal(a, b)
    # The beginning of the other: it still has a token of its own.
    short = Item(
        0, "polarity", ("B", " B0." + RIGHT), ("B", " B0 B0." + RIGHT), right=len(RIGHT)
    )
    for filled in blanked(taught(toy, "causal"), short):
        assert len(filled.filling)


def test_the_left_side_is_cut_and_the_right_one_never(toy):
    whole = len(toy.vocab.encode("".join(ITEMS[0].true)))
    rows = [whole + 4, whole, len(toy.vocab.encode(RIGHT)) + 1]
    counts = []
    for slots in rows:
        model = taught(toy, "masked", slots)
        scores = infilling_scores(model, ITEMS, baselines={})
        counts.append(scores[0].items)
    assert counts == [3, 3, 3]
    scores = infilling_scores(taught(toy, "masked", rows[-1] - 1), ITEMS, baselines={})
    assert scores[0].items == 0
