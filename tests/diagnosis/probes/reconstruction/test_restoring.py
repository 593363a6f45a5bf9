"""Restoring: asked as the objectives ask, and the right answer gives the original."""

import inspect
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from sightline.diagnosis.probes.asking import forms
from sightline.diagnosis.probes.reconstruction import fidelity
from sightline.diagnosis.probes.reconstruction.corruptions import (
    KINDS,
    Corrupted,
    can_corrupt,
    corrupt,
)
from sightline.diagnosis.probes.reconstruction.filling import fill_masks, learn_filler
from sightline.diagnosis.probes.reconstruction.restoring import (
    MODES_FOR,
    NEVER_TRAINED,
    ask,
    assemble,
    unrestored,
)
from sightline.objectives import causal, masked, permuted, prefix, registry
from sightline.objectives.mode import show_mode
from sightline.objectives.text import Text

excerpts = st.lists(st.integers(3, 999), min_size=2, max_size=60)
seeds = st.integers(0, 2**32)
ASKED = [(kind, mode) for kind in KINDS for mode in MODES_FOR[kind]]


def tokens_of(*listed):
    return np.array(listed, np.int32)


def answer(request):
    """The right answer to a request, as `assemble` takes it."""
    example = request.example
    if request.mode in ("masked", "shifted"):
        return example.inputs_targets[example.inputs_weights > 0]
    return example.targets[(example.targets_weights == 0).sum() :]


def masked_excerpt(ids):
    """`a b c d e f` with b, c and f masked."""
    original, missing = tokens_of(20, 21, 22, 23, 24, 25), np.array([1, 2, 5])
    given = original.copy()
    given[missing] = ids.mask
    return Corrupted("masking", original, given, np.array([0, 3, 4]), missing)


@settings(max_examples=300, deadline=None)
@given(
    listed=excerpts,
    asked=st.sampled_from(ASKED),
    rate=st.sampled_from((0.15, 0.3, 0.5, 1.0)),
    seed=seeds,
    random_order=st.booleans(),
)
def test_the_right_answer_gives_the_original(
    listed, asked, rate, seed, random_order, ids
):
    kind, mode = asked
    tokens, rng = tokens_of(*listed), np.random.default_rng(seed)
    assume(can_corrupt(tokens, ids, kind=kind))
    corrupted = corrupt(tokens, rng, ids, kind=kind, rate=rate)
    request = ask(corrupted, ids, mode=mode, rng=rng if random_order else None)
    restored = assemble(request, answer(request), ids)
    np.testing.assert_array_equal(restored, tokens)
    found = fidelity.measure(restored, tokens, untouched=corrupted.kept)
    assert found == fidelity.Fidelity(1.0, 0.0, 1.0, 1.0, 0.0)


@settings(max_examples=100, deadline=None)
@given(listed=excerpts, asked=st.sampled_from(ASKED), seed=seeds)
def test_nothing_missing_is_shown(listed, asked, seed, ids):
    kind, mode = asked
    tokens, rng = tokens_of(*listed), np.random.default_rng(seed)
    assume(kind != "insertion" and can_corrupt(tokens, ids, kind=kind))
    corrupted = corrupt(tokens, rng, ids, kind=kind, rate=0.5)
    # The same corruption of another text that differs only in what is missing.
    other = tokens.copy()
    other[corrupted.missing] = 3 + (other[corrupted.missing] + 1) % 997
    if kind == "shuffling":
        other = tokens  # it shows everything, in another order
    alike = corrupted._replace(original=other)
    one, two = (ask(c, ids, mode=mode).example for c in (corrupted, alike))
    given = one.targets_weights == 0
    for a, b in (
        (one.inputs, two.inputs),
        (one.inputs_positions, two.inputs_positions),
        (one.targets_positions, two.targets_positions),
        (one.targets[given], two.targets[given]),
    ):
        np.testing.assert_array_equal(a, b)


def test_layouts(ids):
    a, b, c, d, e, f = range(20, 26)
    m, eos, (s0, s1) = ids.mask, ids.eos, ids.sentinels[:2]
    shown, whole = [a, m, m, d, e, m], [a, b, c, d, e, f, eos]
    expected = {
        "reconstruction": ([*shown, eos], whole, range(1, 8), range(9, 16)),
        "span": (
            [a, s0, d, e, s1, eos],
            [s0, b, c, s1, f, eos],
            range(1, 7),
            range(8, 14),
        ),
        "permuted": ([a, d, e], [b, c, f], [1, 4, 5], [2, 3, 6]),
        "masked": (shown, [], range(1, 7), []),
        "shifted": ([ids.bos, *shown], [], range(7), []),
        "prefix": (shown, whole, range(1, 7), range(7, 14)),
        "causal": ([], [*shown, *whole], [], range(1, 14)),
    }
    assert set(expected) == set(MODES_FOR["masking"])
    assert set(expected) == set(forms.MODES)
    for mode, (inputs, targets, places, behind) in expected.items():
        example = ask(masked_excerpt(ids), ids, mode=mode).example
        assert example.inputs.tolist() == inputs, mode
        assert example.targets.tolist() == targets, mode
        assert example.inputs_positions.tolist() == list(places), mode
        assert example.targets_positions.tolist() == list(behind), mode
        in_place = [0, b, c, 0, 0, f] if mode == "masked" else [0] * len(inputs)
        in_place = [0, b, c, 0, 0, f, 0] if mode == "shifted" else in_place
        assert example.inputs_targets.tolist() == in_place
        assert example.inputs_weights.tolist() == [float(t > 0) for t in in_place]
        given = 6 if mode == "causal" else 0
        assert example.targets_weights.tolist() == [
            float(n >= given) for n in range(len(targets))
        ]
    ids_of = [ask(masked_excerpt(ids), ids, mode=m).example.objective for m in expected]
    names = ("reconstruction", "span_corruption", "permuted", "masked")
    assert ids_of[:4] == [registry.get(name).id for name in names]
    assert ids_of[4:] == [masked.ID, prefix.ID, causal.ID]
    assert ids_of[2:4] == [permuted.ID, masked.ID]


@pytest.mark.parametrize("seed", range(5))
def test_as_the_objectives_lay_it_out(seed, ids, make_text):
    """From an objective's own Example back to the corruption, and to the same one."""
    document = make_text(60).document
    text = Text(document, 0, 50, lambda rng: document)
    tokens, rng = text.tokens, np.random.default_rng(seed)
    for name, bound, mode in (
        ("reconstruction", dict(infill=0.0, mask=0.3), "reconstruction"),
        ("masked", dict(rate=0.3, masked_share=1.0, random_share=0.0), "masked"),
    ):
        made = registry.get(name).with_settings(**bound)(text, rng, ids)
        given = made.inputs[: len(tokens)]
        hidden = given == ids.mask
        corrupted = Corrupted(
            "masking", tokens, given, np.flatnonzero(~hidden), np.flatnonzero(hidden)
        )
        for ours, theirs in zip(
            ask(corrupted, ids, mode=mode).example, made, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_the_order_of_permuted_is_drawn(ids):
    request = ask(
        masked_excerpt(ids), ids, mode="permuted", rng=np.random.default_rng(1)
    )
    places = request.example.targets_positions - 1
    np.testing.assert_array_equal(np.sort(places), [1, 2, 5])
    orders = {
        tuple(
            ask(
                masked_excerpt(ids), ids, mode="permuted", rng=rng
            ).example.targets_positions.tolist()
        )
        for rng in map(np.random.default_rng, range(60))
    }
    assert len(orders) == len(list(itertools.permutations(range(3))))


def test_an_answer_in_sentinels_is_read_as_it_comes(ids):
    request = ask(masked_excerpt(ids), ids, mode="span")
    s0, s1, s2 = ids.sentinels[:3]
    for said, expected in (
        ([s0, 31, s1, 32, 33], [20, 31, 23, 24, 32, 33]),
        ([s1, 32, s0, 31], [20, 31, 23, 24, 32]),
        ([9, s0, 31, s2, 40, s1, 32, s0, 41], [20, 31, 23, 24, 32]),
        ([s0, 31, ids.eos, s1, 32], [20, 31, 23, 24]),
        ([], [20, 23, 24]),
    ):
        assert assemble(request, tokens_of(*said), ids).tolist() == expected
        led = request._replace(example=show_mode(request.example, ids, mode="R"))
        assert assemble(led, tokens_of(*said), ids).tolist() == expected


def test_an_answer_ends_at_eos_unless_its_length_is_known(ids):
    corrupted = masked_excerpt(ids)
    answer = tokens_of(5, 6, ids.eos, 7)
    for mode in ("reconstruction", *NEVER_TRAINED):
        request = ask(corrupted, ids, mode=mode)
        assert assemble(request, answer, ids).tolist() == [5, 6]
        assert assemble(request, answer[:2], ids).tolist() == [5, 6]
    for mode in ("permuted", "masked", "shifted"):
        request = ask(corrupted, ids, mode=mode)
        restored = assemble(request, answer[1:], ids)
        assert restored.tolist() == [20, 6, ids.eos, 23, 24, 7]
        with pytest.raises(ValueError, match="4 tokens, but 3 are missing"):
            assemble(request, answer, ids)


def test_what_cannot_be_asked_is_refused(ids):
    deletion = masked_excerpt(ids)._replace(kind="deletion")
    with pytest.raises(ValueError, match="'span' cannot restore deletion"):
        ask(deletion, ids, mode="span")
    with pytest.raises(ValueError, match="did you mean 'masked'"):
        inspect.unwrap(ask)(masked_excerpt(ids), ids, mode="maskd")
    with pytest.raises(ValueError, match=r"2 runs .* has 1 sentinels"):
        few = ids._replace(sentinels=ids.sentinels[:1])
        ask(masked_excerpt(ids), few, mode="span")


def test_doing_nothing_keeps_what_is_untouched(ids):
    assert unrestored(masked_excerpt(ids), ids).tolist() == [20, 23, 24]
    tokens, rng = tokens_of(*range(30, 60)), np.random.default_rng(0)
    for kind in ("deletion", "insertion"):
        corrupted = corrupt(tokens, rng, ids, kind=kind, rate=0.3)
        found = fidelity.measure(
            unrestored(corrupted, ids), tokens, untouched=corrupted.kept
        )
        assert found.copy_recall == 1
        assert 0 < found.distance < 0.35


def test_a_filler_knows_what_it_has_read(ids):
    rng = np.random.default_rng(0)
    document = np.tile(rng.permutation(np.arange(100, 160)), 3).astype(np.int32)
    filler = learn_filler([document])
    for rate in (0.15, 0.5):
        corrupted = corrupt(document[40:100], rng, ids, kind="masking", rate=rate)
        restored = fill_masks(corrupted, ids, filler)
        found = fidelity.measure(restored, corrupted.original, untouched=corrupted.kept)
        assert found.distance < 0.1
        assert (restored[corrupted.untouched] == corrupted.kept).all()


def test_a_filler_looks_behind_the_mask_too(ids):
    # After 10 comes 11 more often than 12, but only 12 stands before 13.
    filler = learn_filler([tokens_of(*[10, 11, 14] * 5, 10, 12, 13)])
    original, places = tokens_of(10, 12, 13), np.arange(3)
    given = tokens_of(10, ids.mask, 13)
    corrupted = Corrupted("masking", original, given, places[[0, 2]], places[[1]])
    np.testing.assert_array_equal(fill_masks(corrupted, ids, filler), original)
    first = corrupted._replace(tokens=tokens_of(ids.mask, 12, 13))
    first = first._replace(untouched=places[1:], missing=places[:1])
    np.testing.assert_array_equal(fill_masks(first, ids, filler), original)


def test_a_filler_tries_what_stands_before_the_next_token(ids):
    # Too many tokens follow 10 for 12, which never does, to be tried on that account.
    often = [token for other in range(100, 130) for token in (10, other, 14)]
    filler = learn_filler([tokens_of(*often * 2, 30, 12, 13)])
    corrupted = Corrupted(
        "masking",
        tokens_of(10, 12, 13),
        tokens_of(10, ids.mask, 13),
        np.array([0, 2]),
        np.array([1]),
    )
    np.testing.assert_array_equal(
        fill_masks(corrupted, ids, filler), corrupted.original
    )


def test_a_filler_fills_masks_only(ids):
    deletion = masked_excerpt(ids)._replace(kind="deletion")
    with pytest.raises(ValueError, match="corrupted by deletion"):
        fill_masks(deletion, ids, learn_filler([tokens_of(5, 6)]))
