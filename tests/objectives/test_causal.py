import numpy as np

from sightline.objectives import registry


def test_every_token_is_a_target_and_eos_stands_at_true_ends_only(make_text, ids):
    causal = registry.get("causal")
    whole = causal(make_text(30), np.random.default_rng(0), ids)
    assert whole.targets[-1] == ids.eos
    cut = causal(make_text(30, 0, 20), np.random.default_rng(0), ids)
    assert ids.eos not in cut.targets
    np.testing.assert_array_equal(cut.targets, whole.targets[:20])
    np.testing.assert_array_equal(whole.targets_positions, np.arange(1, 31))
    assert len(whole.inputs) == 0
