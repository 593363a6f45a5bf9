"""Scores of published tests: ties, averages, intervals, and a model that knows."""

import json
import math

import numpy as np
import pytest

from sightline.diagnosis.probes.published import measures
from sightline.diagnosis.probes.published.levels import levels
from sightline.diagnosis.probes.published.measures import share_right
from sightline.diagnosis.probes.published.published import (
    catalogued,
    fresh,
    published_scores,
    read_published,
)
from sightline.diagnosis.probes.published.published_test import Measured, Question
from sightline.diagnosis.probes.published.reporting import beaten, shown_scores
from sightline.diagnosis.probes.published.shallow import (
    of_choices_and_words,
    of_last_words,
)


def test_ties_are_shared():
    assert share_right([1.0, 1.0], 0) == 0.5
    assert share_right([1.0, 2.0, 2.0, 2.0], 1) == pytest.approx(1 / 3)
    assert (share_right([2.0, 1.0], 0), share_right([2.0, 1.0], 1)) == (1.0, 0.0)


def questions(groups):
    return [
        Question((name, name[0], "f"), (("", "a"), ("", "b")))
        for name, count in groups.items()
        for _ in range(count)
    ]


def test_paradigms_count_alike_and_items_left_out_are_counted():
    asked = questions({"x1": 4, "x2": 2, "y1": 1})
    amount = np.array([1, 1, 0, math.nan, 0.5, 0.5, 0], float)
    found = {
        (level.level, level.kind): level
        for level in levels(
            catalogued()["BLiMP"],
            asked,
            Measured("accuracy", amount, np.ones(7)),
            seed=0,
        )
    }
    assert found["paradigm", "x1"].value == pytest.approx(2 / 3)
    assert found["phenomenon", "x"].value == pytest.approx((2 / 3 + 0.5) / 2)
    whole = found["all", "all"]
    assert whole.value == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert (whole.items, whole.left_out) == (6, 1)
    assert whole.low < whole.value < whole.high
    # Nothing varies inside these groups.
    assert found["paradigm", "x2"][2:5] == (0.5, 0.5, 0.5)


def test_intervals_cover_the_truth():
    rng = np.random.default_rng(0)
    asked = questions({f"g{n}": 60 for n in range(4)})
    truth = np.repeat([0.3, 0.5, 0.7, 0.9], 60)
    covered = 0
    for seed in range(40):
        amount = (rng.random(240) < truth).astype(float)
        measured = Measured("accuracy", amount, np.ones(240))
        first = next(levels(catalogued()["BLiMP"], asked, measured, seed=seed))
        covered += first.low <= truth.mean() <= first.high
    assert covered >= 34


def test_bits_per_byte_are_bits_over_bytes():
    asked = [Question(("1–40 words",), (("a", " b"),)) for _ in range(2)]
    measured = Measured(
        "bits per byte", np.array([6.0, 2.0]), np.array([3.0, 1.0]), "lower"
    )
    assert next(levels(catalogued()["LAMBADA"], asked, measured, seed=0)).value == 2.0


def test_shallow_baselines():
    passage = Question(("",), (("Ann saw Bob, and Bob", " Ann"),))
    found = of_last_words([passage], ())
    assert found["random word"][0] == pytest.approx(1 / 5)
    assert found["random capitalised word"][0] == pytest.approx(1 / 3)
    told = [Question(("",), (("", f"true {n}"), ("", f"false {n}"))) for n in range(70)]
    found = of_choices_and_words(told, [])
    assert found["bag of words"].mean() == 1.0  # a word gives each answer away
    assert found["shorter"].mean() == 1.0


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Sentences of one topic against those with a word of another."""
    path = tmp_path_factory.mktemp("pairs") / "topics.jsonl"
    rows = []
    for name, other in ("AB", "CD", "EF", "GH"):
        for n in range(7):
            one, two, three = (f"{(n + more) % 7}" for more in range(3))
            start, end = f"{name} {name}{one} ", f"{two} {name}{three}."
            good, bad = f"{start}{name}{end}", f"{start}{other}{end}"
            row = {"sentence_good": good, "sentence_bad": bad, "UID": "topic"}
            rows.append(row)
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_model_that_knows_is_told_from_one_that_does_not(causal, probed, pairs):
    subject = probed(causal, {"causal": 1.0})
    data = read_published(pairs, texts=["A A0 A1 A2. B B0 B1 B2."])
    scores = published_scores(subject, data, untrained=fresh(subject))
    overall = scores[0]
    assert overall.value == 1.0 and beaten(overall) and overall.trained
    assert overall.untrained is not None and overall.untrained < 0.9
    assert overall.chance == 0.5 and overall.items == 28
    assert set(overall.baselines) == {"shorter", "unigram", "5-gram"}
    assert overall.baselines["shorter"] == 0.5


def test_every_mode_that_is_trained_is_asked(untrained, probed, pairs):
    subject = probed(untrained, {"causal": 0.5, "masked": 0.4, "pair": 0.1})
    data = read_published(pairs, pairs=2)
    scores = published_scores(subject, data, masks="token")
    assert [s.mode for s in scores if s.level == "all"] == ["causal", "masked"]
    assert all(s.untrained is None for s in scores)
    only = published_scores(subject, data, modes=["span"])
    assert {(s.mode, s.trained) for s in only} == {("span", False)}
    shown = shown_scores(scores, data.tests[0].test)
    assert {s.level for s in shown} == {"all"}  # there is one paradigm


def test_a_prior_is_of_the_tokens_that_were_scored(untrained, probed, monkeypatch):
    asked = []

    def scores(_subject, _mode, texts, *, masks):
        asked.append(texts)
        return np.zeros(len(texts))

    monkeypatch.setattr(measures, "log_likelihoods", scores)
    question = Question(("",), (("A A0.", " B1 C2."), ("A A0.", " D.")))
    measures.endings(probed(untrained, {"causal": 1.0}), [question], "causal", "token")
    for text, alone in zip(*asked, strict=True):
        assert text.before.size and not alone.before.size
        np.testing.assert_array_equal(alone.after, text.after)


def test_the_label_of_a_pair_orders_sentences(untrained, probed, tmp_path):
    (tmp_path / "BSO/wiki").mkdir(parents=True)
    (tmp_path / "BSO/wiki/test.txt").write_text("A A0 A1.\tA A2 A3.\n" * 3)
    subject = probed(untrained, {"causal": 0.5, "pair": 0.5})
    scores = published_scores(subject, read_published(tmp_path))
    assert {s.mode for s in scores} == {"causal", "pair"}
    assert {s.value for s in scores} <= {0.0, 1.0}  # one question, three times
    assert all(s.chance == 0.5 for s in scores)


def test_the_last_word_is_measured_with_and_without_its_passage(
    causal, probed, tmp_path
):
    rows = [
        {"text": f"{n} {n}0 {n}1 {n}2. {n} {n}3 {n}4 {n}{m}"}
        for n in "ABCD"
        for m in (5, 2)
    ]
    path = tmp_path / "lambada.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    subject = probed(causal, {"causal": 1.0})
    scores = published_scores(subject, read_published(path), untrained=fresh(subject))
    found = {s.metric: s for s in scores if s.level == "all"}
    assert set(found) == {
        f"{metric}{where}"
        for metric in ("accuracy", "bits per byte")
        for where in ("", ", last sentence alone")
    }
    # The circle goes on with 5, never with 2.
    assert found["accuracy"].value == 0.5 and found["accuracy"].published
    bits = found["bits per byte"]
    assert bits.better == "lower" and bits.untrained is not None
    assert bits.chance is None and not bits.baselines
