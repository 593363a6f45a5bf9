"""Probes of a model whose vocabulary lacks reserved ids."""

import pytest

from sightline.diagnosis.probes.battery import battery
from sightline.objectives.special_ids import PartialIds

pytestmark = pytest.mark.unchecked  # the subject is no model


def test_a_probe_that_needs_a_lacking_id_is_left_out_and_said(ids):
    lacking = PartialIds(*ids)._replace(mask=-1)

    def prepare(subject, material):
        return lambda subject: [subject.mask]

    probes = {"drift": {"one": lambda *_: lambda _: [1.0], "two": prepare}}
    found = list(battery(lacking, None, probes))
    assert found[0] == 1.0
    assert "two: the vocabulary has no id for a masked token (mask)" in found[1]
