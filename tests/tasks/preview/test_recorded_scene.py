"""An Example read back from a row is shown as the one that was laid out."""

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.text import Text
from sightline.tasks.preview.recorded_scene import cut, scene_of
from sightline.tasks.preview.scene import scene
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate
from sightline.tasks.tokens.vocabulary import vocabulary

BYTES = vocabulary("bytes")
WORDS = "A long draft must not contradict itself."
SHAPES = {
    "decoder": decoder_rows(slots=512, predictions=512),
    "encoder_decoder": encoder_decoder_rows(
        slots=512, predictions=512, memory_slots=512, memory_predictions=512
    ),
}
KINDS = [
    *((name, {}) for name in registry.objectives()),
    ("masked", {"shift": True}),
    ("block_diffusion", {"block": 3}),  # the last block is one token
    ("block_diffusion", {"block": 7, "form": "exact"}),
]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(("objective", "settings"), KINDS)
def test_it_is_the_scene_of_the_example(objective, settings, name):
    """Packed second in its row, where nothing but the row says what it was."""
    if "form" in settings and name == "decoder":
        pytest.skip("one stream cannot hold it, and it says so")
    ids, shape = BYTES.special_ids, SHAPES[name]
    bound = registry.get(objective).with_settings(**settings)
    document = BYTES.encode_document(WORDS)
    text = Text(document, 0, len(document) - 1, lambda rng: document[::-1].copy())
    rng, place = np.random.default_rng(0), layout(shape, bos=ids.bos)
    first = registry.get("prefix")(text, rng, ids)
    example = bound(text, rng, ids)
    expected = scene("x", example, objective=bound, shape=shape, vocabulary=BYTES)
    batch = collate([[place(first), place(example)]], shape)
    found = scene_of("x", expected.about, cut(batch, 0, 2), BYTES)
    assert found == expected
