"""What every failure says of objectives and of supervision."""

import numpy as np
import pytest

from sightline.diagnosis.failures.failure import marks_sentences
from sightline.diagnosis.failures.registry import get
from sightline.diagnosis.traits.objective_traits import objective_traits
from sightline.models.rows import decoder_rows
from sightline.objectives import registry

ROWS = decoder_rows(slots=64, predictions=64)


@pytest.fixture(scope="module")
def plain():
    return objective_traits(registry.get("causal"), ROWS, examples=2)


def test_why_is_that_of_the_objective_also_as_a_variant_else_of_the_first():
    infilling = get("infilling")
    for remedy in infilling.remedies:
        assert infilling.why(remedy.objective) == remedy.why
        assert infilling.why(f"both/{remedy.objective}") == remedy.why
    assert len({remedy.why for remedy in infilling.remedies}) > 1
    assert infilling.why("causal") == infilling.remedies[0].why


def test_a_heading_is_the_title_with_a_capital_alone():
    assert get("drift").heading == "Long-form drift"


@pytest.mark.parametrize(
    ("filled", "supplied"), [(0.0, 0.0), (0.2, 0.4), (0.5, 1.0), (0.9, 1.0)]
)
def test_a_filled_middle_counts_in_full(filled, supplied, plain):
    """`fill_in_middle` shows both sides to half of its tokens."""
    traits = plain._replace(filled=filled)
    assert get("infilling").supplied_by(traits) == pytest.approx(supplied)
    assert get("infilling").need.amount(traits) == filled


def test_what_meets_a_need_acts_on_the_failure_by_default(plain):
    traits = plain._replace(onward=0.3, whole=0.7)
    assert get("drift").supplied_by(traits) == 0.3
    assert get("reconstruction").supplied_by(traits) == 0.7
    both = get("drift").need._replace(traits=("onward", "whole"))
    assert both.amount(traits) == 1.0


def test_sentences_are_moved_only_where_they_are_marked(ids):
    none = np.array([], np.int32)
    (remedy,) = get("reconstruction").remedies
    assert marks_sentences(ids) and remedy.settings(ids, 96)["shuffle"] > 0
    for field in ("sentence_ends", "word_starts"):
        unmarked = ids._replace(**{field: none})
        assert not marks_sentences(unmarked)
        assert remedy.settings(unmarked, 96)["shuffle"] == 0
