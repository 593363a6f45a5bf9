"""Specimens: the same Example in codes and in a vocabulary's ids, long enough."""

import numpy as np
import pytest

from sightline.diagnosis.audit.specimens import is_text, specimen, specimen_of
from sightline.models.rows import decoder_rows
from sightline.objectives import registry
from sightline.objectives.coded import FIRST, OTHER, coded_ids, coded_text
from sightline.objectives.special_ids import reserved_ids

SHAPE = decoder_rows(slots=96, predictions=96)
FIELDS = ("inputs", "targets", "inputs_targets", "targets_shown")
RESERVED = np.concatenate([*reserved_ids(coded_ids()).values()])


def made(name, ids, *, seed=0, size=40, **settings):
    objective = registry.get(name).with_settings(**settings)
    rng = np.random.default_rng(seed)
    return specimen_of(objective, coded_text(2 * size, 0, size), ids, rng)


def tokens(one):
    """The codes of a specimen, and the tokens in their place."""
    return (
        np.concatenate([getattr(example, field) for field in FIELDS])
        for example in (one.coded, one.example)
    )


@pytest.mark.parametrize("name", registry.objectives())
def test_codes_and_tokens_stand_for_each_other_one_to_one(name, ids):
    one = made(name, ids)
    codes, own = tokens(one)
    pairs = set(zip(codes.tolist(), own.tolist(), strict=True))
    assert len(pairs) == len({code for code, _ in pairs}) == len({t for _, t in pairs})
    for field in ("inputs", "targets"):
        reserved = np.isin(getattr(one.coded, field), RESERVED)
        text = np.isin(getattr(one.example, field), ids.text)
        np.testing.assert_array_equal(text, ~reserved)
    for field in set(one.coded._fields) - set(FIELDS):
        np.testing.assert_array_equal(
            getattr(one.coded, field), getattr(one.example, field)
        )


@pytest.mark.parametrize(
    ("name", "settings", "kinds"),
    [
        ("masked", {"masked_share": 1.0, "random_share": 0.0}, {"mask"}),
        ("span_corruption", {"mode": "X"}, {"sentinels", "modes"}),
        ("sentence_pair", {}, {"sep", "labels"}),
        ("fill_in_middle", {}, {"fill"}),
    ],
)
def test_reserved_ids_stay_the_same_of_their_kind(name, settings, kinds, ids):
    """The second sentinel of the codes becomes the second of the vocabulary."""
    theirs, coded = reserved_ids(ids), reserved_ids(coded_ids())
    codes, own = tokens(made(name, ids, size=41, **settings))
    found = set()
    for kind, values in coded.items():
        for number, code in enumerate(values):
            if (codes == code).any():
                found.add(kind)
                assert set(own[codes == code].tolist()) == {theirs[kind][number]}
    assert kinds <= found


def test_an_alphabet_is_drawn_from_with_repeats_but_each_code_keeps_its_letter(ids):
    alphabet = ids.text[:3]
    rng = np.random.default_rng(0)
    objective = registry.get("reconstruction")
    text = coded_text(60, 0, 30)
    one = specimen_of(objective, text, ids, rng, alphabet=alphabet)
    codes, own = tokens(one)
    assert set(own[is_text(codes)].tolist()) == set(alphabet.tolist())
    for code in np.unique(codes):
        assert len(set(own[codes == code].tolist())) == 1


def test_ids_repeat_only_where_a_vocabulary_has_too_few(ids):
    few = ids._replace(text=ids.text[:20])
    for size, repeats in ((20, False), (21, True)):
        rng = np.random.default_rng(0)
        text = coded_text(2 * size, 0, size)
        one = specimen_of(registry.get("causal"), text, few, rng)
        assert (len(set(one.example.targets.tolist())) < size) == repeats


def test_text_is_of_this_document_or_another():
    codes = np.array([FIRST - 1, FIRST, OTHER, OTHER + 5, coded_ids().mask])
    assert is_text(codes).tolist() == [False, True, True, True, False]


def test_specimens_begin_and_end_anywhere_and_are_long_enough(ids):
    """Of half the most tokens at least, within their document or at its end."""
    rng = np.random.default_rng(0)
    drawn = [specimen(registry.get("causal"), SHAPE, ids, rng) for _ in range(300)]
    codes = [one.coded.targets for one in drawn]
    assert {len(each) for each in codes} == set(range(12, 25))
    assert {int(each[0]) - FIRST for each in codes} == set(range(9))
    at_the_end = np.mean([each[-1] == coded_ids().eos for each in codes])
    assert 0.4 < at_the_end < 0.6


def test_specimens_fit_short_rows(ids):
    rng = np.random.default_rng(0)
    short = decoder_rows(slots=7, predictions=7)
    drawn = [specimen(registry.get("causal"), short, ids, rng) for _ in range(60)]
    assert {len(one.coded.targets) for one in drawn} == {3, 4, 5, 6, 7}
