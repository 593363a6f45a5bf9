"""What rates come to, against Examples of the corpus itself."""

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.text import Text
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.rows.layout import budget, layout
from sightline.tasks.shares.expected import arithmetic
from sightline.tasks.shares.share_estimates import sizes
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
    return Mixture(
        "m", rates, corpora={"policies": 1}, settings={"x/masked": {"rate": 0.5}}
    )


@pytest.mark.parametrize("shape", SHAPES, ids=["decoder", "encoder_decoder"])
def test_shares_are_rate_times_size(shape):
    """The windows are nearly all full, so sizes are those of a full window ± 3 %."""
    found = arithmetic(mixture(), shape, np.random.default_rng(0), documents=10)
    assert found.shares["examples"][registry.get("causal").id] == pytest.approx(0.3)
    assert found.shares["examples"][registry.get("masked").id] == pytest.approx(0.2)
    words = vocabulary("python_docs")
    place, rng = layout(shape, bos=words.special_ids.bos), np.random.default_rng(0)
    processed = np.zeros(32)
    for name, rate in RATES.items():
        processed_one = _full_size(mixture().objective(name), shape, place, words, rng)
        processed[registry.get(name).id] += rate * processed_one
    np.testing.assert_allclose(
        found.shares["processed"], processed / processed.sum(), atol=0.03
    )


def _full_size(objective, shape, place, words, rng) -> int:
    window = objective.window(budget(shape))
    document = np.resize(words.special_ids.text, window + 9).astype(np.int32)
    text = Text(document, 0, window, lambda rng: document)
    return int(sizes([place(objective(text, rng, words.special_ids))]).processed[0])


def test_errors_shrink_with_documents():
    few, many = (
        arithmetic(mixture(), SHAPES[0], np.random.default_rng(0), documents=n)
        for n in (4, 30)
    )
    assert many.errors["processed"].max() < few.errors["processed"].max()
    assert few.errors["examples"].max() < 1e-12  # rates are of examples


def test_contexts_are_weighed_by_supervised_tokens():
    rates = {"causal": 1, "masked": 1, "permuted": 1}
    found = arithmetic(mixture(rates), SHAPES[0], np.random.default_rng(0), documents=5)
    table = np.stack([found.contexts[kind] for kind in ("past", "both", "permuted")])
    assert table[:, registry.get("causal").id].tolist() == [1, 0, 0]
    assert table[1, registry.get("masked").id] > 0.97
    assert table[2, registry.get("permuted").id] > 0.97
    present = [registry.get(name).id for name in rates]
    assert table[:, present].sum(0) == pytest.approx(1)
    assert table.sum() == pytest.approx(len(present))
