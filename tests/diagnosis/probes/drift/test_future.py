"""The leak audit's verdicts as scores of drift."""

from sightline.diagnosis.audit.audit import Verdict
from sightline.diagnosis.probes.drift.future import leak_scores


def test_the_value_is_the_share_of_pairs_that_leak():
    verdicts = [
        Verdict("causal", "decoder", "xla", 200, 3, 0),
        Verdict("x64/masked", "decoder", "xla", 100, 0, 7),
    ]
    causal, masked = leak_scores(verdicts)
    assert (causal.value, causal.low, causal.high) == (0.015, 0.015, 0.015)
    assert (causal.kind, causal.items) == ("causal", 200)
    # A slot that is blind where it may see leaks nothing.
    assert (masked.value, masked.kind) == (0, "x64/masked")
    for score in (causal, masked):
        assert (score.better, score.chance) == ("lower", 0)
    assert leak_scores([]) == []
