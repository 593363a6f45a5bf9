"""A model as probes see it: its ids, its mode, and texts cut to its rows."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from sightline.diagnosis.probes.asking.forms import MODES, going_on
from sightline.diagnosis.probes.asking.subject import (
    Subject,
    best_mode,
    cut,
    fitted,
    subject,
)
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.rows.layout import capacities, layout
from sightline.tasks.tokens.vocabulary import vocabulary

ROWS = {
    "decoder": decoder_rows(slots=40, predictions=40),
    "encoder_decoder": encoder_decoder_rows(
        slots=24, predictions=24, memory_slots=30, memory_predictions=30
    ),
}
texts = st.text(st.sampled_from("abe AB.\n 12é§"), max_size=40)
lengths = st.integers(0, 90)


def unasked(examples):
    raise AssertionError("nothing is to be asked")


def seen(shape, vocab, mode) -> Subject:
    """A subject without a model, which cutting does not need."""
    fields = {"score": unasked, "guess": unasked, "trained": {mode: 1.0}}
    return Subject(model=None, shape=shape, vocab=vocab, mode=mode, **fields)


@pytest.mark.parametrize("name", ["python_docs", "bytes"])
@settings(max_examples=200, deadline=None)
@given(first=texts, second=texts)
def test_a_cut_loses_nothing(name, first, second):
    vocab = vocabulary(name)
    before, after = cut(vocab, (first, second))
    whole, alone = vocab.encode(first + second), vocab.encode(first)
    np.testing.assert_array_equal(np.concatenate([before, after]), whole)
    # What the boundary changes belongs to the second text.
    np.testing.assert_array_equal(before, alone[: len(before)])
    if len(before) < min(len(alone), len(whole)):
        assert alone[len(before)] != whole[len(before)]


def size_of(subject, before, after):
    place = layout(subject.shape, bos=subject.vocab.special_ids.bos)
    (example, *_) = going_on(subject.mode, before, after, subject.vocab.special_ids)
    return np.array(place(example).sizes)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=100, deadline=None)
@given(before=lengths, after=st.integers(1, 60))
def test_what_is_fitted_fits_and_is_no_shorter_than_it_must(
    rows, mode, before, after, toy
):
    model = seen(ROWS[rows], toy.vocab, mode)
    ids, room = toy.vocab.special_ids, np.array(capacities(model.shape))
    drawn = np.resize(ids.text, before + after)
    before, after = drawn[:before], drawn[before:]
    found = fitted(model, before, after)
    if found is None:
        assert (size_of(model, before[:0], after) > room).any()
        return
    kept, same = found
    assert same is after
    assert (size_of(model, kept, after) <= room).all()
    np.testing.assert_array_equal(kept, before[len(before) - len(kept) :])
    if len(kept) < len(before):
        longer = before[len(before) - len(kept) - 1 :]
        assert (size_of(model, longer, after) > room).any()


def test_the_first_mode_that_was_trained_is_asked():
    assert best_mode({}) == best_mode({"pair": 1.0}) == "causal"
    assert best_mode({"masked": 0.5, "span": 0.5, "causal": 0.0}) == "span"
    assert [best_mode({mode: 1.0}) for mode in MODES] == list(MODES)


def test_what_was_trained_is_known(probed, untrained):
    model = probed(untrained, {"masked": 0.5, "causal": 0.0})
    assert model.mode == "masked"
    assert [m for m in MODES if model.trains(m)] == ["masked"]
    assert probed(untrained, {"masked": 1.0}, mode="causal").mode == "causal"


def test_a_model_sees_the_mode_token_that_it_was_trained_with(toy):
    ids, two = toy.vocab.special_ids, np.resize(toy.vocab.special_ids.text, 2)
    plain = seen(ROWS["decoder"], toy.vocab, "prefix")
    led = plain._replace(mode_tokens={"prefix": "S", "span": "X"})
    (before,), (after,) = (
        plain.continuation_examples(two, two),
        led.continuation_examples(two, two),
    )
    assert after.inputs.tolist() == [ids.mode("S"), *before.inputs]
    assert after.inputs_positions.tolist() == [0, *before.inputs_positions]
    assert led.with_mode_token(before, "causal") is before
    # And it takes a slot of the row.
    long = np.resize(ids.text, 60)
    assert len(fitted(led, long, two)[0]) == len(fitted(plain, long, two)[0]) - 1


def test_every_slot_of_a_row_can_be_asked(untrained, toy):
    shape = decoder_rows(slots=64, predictions=8)
    found = subject(untrained, shape, toy.vocab, trained={})
    assert found.shape == decoder_rows(slots=64, predictions=64)


def test_a_model_without_the_labels_ids_is_refused(untrained, toy):
    """Its table has 256 rows; a longer vocabulary has its labels beyond them."""
    shape = decoder_rows(slots=8, predictions=8)
    vocab = vocabulary("bytes")
    labels = list(vocab.special_ids.labels)
    assert min(labels) >= toy.vocab.size
    with pytest.raises(ValueError, match=r"it lacks label tokens") as refused:
        subject(untrained, shape, vocab, trained={})
    said = str(refused.value)
    assert str(labels) in said and str(toy.vocab.size) in said
    assert "'bytes'" in said and "Mixture.vocabulary" in said


@pytest.mark.parametrize(
    "mode, slots", [("causal", 24), ("masked", 30), ("prefix", 24), ("span", 24)]
)
def test_slots_are_those_of_the_streams_that_hold_the_text(mode, slots):
    vocab = vocabulary("bytes")
    assert seen(ROWS["encoder_decoder"], vocab, mode).slots == slots
    assert seen(ROWS["decoder"], vocab, mode).slots == 40


@pytest.mark.parametrize(
    "mode, sizes", [("causal", (64, 1)), ("masked", (1, 64)), ("shifted", (1, 64))]
)
def test_a_stream_that_holds_none_of_the_text_may_be_short(mode, sizes):
    """As in the recipes gpt.gin and bert.gin."""
    rows = encoder_decoder_rows(
        slots=sizes[0],
        predictions=sizes[0],
        memory_slots=sizes[1],
        memory_predictions=sizes[1],
    )
    assert seen(rows, vocabulary("bytes"), mode).slots == 64
