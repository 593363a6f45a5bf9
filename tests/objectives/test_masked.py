"""BERT's selection: 15 %, of which 80/10/10, and the loss on all of it."""

import numpy as np

from sightline.objectives import registry


def draw(make_text, ids, *, count=300, **settings):
    objective = registry.get("masked").with_settings(**settings)
    text = make_text(513, 0, 512)
    rng = np.random.default_rng(0)
    return text.tokens, [objective(text, rng, ids) for _ in range(count)]


def test_77_of_512_are_selected(make_text, ids):
    _, examples = draw(make_text, ids, count=3)
    assert [int(e.inputs_weights.sum()) for e in examples] == [77, 77, 77]


def test_80_10_10_and_loss_on_the_kept_ones_too(make_text, ids):
    tokens, examples = draw(make_text, ids)
    selected = np.concatenate([e.inputs[e.inputs_weights > 0] for e in examples])
    original = np.concatenate([tokens[e.inputs_weights > 0] for e in examples])
    assert abs(np.mean(selected == ids.mask) - 0.8) < 0.01
    # A random token is the original one time in 997.
    assert abs(np.mean(selected == original) - 0.1) < 0.01
    for e in examples:
        chosen = e.inputs_weights > 0
        np.testing.assert_array_equal(e.inputs_targets[chosen], tokens[chosen])
        np.testing.assert_array_equal(e.inputs[~chosen], tokens[~chosen])
        assert not e.inputs_targets[~chosen].any()


def test_random_tokens_cover_the_text_ids_and_nothing_else(make_text, ids):
    _, examples = draw(make_text, ids, masked_share=0.0, random_share=1.0)
    drawn = np.concatenate([e.inputs[e.inputs_weights > 0] for e in examples])
    assert set(drawn.tolist()) == set(ids.text.tolist())


def test_every_place_is_selected_alike_and_eos_never(make_text, ids):
    objective = registry.get("masked")
    rng = np.random.default_rng(0)
    text = make_text(40)
    times = sum(objective(text, rng, ids).inputs_weights for _ in range(6000))
    assert times[-1] == 0
    expected = 6000 * 6 / 39
    assert np.all(np.abs(times[:-1] - expected) < 5 * np.sqrt(expected))
