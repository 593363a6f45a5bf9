"""Every probe of a corpus, on a model that was trained to go on and nothing else."""

import math

import pytest

from sightline.diagnosis.failures.registry import names, probes
from sightline.diagnosis.probes.battery import battery
from sightline.diagnosis.probes.material import Plan, material
from sightline.diagnosis.scores.score import Score


@pytest.fixture(scope="module")
def found(causal, probed, corpus):
    """Scores, sentences about what was left out, and the probes that were begun."""
    subject = probed(causal, {"causal": 1.0})
    plan = Plan(documents=24, fitted=44, restored=20, rates=(0.3,))
    begun: list[str] = []
    said = list(
        battery(
            subject,
            material(subject, corpus, plan),
            probes(names()),
            progress=begun.append,
        )
    )
    scores = [one for one in said if isinstance(one, Score)]
    return scores, [one for one in said if isinstance(one, str)], begun


def of(found, probe):
    return {(s.kind, s.metric): s for s in found[0] if s.probe == probe}


def test_every_probe_is_begun_and_scored_or_told_why_not(found):
    scores, told, begun = found
    assert begun == [name for named in probes(names()).values() for name in named]
    assert {s.failure for s in scores} >= {"drift", "continuation", "reconstruction"}
    scored_probes = {s.probe for s in scores}
    for name in begun:
        scored = any(probe.startswith(name) for probe in scored_probes)
        assert scored != any(one.startswith(f"{name}: ") for one in told)


def test_what_the_corpus_does_not_allow_for_is_said(found):
    """Facts are parsed back of policies only, and toy texts restate no value."""
    written, fillings, pairs = sorted(found[1])
    assert written.startswith("free generation: only facts of the corpus 'policies'")
    assert fillings.startswith("infilling pairs: ")
    assert pairs.startswith("minimal pairs: ") and "0 of 24 documents" in pairs


def test_scores_say_how_they_were_taken(found):
    for score in found[0]:
        assert score.items >= score.documents > 0
        if math.isnan(score.value):
            assert score.metric == "number and entity F1"
            continue
        # Resampling can only add to a calibration error, so that the interval of a
        # small one may lie above it.
        calibrates = score.metric == "calibration error"
        assert calibrates or score.low <= score.value
        assert score.value <= score.high
        asked = {"continuation, by label": "pair", "restoration": "reconstruction"}
        assert score.mode == asked.get(score.probe, "causal")
        assert score.trained == (score.mode == "causal")
        if score.chance is not None:
            assert set(score.baselines) >= {"bag of words", "5-gram"}
        if (
            score.failure == "reconstruction"
            and score.metric != "fluent but unfaithful"
        ):
            assert "do nothing" in score.baselines


def test_a_model_that_goes_on_well_shows_it(found):
    order = of(found, "block shuffle")["all", "accuracy"]
    assert order.low > 0.9 > 0.7 > order.baselines["bag of words"]
    assert of(found, "jump-ahead")["all", "share that jumps"].high < 0.2
    pairs = of(found, "continuation, by likelihood")
    assert pairs["swapped", "AUC"].low > 0.75
    # It never read a label, nor a corrupted text.
    labels = of(found, "continuation, by label")
    assert not any(s.low > 0.6 for (_, m), s in labels.items() if m == "AUC")
    restored = of(found, "restoration")
    assert restored["masking, 30 %", "exact match"].high < 0.2
