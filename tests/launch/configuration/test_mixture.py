"""Mixtures and rows of gin files that describe no whole run."""

import pytest

from sightline.launch.configuration.config import load
from sightline.launch.configuration.mixture import (
    SLOTS,
    mixture_of,
    packed_mixture_of,
    rows_of,
)
from sightline.models.rows import Capacity
from sightline.objectives.errors import UsageError

MIXTURE = (
    "Mixture.name=mine",
    "Mixture.rates={'policies.causal': 3, 'policies.masked': 1}",
    "Mixture.vocabulary=policies",
)


def config(*bindings):
    return load([], bindings)


def capacities(*bindings, architecture=None):
    rows = rows_of(config(*bindings), architecture)
    return [(c.slots, c.predictions) for c in (rows.decoder, rows.encoder) if c]


def test_rows_that_nothing_binds_are_a_decoders():
    assert capacities() == [(SLOTS, SLOTS)]


def test_predictions_are_as_many_as_slots_unless_they_are_bound():
    assert capacities("decoder_rows.slots=96") == [(96, 96)]
    both = ("decoder_rows.slots=96", "decoder_rows.predictions=32")
    assert capacities(*both) == [(96, 32)]
    memory = ("encoder_decoder_rows.memory_slots=64", "encoder_decoder_rows.slots=16")
    found = capacities(*memory, architecture="encoder_decoder")
    assert sorted(found) == [(16, 16), (64, 64)]
    # Those of another architecture do not count.
    assert capacities(*memory, architecture="decoder") == [(SLOTS, SLOTS)]


def test_the_rows_of_a_run_count_unless_others_are_asked_for():
    bound = ("train.rows=@mine/decoder_rows()", "mine/decoder_rows.slots=48")
    bound += ("decoder_rows.predictions=24", "decoder_rows.slots=96")
    assert capacities(*bound) == [(48, 24)]
    assert capacities(*bound, architecture="decoder") == [(96, 24)]


def test_a_mixture_is_that_of_its_bindings():
    mixture = mixture_of(config(*MIXTURE, "masked.rate=0.25"))
    shares = mixture.task_shares()
    assert shares == {"policies.causal": 0.75, "policies.masked": 0.25}
    assert mixture.objectives()["masked"].settings["rate"] == 0.25


def test_a_packed_mixture_has_the_batch_of_the_run():
    settings = config(*MIXTURE, "train.batch_rows=24", "decoder_rows.slots=256")
    mixture, rows = mixture_of(settings), rows_of(settings)
    packed = packed_mixture_of(settings, mixture, rows)
    assert packed.batch_rows == 24 and packed.rows == rows
    assert rows.decoder == Capacity(256, 256)


def test_a_mixture_that_is_not_bound_is_refused():
    with pytest.raises(UsageError, match=r"not bound, .*: Mixture\.name"):
        mixture_of(config())
