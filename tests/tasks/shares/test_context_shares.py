"""Contexts of supervised tokens; and a stream's shares against rate × size."""

import functools
import itertools

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.coded import MOST
from sightline.objectives.registry import CAPACITY
from sightline.tasks.examples.example_stream import mixed_examples
from sightline.tasks.examples.mixture import Mixture, split_task
from sightline.tasks.examples.windows import window_examples, windows
from sightline.tasks.rows.layout import budget, layout
from sightline.tasks.shares.context_shares import _mean, context_shares
from sightline.tasks.shares.share_estimates import shares, sizes
from sightline.tasks.tokens.tokenised_documents import CorpusTokens
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked

SHAPES = [
    decoder_rows(slots=96, predictions=96),
    encoder_decoder_rows(
        slots=64, predictions=64, memory_slots=96, memory_predictions=20
    ),
]
RATES = {"causal": 3, "masked": 1, "x/masked": 1, "permuted": 5}


def mixture(rates=RATES) -> Mixture:
    settings = {"x/masked": {"rate": 0.5}, "policies": {"train_documents": 40}}
    return Mixture("m", rates, corpora={"policies": 1}, settings=settings)


@pytest.mark.parametrize("shape", SHAPES, ids=["decoder", "encoder_decoder"])
def test_shares_of_a_stream_are_rate_times_size(shape):
    """Of 3,000 Examples; four standard errors of a binomial, by examples."""
    mixed = mixture()
    place = layout(shape, bos=vocabulary(mixed.vocabulary).special_ids.bos)
    stream = itertools.islice(mixed_examples(mixed, shape, seed=0), 3000)
    measured = shares(sizes([place(example) for example in stream]))
    expected = {name: np.zeros(CAPACITY) for name in measured}
    for task, rate in mixed.task_shares().items():
        objective = mixed.objective(split_task(task)[1])
        mean = _mean_sizes(mixed, objective, shape, place)
        for name, size in mean.items():
            expected[name][objective.id] += rate * size
    for name, values in expected.items():
        share = values / values.sum()
        error = np.sqrt(share * (1 - share) / 3000)
        np.testing.assert_array_less(np.abs(measured[name] - share), 5 * error + 1e-9)


def _mean_sizes(mixed, objective, shape, place) -> dict[str, float]:
    """Mean slots and predictions of an Example, by going through every document."""
    vocab = vocabulary(mixed.vocabulary)
    texts = CorpusTokens(mixed.corpus("policies"), vocab).split("train")
    cut = functools.partial(
        windows,
        window=objective.window(budget(shape)),
        smallest=objective.smallest(),
    )
    places = (
        (document, texts[document], number, span)
        for document in range(len(texts))
        for number, span in enumerate(cut(len(texts[document])))
    )
    placed = [
        place(example)
        for _, example in window_examples(
            objective, texts, places, ids=vocab.special_ids, seed=1, epoch=0
        )
    ]
    _, processed, supervised = sizes(placed)
    return {
        "examples": 1.0,
        "processed": processed.mean(),
        "supervised": supervised.mean(),
    }


def test_contexts_are_weighed_by_supervised_tokens():
    rates = {"causal": 1, "masked": 1, "permuted": 1}
    found = context_shares(
        mixture(rates), SHAPES[0], np.random.default_rng(0), documents=5
    )
    table = np.stack([found[kind] for kind in ("past", "both", "permuted")])
    assert table[:, registry.get("causal").id].tolist() == [1, 0, 0]
    assert table[1, registry.get("masked").id] > 0.97
    assert table[2, registry.get("permuted").id] > 0.97
    present = [registry.get(name).id for name in rates]
    assert table[:, present].sum(0) == pytest.approx(1)
    assert table.sum() == pytest.approx(len(present))


def test_rows_longer_than_there_are_codes(tmp_path, monkeypatch):
    """A window of 9,001 tokens is traced through windows that have codes."""
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "a.txt").write_text("a" * (MOST + 800))
    (tmp_path / "b.txt").write_text("b" * (MOST + 900))
    mixed = Mixture(
        "m",
        {"text.causal": 1.0, "text.masked": 1.0},
        settings={"text": {"folder": str(tmp_path), "validation_percent": 0}},
        vocabulary="bytes",
    )
    shape = decoder_rows(slots=2 * MOST, predictions=2 * MOST)
    found = context_shares(mixed, shape, np.random.default_rng(0), documents=2)
    assert found["past"][registry.get("causal").id] == 1
    assert found["both"][registry.get("masked").id] > 0.9


def test_documents_without_a_window_count_nothing():
    rng = np.random.default_rng(0)
    assert _mean(registry.get("sentence_pair"), [1, 2], 64, rng).tolist() == [0, 0, 0]
