"""The unit of sentence pairs: what is refused, and windows without sentences."""

import inspect

import numpy as np
import pytest

from sightline.objectives import registry

KINDS = ("other", "further", "swapped")


@pytest.mark.unchecked
@pytest.mark.parametrize("kind", KINDS)
def test_without_sentences_the_unit_is_the_token(kind, make_text, ids):
    """Labels at their rate, and the window cut where it has no sentence."""
    text = make_text(300, 40, 100)
    broken = ids._replace(sentence_ends=np.setdiff1d(ids.text, text.document)[-1:])
    objective = registry.get("sentence_pair").with_settings(
        unit="sentence", **{**dict.fromkeys(KINDS, 0.0), kind: 0.5}
    )
    rng, label = np.random.default_rng(0), broken.labels[1]
    continues = []
    for _ in range(1000):
        example = objective(text, rng, broken)
        assert len(example.inputs) == 61
        continues.append(int(example.targets[0]) == label)
        if continues[-1]:
            shown = example.inputs[example.inputs != broken.sep]
            np.testing.assert_array_equal(shown, text.tokens)
    assert abs(np.mean(continues) - 0.5) < 5 * 0.5 / np.sqrt(1000)


def test_a_vocabulary_without_sentences_is_refused(make_text, ids):
    bare = ids._replace(sentence_ends=np.zeros(0, np.int32))
    objective = registry.get("sentence_pair").with_settings(unit="sentence")
    with pytest.raises(ValueError, match="begins a word or none that ends"):
        objective(make_text(60), np.random.default_rng(0), bare)
    function = inspect.unwrap(registry.get("sentence_pair").function)
    with pytest.raises(ValueError, match="unit is 'sentences'; did you mean 'sent"):
        function(make_text(60), np.random.default_rng(0), ids, unit="sentences")
