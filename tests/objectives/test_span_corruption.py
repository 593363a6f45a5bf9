"""Span corruption against T5's own preprocessors."""

import collections
import itertools
import re

import numpy as np
import pytest

from sightline.objectives import registry
from sightline.objectives.budget import Budget
from sightline.objectives.span_corruption import noise_counts, span_mask


@pytest.fixture(scope="module")
def t5_preprocessors():
    from t5.data import preprocessors

    return preprocessors


def test_512_inputs_take_568_tokens_and_114_targets(t5_preprocessors):
    objective = registry.get("span_corruption")
    for inputs, density, span in ((512, 0.15, 3.0), (256, 0.15, 3.0), (100, 0.5, 8.0)):
        tokens, targets = t5_preprocessors.random_spans_helper(
            inputs_length=inputs,
            noise_density=density,
            mean_noise_span_length=span,
            extra_tokens_per_span_inputs=1,
            extra_tokens_per_span_targets=1,
        )
        bound = objective.with_settings(density=density, mean_span=span)
        # T5's helper trims a target at density .5 to keep inputs the longer part.
        window = bound.window(Budget(inputs=inputs))
        assert window in (tokens, tokens + 1)
        if density == 0.15:
            assert window == tokens
            assert bound.lengths(window)[:2] == (inputs, targets)


@pytest.mark.parametrize(("density", "span"), [(0.15, 3.0), (0.5, 8.0), (0.3, 1.5)])
def test_counts_are_those_of_t5(t5_preprocessors, density, span):
    for length in (2, 3, 7, 20, 33, 64, 100, 568):
        mask = t5_preprocessors.random_spans_noise_mask(
            length, density, seeds=[(1, 2), (3, 4)], mean_noise_span_length=span
        ).numpy()
        starts = mask & ~np.concatenate(([False], mask[:-1]))
        counts = noise_counts(length, density=density, mean_span=span)
        assert counts == (mask.sum(), starts.sum())


def test_sentinels_are_laid_out_as_t5_does(t5_preprocessors, make_text, ids):
    import seqio

    vocabulary = seqio.ByteVocabulary(extra_ids=100)
    ours = ids._replace(
        sentinels=tuple(
            range(vocabulary.vocab_size - 1, vocabulary.vocab_size - 101, -1)
        )
    )
    text = make_text(200, 0, 150)
    text = text._replace(document=3 + text.document % 256)
    example = registry.get("span_corruption")(text, np.random.default_rng(7), ours)
    mask = span_mask(150, np.random.default_rng(7), density=0.15, mean_span=3.0)
    for part, function in (
        (example.inputs, t5_preprocessors.noise_span_to_unique_sentinel),
        (example.targets, t5_preprocessors.nonnoise_span_to_unique_sentinel),
    ):
        expected = function(text.tokens, mask, vocabulary, ())
        np.testing.assert_array_equal(part[:-1], expected)
        assert part[-1] == ids.eos


@pytest.mark.unchecked
def test_every_mask_is_equally_likely():
    """8 tokens, 4 dropped, 2 spans: 3 · 3 masks, each 1/9 of 9,000 draws ± 5 σ."""
    rng = np.random.default_rng(0)
    seen = collections.Counter(
        tuple(span_mask(8, rng, density=0.5, mean_span=2.0)) for _ in range(9000)
    )
    runs = [(1, 3), (2, 2), (3, 1)]
    expected = {
        tuple(np.repeat([False, True, False, True], [k1, d1, k2, d2]))
        for (k1, k2), (d1, d2) in itertools.product(runs, runs)
    }
    assert set(seen) == expected
    assert all(abs(count - 1000) < 5 * np.sqrt(1000 * 8 / 9) for count in seen.values())


@pytest.mark.unchecked
def test_span_lengths_are_distributed_as_in_t5(t5_preprocessors):
    """Two-sample chi-square on the lengths of dropped spans, 99.9 % point."""
    from scipy import stats

    def lengths_of(masks):
        ends = [np.diff(np.flatnonzero(np.diff(np.r_[0, m, 0])))[::2] for m in masks]
        return np.minimum(np.concatenate(ends), 9)

    rng = np.random.default_rng(1)
    ours = lengths_of(
        [span_mask(568, rng, density=0.15, mean_span=3.0) for _ in range(300)]
    )
    theirs = lengths_of(
        [
            t5_preprocessors.random_spans_noise_mask(
                568, 0.15, seeds=[(n, 1), (n, 2)]
            ).numpy()
            for n in range(300)
        ]
    )
    table = np.array([np.bincount(x, minlength=10)[1:] for x in (ours, theirs)])
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_inputs_and_targets_give_the_text_back(make_text, ids):
    text = make_text(300)
    example = registry.get("span_corruption")(text, np.random.default_rng(3), ids)
    spans: dict[int, list[int]] = {}
    for token in example.targets[:-1].tolist():
        if token in ids.sentinels:
            current = spans.setdefault(token, [])
        else:
            current.append(token)
    restored = [
        t for token in example.inputs[:-1].tolist() for t in spans.get(token, [token])
    ]
    assert restored == text.tokens[:-1].tolist()
    assert list(spans) == list(ids.sentinels[: len(spans)])


def test_running_out_of_sentinels_is_an_error(make_text, ids):
    """UL2's (3, .5) at 512 inputs needs 128 sentinels; T5's pipeline overwrites ids."""
    objective = registry.get("span_corruption").with_settings(density=0.5)
    text = make_text(600, 0, 512)
    message = r"128 spans of 512 .* has 100 sentinels; raise mean_span to 2\.6, lower"
    with pytest.raises(ValueError, match=message):
        objective.with_settings(mean_span=2.0)(text, np.random.default_rng(0), ids)
    window = objective.window(Budget(inputs=512))
    text = make_text(window + 1, 0, window)
    message = r"128 spans .* has 100 sentinels; raise mean_span to (\d\.\d), lower"
    with pytest.raises(ValueError, match=message) as error:
        objective(text, np.random.default_rng(0), ids)
    found = re.search(message, str(error.value))
    assert found
    enough = objective.with_settings(mean_span=float(found[1]))
    example = enough(text, np.random.default_rng(0), ids)
    assert np.isin(example.inputs, ids.sentinels).sum() <= 100


@pytest.mark.parametrize(
    ("mode", "mean_span", "density", "counts"),
    [
        ("R", 3.0, 0.15, (77, 26)),
        ("R", 8.0, 0.15, (77, 10)),
        ("X", 8.0, 0.5, (256, 32)),
        ("X", 64.0, 0.15, (77, 1)),
        ("X", 64.0, 0.5, (256, 4)),
    ],
)
def test_denoisers_of_ul2(mode, mean_span, density, counts, make_text, ids):
    """Tokens dropped and spans of 512, and the mode token before the rest."""
    objective = registry.get("span_corruption").with_settings(
        mode=mode, mean_span=mean_span, density=density
    )
    example = objective(make_text(600, 0, 512), np.random.default_rng(0), ids)
    dropped, spans = counts
    assert example.inputs[0] == ids.mode(mode)
    assert len(example.inputs) == 1 + 512 - dropped + spans + 1
    assert len(example.targets) == dropped + spans + 1
