"""Restored excerpts: they fit rows, keep what a mode is shown, and are all scored."""

import numpy as np
import pytest

from sightline.diagnosis.probes.reconstruction.corruptions import (
    KINDS,
    RATES,
    can_corrupt,
    corrupt,
    excerpt_tokens,
    excerpts,
)
from sightline.diagnosis.probes.reconstruction.filling import learn_filler
from sightline.diagnosis.probes.reconstruction.restoration import (
    GAIN,
    METRICS,
    UNDAMAGED,
    restoration_scores,
)
from sightline.diagnosis.probes.reconstruction.restored import restore, restoring_mode
from sightline.diagnosis.probes.reconstruction.restoring import (
    MODES_FOR,
    NEVER_TRAINED,
    ask,
)
from sightline.models.rows import decoder_rows, encoder_decoder_rows

ENCODER_DECODER = encoder_decoder_rows(
    slots=48, predictions=48, memory_slots=64, memory_predictions=64
)


@pytest.mark.parametrize(
    "shape", [decoder_rows(slots=64, predictions=64), ENCODER_DECODER]
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", RATES)
def test_the_longest_excerpt_fits_rows_corrupted_and_restored(
    shape, kind, rate, toy, probed, untrained
):
    """In every mode; an answer that rows cut short would look unfaithful."""
    subject = probed(untrained, {})._replace(shape=shape)
    ids = toy.vocab.special_ids
    ((_, beginning),) = excerpts(subject, toy.unseen[:1])
    assert len(beginning) == excerpt_tokens(subject)
    tokens = beginning[: excerpt_tokens(subject, kind=kind, rate=rate)]
    corrupted = corrupt(tokens, np.random.default_rng(0), ids, kind=kind, rate=rate)
    for mode in MODES_FOR[kind]:
        example = ask(corrupted, ids, mode=mode).example
        inputs, targets = len(example.inputs), len(example.targets)
        if shape.encoder is not None:
            if mode == "causal":
                continue  # given and answered in one stream
            assert inputs <= shape.encoder.slots and targets <= shape.decoder.slots
        else:
            assert inputs + targets <= shape.decoder.slots


def test_excerpts_are_beginnings_and_short_texts_are_left_out(toy, probed, untrained):
    subject = probed(untrained, {})
    short = toy.unseen[1][:20]
    assert len(toy.vocab.encode(short)) < 10
    found = excerpts(subject, [toy.unseen[0], short, toy.unseen[2]], most_tokens=20)
    assert [n for n, _ in found] == [0, 2]
    for n, tokens in found:
        whole = toy.vocab.encode(toy.unseen[n])
        np.testing.assert_array_equal(tokens, whole[:20])
    mild, harsh = (
        excerpt_tokens(subject, kind="insertion", rate=rate) for rate in (0.15, 0.5)
    )
    assert excerpt_tokens(subject) > mild > harsh


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_trained_to_restore_is_asked_to(kind, probed, untrained):
    for mode in MODES_FOR[kind]:
        subject = probed(untrained, {mode: 1.0})
        asked = restoring_mode(subject, kind)
        assert asked == ("reconstruction" if mode in NEVER_TRAINED else mode)
    every = probed(untrained, dict.fromkeys(MODES_FOR[kind], 0.1))
    assert restoring_mode(every, kind) == MODES_FOR[kind][0]


@pytest.mark.parametrize("mode", ["reconstruction", "span", "permuted", "masked"])
def test_a_mode_keeps_what_it_is_shown(mode, toy, probed, untrained):
    """Whatever an untrained model says; "reconstruction" alone writes all anew."""
    subject = probed(untrained, {mode: 1.0})
    taken = excerpts(subject, toy.unseen[:3], most_tokens=20)
    one, two = (
        restore(subject, taken, kind="masking", rate=0.3, seed=seed) for seed in (0, 1)
    )
    assert [r.document for r in one] == [0, 1, 2]
    for restored, (_, tokens) in zip(one, taken, strict=True):
        corrupted = restored.corrupted
        np.testing.assert_array_equal(corrupted.original, tokens)
        plain = restored.baselines["do nothing"]
        np.testing.assert_array_equal(plain, corrupted.kept)
        kept = restored.output.tolist()
        if mode in ("permuted", "masked"):
            assert len(kept) == len(tokens)
            np.testing.assert_array_equal(
                restored.output[corrupted.untouched], corrupted.kept
            )
        elif mode == "span":
            at = iter(kept)
            assert all(token in at for token in corrupted.kept.tolist())
    again = restore(subject, taken, kind="masking", rate=0.3, seed=0)
    for first, second in zip(one, again, strict=True):
        np.testing.assert_array_equal(first.output, second.output)
    assert any(
        not np.array_equal(a.corrupted.missing, b.corrupted.missing)
        for a, b in zip(one, two, strict=True)
    )


def test_corruptions_do_not_depend_on_the_other_excerpts(toy, probed, untrained):
    subject = probed(untrained, {"masked": 1.0})
    taken = excerpts(subject, toy.unseen[:4], most_tokens=20)
    every = restore(subject, taken, kind="masking", rate=0.5)
    alone = restore(subject, taken[2:3], kind="masking", rate=0.5)
    np.testing.assert_array_equal(every[2].corrupted.tokens, alone[0].corrupted.tokens)


def test_every_measure_of_every_kind_and_rate_is_scored(toy, probed, untrained):
    subject = probed(untrained, {"masked": 1.0, "causal": 0.5})
    taken = excerpts(subject, toy.unseen[:4], most_tokens=20)
    filler = learn_filler(toy.documents[:50])
    found = restoration_scores(
        subject, taken, kinds=["masking"], rates=[0.15, 0.5], filler=filler
    )
    for kind in ("masking, 15 %", "masking, 50 %"):
        mine = {s.metric: s for s in found if s.kind == kind}
        assert set(mine) == {*METRICS, GAIN}
        assert {s.items for s in mine.values()} == {4}
        assert {(s.mode, s.trained) for s in mine.values()} == {("masked", True)}
        exact = mine["exact match"]
        assert set(exact.baselines) == {"do nothing", "5-gram"}
        assert exact.value == 0 < exact.baselines["5-gram"]
        # Nothing is copied wrongly where the rest stays in its place.
        assert mine["copy recall"].value == 1
        assert mine["edit distance"].baselines["do nothing"] == pytest.approx(
            0.15 if "15" in kind else 0.5
        )


def test_all_kinds_together_are_the_mean_of_their_outputs(toy, probed, untrained):
    subject = probed(untrained, {"masked": 1.0})
    taken = excerpts(subject, toy.unseen[:3], most_tokens=14)
    filler = learn_filler(toy.documents[:50])
    found = restoration_scores(
        subject, taken, kinds=["masking", "deletion"], rates=[0.3], filler=filler
    )
    every = {(s.kind, s.metric): s for s in found}
    for metric in ("exact match", "edit distance", "fluent but unfaithful"):
        whole, *parts = (
            every[f"{kind}, 30 %", metric] for kind in ("all", "masking", "deletion")
        )
        assert whole.items == 6
        assert whole.documents == 3
        assert whole.value == pytest.approx(np.mean([p.value for p in parts]))
        assert (whole.mode, whole.trained) == ("reconstruction", False)
        assert "5-gram" not in whole.baselines
    every = restoration_scores(
        probed(untrained, {"masked": 0.5, "reconstruction": 0.5}),
        taken,
        kinds=["masking", "deletion"],
        rates=[0.3],
    )
    (whole,) = (s for s in every if s[2:4] == ("all, 30 %", "exact match"))
    assert (whole.mode, whole.trained) == ("masked or reconstruction", True)


def test_excerpts_that_cannot_be_corrupted_give_no_number(toy, probed, untrained):
    """Sentences change places only where there are three."""
    subject = probed(untrained, {})
    ids = toy.vocab.special_ids
    taken = excerpts(subject, toy.unseen[:2], most_tokens=9)
    assert not any(can_corrupt(t, ids, kind="shuffling") for _, t in taken)
    found = restoration_scores(subject, taken, kinds=["shuffling"], rates=[0.5])
    assert {s.items for s in found} == {0}
    assert all(np.isnan(s.value) and s.baselines == {} for s in found)


def test_the_gain_is_paired_and_its_interval_tells_who_is_closer(
    toy, probed, untrained
):
    subject = probed(untrained, {"masked": 1.0})
    taken = excerpts(subject, toy.unseen[:4], most_tokens=20)
    found = restoration_scores(subject, taken, kinds=["masking"], rates=[0.3])
    mine = {s.metric: s for s in found}
    distance, gain = mine["edit distance"], mine[GAIN]
    assert gain.value == pytest.approx(
        distance.baselines["do nothing"] - distance.value
    )
    # Every excerpt loses the same tokens, so what is handed back varies by nothing.
    assert gain.high == pytest.approx(distance.baselines["do nothing"] - distance.low)


def test_masks_are_filled_in_every_trained_mode_on_the_same_excerpts(
    toy, probed, untrained
):
    subject = probed(untrained, {"masked": 0.5, "span": 0.2, "reconstruction": 0.3})
    taken = excerpts(subject, toy.unseen[:3], most_tokens=14)
    found = restoration_scores(subject, taken, kinds=["masking"], rates=[0.3])
    mine = {s.metric: s for s in found if s.kind == "masking, 30 %"}
    assert mine["edit distance"].mode == "span"
    for mode in ("masked", "reconstruction"):
        other = mine[f"edit distance, as {mode}"]
        assert (other.mode, other.items) == (mode, 3)
        assert other.baselines == mine["edit distance"].baselines
    (copied,) = (s for s in found if s.kind == UNDAMAGED and s.metric == "exact match")
    assert (copied.mode, copied.value, copied.baselines) == ("reconstruction", 0.0, {})


def test_undamaged_excerpts_are_only_for_models_that_write_whole_texts(
    toy, probed, untrained
):
    subject = probed(untrained, {"masked": 1.0})
    taken = excerpts(subject, toy.unseen[:2], most_tokens=14)
    found = restoration_scores(subject, taken, kinds=["masking"], rates=[0.3])
    assert UNDAMAGED not in {score.kind for score in found}
