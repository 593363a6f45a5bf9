"""Does B continue A: AUC and calibration against oracles, and both readouts."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sklearn.metrics import roc_auc_score

from sightline.diagnosis.probes.asking.subject import Subject
from sightline.diagnosis.probes.choices.items import Item
from sightline.diagnosis.probes.choices.preferences import preferences
from sightline.diagnosis.probes.continuation.readouts import (
    auc,
    calibration_error,
    continuation_scores,
)
from sightline.models.rows import decoder_rows

scores = st.lists(st.integers(-3, 3), min_size=1, max_size=30).map(
    lambda x: np.array(x, float)
)


@settings(max_examples=300, deadline=None)
@given(true=scores, false=scores)
def test_auc_is_scikit_learns(true, false):
    truth = np.repeat([1, 0], [len(true), len(false)])
    expected = roc_auc_score(truth, np.concatenate([true, false]))
    assert auc(true, false) == pytest.approx(expected, abs=1e-12)
    assert auc(true, false) == pytest.approx(1 - auc(false, true), abs=1e-12)


def test_auc_of_nothing_is_no_number():
    some, none = np.ones(2), np.zeros(0)
    assert np.isnan([auc(some, none), auc(none, some)]).all()


def test_calibration_of_what_is_meant_and_of_what_is_overdone():
    rng = np.random.default_rng(0)
    meant = rng.random(4000)
    truth = rng.random(4000) < meant
    assert calibration_error(meant, truth) < 0.03
    # Evidence that is four times too strong, and a model that is always sure.
    evidence = 4 * np.log(meant / (1 - meant))
    assert calibration_error(1 / (1 + np.exp(-evidence)), truth) > 0.1
    assert calibration_error(np.ones(4000), rng.random(4000) < 0.5) > 0.45
    assert calibration_error(np.full(4000, 0.5), rng.random(4000) < 0.5) < 0.06


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_a_calibration_error_is_a_distance(said):
    probability, truth = (np.array(x) for x in zip(*said, strict=True))
    assert 0 <= calibration_error(probability, truth) <= 1 + 1e-12
    order = np.lexsort((truth, probability))
    assert calibration_error(probability[order], truth[order]) == pytest.approx(
        calibration_error(probability, truth)
    )
    assert calibration_error(truth.astype(float), truth) == 0


ITEMS = [
    Item(n, kind, (f"{t} {t}0 {t}1.", f" {t} {t}2."), (f"{t} {t}0 {t}1.", f" {wrong}."))
    for n, t in enumerate("ABCDEFGH")
    for kind, wrong in (("other", f"{'BCDEFGHA'[n]} {t}3"), ("further", f"{t} {t}5"))
]


def topical(toy, slots=40):
    """A model that knows by heart: B continues A if it begins with A's name."""
    ids = toy.vocab.special_ids

    def score(examples):
        found = []
        for e in examples:
            at = e.inputs.tolist().index(ids.sep)
            same = e.inputs[at + 1] == e.inputs[0]
            p = 0.9 if e.targets[0] == ids.labels[int(same)] else 0.1
            found.append(np.array([np.log(p)]))
        return found

    shape = decoder_rows(slots=slots, predictions=slots)
    return Subject(None, score, score, shape, toy.vocab, "causal", {"pair": 0.1})


def by_name(found):
    return {(s.kind, s.metric): s for s in found}


def test_labels_are_read_for_each_type_of_negative(toy):
    shallow = {"other": {"bag": 0.75}}
    found = by_name(
        continuation_scores(topical(toy), ITEMS, readout="label", baselines=shallow)
    )
    assert len(found) == 9
    assert found["other", "AUC"].value == found["other", "accuracy"].value == 1
    assert found["further", "AUC"].value == found["further", "accuracy"].value == 0.5
    assert found["all", "AUC"].value == found["all", "accuracy"].value == 0.75
    # Right at .9 is .1 off; half right at .9 is .4 off.
    assert found["other", "calibration error"].value == pytest.approx(0.1)
    assert found["further", "calibration error"].value == pytest.approx(0.4)
    for (kind, metric), score in found.items():
        assert (score.mode, score.trained) == ("pair", True)
        assert (score.items, score.documents) == (16 if kind == "all" else 8, 8)
        calibration = metric == "calibration error"
        assert score.better == ("lower" if calibration else "higher")
        assert score.chance == (None if calibration else 0.5)
        given = {} if calibration or kind != "other" else {"bag": 0.75}
        assert score.baselines == given


def test_likelihood_is_read_as_the_gain_over_the_texts_own(toy):
    def score(examples):
        """Likes what follows its own topic's name."""
        return [
            np.array([float(len(e.targets) > 4 and e.targets[0] == e.targets[4]) - 0.5])
            for e in examples
        ]

    model = topical(toy)._replace(score=score)
    found = by_name(
        continuation_scores(model, ITEMS, readout="likelihood", baselines={})
    )
    pairs = preferences(model, ITEMS)
    wins = (pairs.true > pairs.false).mean()
    assert found["other", "AUC"].value == 1 and wins >= 0.5
    assert {s.mode for s in found.values()} == {"causal"}
    assert not any(s.trained for s in found.values())


def test_pairs_without_room_are_left_out_whole(toy):
    """Of rows of 14 slots the long item's pairs take 16; none of it is asked."""
    long = Item(9, "other", ("A A0 A1. A A2 A3.", " A A4."), ("B B0.", " A A4."))
    found = by_name(
        continuation_scores(
            topical(toy, slots=9), [long, *ITEMS], readout="label", baselines={}
        )
    )
    assert found["other", "AUC"].items == 8
    none = continuation_scores(
        topical(toy, slots=9), [long], readout="label", baselines={}
    )
    assert [s.items for s in none] == [0] * 6
    assert all(np.isnan(s.value) for s in none)


def test_the_auc_of_all_types_never_compares_one_type_with_another(toy):
    """A model that finds every text of one type likelier than any of the other's."""
    ids = toy.vocab.special_ids
    items = [item for item in ITEMS if (item.kind == "other") == (item.document < 4)]

    def score(examples):
        found = []
        for e in examples:
            first, second = toy.vocab.decode(e.inputs).split()[::3][:2]
            evidence = 5.0 if first in "EFGH" else float(second.startswith(first))
            asked = evidence if e.targets[0] == ids.labels[1] else 0.0
            found.append(np.array([asked]))
        return found

    model = topical(toy)._replace(score=score)
    found = by_name(continuation_scores(model, items, readout="label", baselines={}))
    assert found["other", "AUC"].value == 1
    assert found["further", "AUC"].value == 0.5
    assert found["all", "AUC"].value == 0.75
