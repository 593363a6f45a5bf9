"""Forms of Examples that are written out by hand, of a text of five tokens and EOS."""

import numpy as np
import pytest

from sightline.diagnosis.traits.forms import form_of
from sightline.objectives.coded import FIRST, OTHER, coded_ids, coded_text
from sightline.objectives.example import in_blocks, in_place, sequential
from sightline.objectives.mode import show_mode

IDS = coded_ids()
EOS, BOS, MASK, SEP = IDS.eos, IDS.bos, IDS.mask, IDS.sep
FILL = IDS.fill
NEGATIVE, POSITIVE = IDS.labels
TEXT = coded_text(6)
WHOLE = TEXT.tokens.tolist()


def at(*places):
    """The tokens of some places of the text."""
    return [FIRST + place for place in places]


def behind(inputs, targets, *, first=1, positions=None, weights=None):
    """Targets asked one after another, behind inputs that stand at 1, 2, …"""
    if positions is None:
        positions = 1 + first * len(inputs) + np.arange(len(targets))
    return sequential(
        9,
        inputs,
        targets,
        inputs_positions=1 + np.arange(len(inputs)),
        targets_positions=positions,
        targets_weights=weights,
    )


def form(*arguments, **more):
    return form_of(behind(*arguments, **more), TEXT)


def standing(inputs, weights, *, sees=(), positions=None):
    """An Example that predicts where its inputs stand."""
    places = 1 + np.arange(len(inputs)) if positions is None else positions
    targets = np.where(np.array(weights) > 0, FIRST + np.arange(len(inputs)), 0)
    return in_place(
        9, inputs, positions=places, targets=targets, weights=weights, sees=sees
    )


BLOCKS = in_blocks(
    9,
    at(0, 1),
    at(0, 1, 2),
    inputs_positions=[1, 2],
    inputs_sees=[2, 2],
    targets_positions=[1, 2, 3],
    targets_weights=[0, 2, 1],
    targets_shown=[*at(0), MASK, MASK],
    targets_sees=[0, 0, 2],
)


@pytest.mark.parametrize(
    ("example", "mode"),
    [
        (behind([], WHOLE), "causal"),
        (behind(at(0, 1), [*at(2, 3, 4), EOS]), "prefix"),
        (behind(at(0, 1), at(2, 3)), "prefix"),
        (behind(at(0, 1), at(3, 4)), "span"),
        (behind([*at(0, 1), SEP], at(2, 3)), "span"),
        (behind(at(2, 3), at(0)), "span"),
        (behind(at(0, 1, 2), at(1, 3)), "other"),
        (behind(at(0, 1), [SEP, EOS]), "other"),
        (behind(at(1, 0, 3, 2, 4), WHOLE), "reconstruction"),
        (behind([MASK, *at(3)], at(0, 1, 2, 3, 4)), "reconstruction"),
        (behind([MASK, *at(3)], at(0, 1, 2, 3)), "other"),
        (behind(at(0, 2), at(1), positions=[1]), "permuted"),
        (behind([], at(1, 0), positions=[2, 1]), "permuted"),
        (standing([MASK, *at(1)], [1, 0]), "masked"),
        (standing([BOS, *at(1)], [1, 0]), "shifted"),
        (standing([MASK, *at(1)], [1, 0], sees=[1, 2]), "blocks"),
        (BLOCKS, "blocks"),
        (behind(at(0, 1), [POSITIVE]), "pair"),
        (behind(at(0, 1), [POSITIVE], weights=[0]), "other"),
    ],
)
def test_the_mode_of_an_example(example, mode):
    assert form_of(example, TEXT).mode == mode


def test_targets_are_whole_behind_text_only_and_with_or_without_their_eos():
    corrupted = at(1, 0, 2)
    assert form(corrupted, WHOLE).whole and form(corrupted, WHOLE[:-1]).whole
    assert not form(corrupted, WHOLE[:-2]).whole
    assert not form(corrupted, at(0, 2, 1, 3, 4)).whole
    assert not form([], WHOLE).whole
    shown = show_mode(behind([], WHOLE), IDS, mode="X")
    assert not form_of(shown, TEXT).whole and form_of(shown, TEXT).mode == "causal"
    assert not form(at(0, 2), WHOLE[:-1], positions=[1, 2, 3, 4, 5]).whole


@pytest.mark.parametrize(
    ("inputs", "targets", "onward"),
    [
        ([], WHOLE, 6),
        (at(0, 1), [*at(2, 3, 4), EOS], 4),
        # The first token goes on from nothing: the text has a gap before it.
        (at(0, 1), at(3, 4), 1),
        # The EOS goes on from a token that does, and from no other.
        (at(0, 1), [*at(3), EOS], 0),
        (at(0, 1), [*at(2), EOS], 2),
        (at(1, 0, 3, 2, 4), WHOLE, 0),
        # The prefix is all that is not behind later text.
        ([], [FILL[0], *at(0, 1), FILL[1], *at(4), EOS, FILL[2], *at(2, 3)], 2),
        # Later text is in sight until it is passed.
        ([], at(0, 2, 1, 3), 1),
        ([], [], 0),
    ],
)
def test_onward_counts_what_follows_directly_and_sees_nothing_later(
    inputs, targets, onward
):
    assert form(inputs, targets).onward == onward


def test_onward_is_of_what_is_predicted_in_order():
    assert form([], WHOLE, weights=[0, 1, 1, 0, 1, 1]).onward == 4
    assert form_of(BLOCKS, TEXT).onward == 0
    assert form([], at(0, 1, 3, 2), positions=[1, 2, 4, 3]).onward == 0


def test_what_fills_in_has_text_on_both_sides_and_is_no_label():
    assert form(at(0, 2), at(1), positions=[2]).filled == 1
    assert form([], at(2, 0, 1), positions=[3, 1, 2]).filled == 3
    assert form_of(standing([*at(0), MASK, *at(2)], [0, 1, 0]), TEXT).filled == 1
    assert form_of(standing([*at(0, 1), MASK], [0, 0, 1]), TEXT).filled == 0
    assert form(at(0, 1), [POSITIVE]).filled == 0
    assert form(at(0, 1), [POSITIVE]).contexts.both == 1
    assert form([], WHOLE).filled == 0


def test_the_order_of_a_middle_is_that_of_its_marks():
    middle = [FILL[2], *at(2)]
    prefix, suffix = [FILL[0], *at(0, 1)], [FILL[1], *at(3, 4)]
    last = form([], [*prefix, *suffix, *middle])
    assert last.middle and not last.suffix_first
    first = form([], [FILL[0], *suffix, *middle[:1], *at(0, 1, 2)])
    assert first.middle and first.suffix_first
    none = form([], WHOLE)
    assert not none.middle and not none.suffix_first


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        ([*at(0, 1), SEP, *at(2, 3)], "none"),
        ([*at(0, 1), SEP, *at(3, 4)], "further"),
        ([*at(3, 4), SEP, *at(0, 1)], "swapped"),
        ([*at(0, 1), SEP, OTHER, OTHER + 1], "other"),
        ([OTHER, SEP, *at(0, 1)], "other"),
        # The way back is what shows, though there is also a gap.
        ([*at(1, 4), SEP, *at(0)], "swapped"),
    ],
)
def test_how_two_texts_fail_to_be_contiguous(inputs, kind):
    assert form(inputs, [NEGATIVE]).kind == kind


def test_a_label_says_whether_the_text_continues():
    inputs = [*at(0, 1), SEP, *at(2)]
    assert form(inputs, [NEGATIVE]).label == "does not"
    assert form(inputs, [POSITIVE]).label == "continues"
    assert form(inputs, [POSITIVE], weights=[0]).label == "none"
    assert form([], WHOLE).label == "none"


@pytest.mark.parametrize("mode", ["R", "S", "X"])
def test_a_mode_token_is_told_and_is_no_text(mode):
    example = show_mode(behind(at(0, 1), at(2, 3)), IDS, mode=mode)
    found = form_of(example, TEXT)
    assert (found.mode_token, found.mode, found.onward) == (mode, "prefix", 2)
    assert found.processed == 5
    # Only before all inputs is it one.
    later = example._replace(inputs=np.roll(example.inputs, 1))
    assert form_of(later, TEXT).mode_token == "none"


def test_predictions_are_counted_by_number_and_by_weight():
    found = form_of(standing([MASK, *at(1), MASK], [0.5, 0, 2]), TEXT)
    assert (found.supervised, found.weight, found.processed) == (2, 2.5, 3)
    both = form_of(BLOCKS, TEXT)
    assert (both.supervised, both.weight, both.processed) == (2, 3, 5)
