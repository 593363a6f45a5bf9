"""Small recordings of a mixture of four tasks."""

import functools

import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.recorded.recipe import Recipe
from sightline.tasks.recorded.record import record
from sightline.tasks.recorded.workers import done_in_processes

RATES = {"causal": 2, "masked": 1, "sentence_pair": 2, "x/span_corruption": 1}
ROWS = {
    "decoder": decoder_rows(slots=64, predictions=64),
    "encoder_decoder": encoder_decoder_rows(
        slots=64, predictions=48, memory_slots=64, memory_predictions=16
    ),
}


def small_mixture(rates=RATES, **policies) -> Mixture:
    settings = {"train_documents": 20, "validation_documents": 4, **policies}
    return Mixture(
        "four",
        rates,
        corpora={"policies": 1},
        vocabulary="policies",
        settings={"policies": settings, "x/span_corruption": {"mean_span": 5.0}},
    )


def small_recipe(rates=RATES, *, architecture="decoder", policies=None, **changes):
    changes = {"seed": 3, "part_examples": 60, "held_out_rows": 6} | changes
    mixture = small_mixture(rates, **(policies or {}))
    return Recipe(mixture, ROWS[architecture], **changes)


class NoShow:
    def phase(self, name, total):
        del name, total

    def done(self, rows):
        del rows


def make(recipe, folder, *, workers=1):
    runner = functools.partial(done_in_processes, workers=workers)
    return record(recipe, folder, runner=runner, show=NoShow())


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """A folder and its recipe by layout."""
    found = {}
    for layout in ("mixed", "per_objective"):
        folder = tmp_path_factory.mktemp("recordings") / layout
        recipe = small_recipe(layout=layout)
        make(recipe, folder)
        found[layout] = folder, recipe
    return found
