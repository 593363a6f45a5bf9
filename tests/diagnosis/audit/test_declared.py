"""What slots may see, against grids that are written out by hand."""

import numpy as np
import pytest

from sightline.diagnosis.audit.declared import (
    all_places,
    declared,
    hidden,
    may_see,
    places_of,
)
from sightline.diagnosis.audit.specimens import Specimen
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.coded import FIRST, coded_ids
from sightline.objectives.example import in_blocks, in_place, sequential

IDS = coded_ids()
A, B, C, D, E = range(FIRST, FIRST + 5)
BOS, MASK, SENTINEL, LABEL = IDS.bos, IDS.mask, IDS.sentinels[0], IDS.labels[0]
HIDDEN, SHOWN = registry.get("causal"), registry.get("reconstruction")
assert (HIDDEN.answers, SHOWN.answers) == ("hidden", "shown")


def grid(*rows):
    return np.array([[mark == "x" for mark in row] for row in rows])


def standing(inputs, targets, *, sees=()):
    """Predicts where its inputs stand; a target of 0 is none."""
    return in_place(
        9,
        inputs,
        positions=1 + np.arange(len(inputs)),
        targets=targets,
        weights=np.array(targets) > 0,
        sees=sees,
    )


def behind(inputs, targets, *, weights=None):
    return sequential(
        9,
        inputs,
        targets,
        inputs_positions=1 + np.arange(len(inputs)),
        targets_positions=1 + len(inputs) + np.arange(len(targets)),
        targets_weights=weights,
    )


def blocks(sees, *, shown=None, inputs=(A, B)):
    """Targets C, D, E, …, masked unless they are shown, of which blocks see inputs."""
    size = len(sees)
    return in_blocks(
        9,
        inputs,
        FIRST + 2 + np.arange(size),
        inputs_positions=1 + np.arange(len(inputs)),
        inputs_sees=np.full(len(inputs), len(inputs)),
        targets_positions=3 + np.arange(size),
        targets_weights=np.ones(size),
        targets_shown=[MASK] * size if shown is None else shown,
        targets_sees=sees,
    )


def seen(coded, objective=HIDDEN):
    return may_see(Specimen(objective, coded, coded))


def asks(coded, objective=HIDDEN):
    """Numbers of the slots whose answer is hidden."""
    return np.flatnonzero(hidden(Specimen(objective, coded, coded))).tolist()


@pytest.mark.parametrize(
    ("coded", "expected"),
    [
        (standing([A, MASK, C], [0, B, 0]), grid("xxx", "xxx", "xxx")),
        # Slots of targets hold BOS, C and D.
        (
            behind([A, B], [C, D, E]),
            grid("xx...", "xx...", "xxx..", "xxxx.", "xxxxx"),
        ),
        (behind([], [A, B]), grid("x.", "xx")),
        (
            standing([A, B, C], [0, 0, 0], sees=[1, 3, 3]),
            grid("x..", "xxx", "xxx"),
        ),
        # C and D are a block that sees no input, E one that sees both.
        (
            blocks([0, 0, 2]),
            grid("xx...", "xx...", "..xx.", "..xx.", "xx..x"),
        ),
        (
            blocks([1, 2, 2, 1]),
            grid("xx....", "xx....", "x.x...", "xx.xx.", "xx.xx.", "x....x"),
        ),
    ],
)
def test_the_layout_of_an_example(coded, expected):
    np.testing.assert_array_equal(seen(coded), expected)


@pytest.mark.parametrize(
    ("coded", "of_hidden", "of_shown"),
    [
        # The answer where it stands, and anywhere else.
        (standing([A, B], [0, B]), grid("xx", "x."), grid("xx", "xx")),
        (standing([B, MASK], [0, B]), grid("xx", ".x"), grid("xx", ".x")),
        # Asked one slot before, behind BOS.
        (standing([BOS, A], [A, 0]), grid("x.", "xx"), grid("xx", "xx")),
        (standing([BOS, MASK, A], [A, 0, 0]), *2 * [grid("xx.", "xxx", "xxx")]),
        # Among the inputs, and among the targets, where nothing may show it.
        (behind([A, B], [A]), grid("xx.", "xx.", ".xx"), grid("xx.", "xx.", "xxx")),
        (behind([], [A, B, A]), *2 * [grid("x..", "xx.", "x.x")]),
        (
            behind([LABEL, A], [LABEL]),
            grid("xx.", "xx.", ".xx"),
            grid("xx.", "xx.", "xxx"),
        ),
        # A block that shows its own answers.
        (blocks([0, 0], shown=[C, MASK], inputs=()), *2 * [grid(".x", "xx")]),
        # What is no answer may stand anywhere.
        (behind([SENTINEL], [SENTINEL]), *2 * [grid("x.", "xx")]),
        (behind([A], [A], weights=[0]), *2 * [grid("x.", "xx")]),
    ],
)
def test_no_slot_may_see_its_answer_but_where_an_objective_shows_it(
    coded, of_hidden, of_shown
):
    np.testing.assert_array_equal(seen(coded, HIDDEN), of_hidden)
    np.testing.assert_array_equal(seen(coded, SHOWN), of_shown)


@pytest.mark.parametrize(
    ("coded", "of_hidden", "of_shown"),
    [
        (behind([A, B], [C, D, LABEL]), [2, 3, 4], [2, 3, 4]),
        (behind([A], [SENTINEL, B, IDS.eos]), [2], [2]),
        (behind([A], [B, C], weights=[0, 1]), [2], [2]),
        (behind([A], [A, B]), [1, 2], [2]),
        (standing([A, MASK], [A, B]), [0, 1], [1]),
        # What the layout hides is hidden, whatever may be shown.
        (blocks([0, 1], inputs=(C, D)), [2, 3], [2, 3]),
    ],
)
def test_an_answer_is_hidden_if_nothing_that_is_seen_holds_it(
    coded, of_hidden, of_shown
):
    assert asks(coded, HIDDEN) == of_hidden
    assert asks(coded, SHOWN) == of_shown


ONE, TWO = behind([A, B], [C]), behind([A], [B, C])
SPECIMENS = [Specimen(HIDDEN, coded, coded) for coded in (ONE, TWO)]
DECODER = decoder_rows(slots=8, predictions=8)
BOTH = encoder_decoder_rows(
    slots=4, predictions=4, memory_slots=5, memory_predictions=5
)


def test_specimens_of_a_row_follow_each_other_in_each_stream():
    (row,) = places_of([SPECIMENS], DECODER)
    slots = [[place.slot for place in places] for places in row]
    assert slots == [[0, 1, 2], [3, 4, 5]]
    ((one, two),) = places_of([SPECIMENS], BOTH)
    assert [place[::2] for place in one] == [
        *(("encoder", 0), ("encoder", 1)),
        ("decoder", 0),
    ]
    assert [place[::2] for place in two] == [
        ("encoder", 2),
        *(("decoder", 1), ("decoder", 2)),
    ]
    rows = places_of([SPECIMENS[:1], SPECIMENS], BOTH)
    assert [{place.row for place in row[0]} for row in rows] == [{0}, {1}]
    assert rows[1][0][0].slot == 0  # each row begins anew


def test_places_are_those_of_all_rows_of_the_decoder_and_then_of_the_encoder():
    assert len(all_places(DECODER, rows=2)) == 16
    places = all_places(BOTH, rows=2)
    assert [place.stream for place in places] == ["decoder"] * 8 + ["encoder"] * 10
    assert places[5] == ("decoder", 1, 1) and places[-1] == ("encoder", 1, 4)


def test_a_batch_allows_what_its_specimens_do_and_nothing_between_them():
    found = declared([SPECIMENS, SPECIMENS[1:]], DECODER)
    expected = np.zeros((16, 16), bool)
    expected[0:3, 0:3] = seen(ONE)
    expected[3:6, 3:6] = seen(TWO)
    expected[8:11, 8:11] = seen(TWO)
    np.testing.assert_array_equal(found, expected)


def test_a_decoder_slot_sees_the_inputs_of_its_specimen_in_the_encoder():
    found = declared([SPECIMENS], BOTH)
    # Decoder slots 0–3, encoder slots 4–8: inputs of the one at 4 and 5, of the other
    # at 6; its targets stand at 1 and 2.
    assert np.flatnonzero(found[0]).tolist() == [0, 4, 5]
    assert np.flatnonzero(found[2]).tolist() == [1, 2, 6]
    assert np.flatnonzero(found[5]).tolist() == [4, 5]
    assert not found[3].any() and not found[:, 3].any() and not found[7:].any()
