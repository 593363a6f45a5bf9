"""An order of documents: every one once, and any place by itself."""

import numpy as np
import pytest

from sightline.tasks.examples import document_order
from sightline.tasks.examples.document_order import DocumentOrder


@pytest.mark.parametrize("most", [0, 2**22])
def test_any_places_can_be_asked_for_alone(most, monkeypatch):
    monkeypatch.setattr(document_order, "MOST_PERMUTED", most)
    whole = DocumentOrder(1000, (1, 2))[np.arange(1000)]
    assert sorted(whole.tolist()) == list(range(1000))
    some = np.array([999, 0, 500])
    assert DocumentOrder(1000, (1, 2))[some].tolist() == whole[some].tolist()
    assert (DocumentOrder(1000, (1, 3))[np.arange(1000)] != whole).any()
