"""What serving rows of single objectives costs, against the rows themselves."""

import pytest

from sightline.objectives.errors import UsageError
from sightline.tasks.recorded.serve import Recording
from sightline.tasks.recorded.serving import serving_cost
from sightline.tasks.shares.counts import utilisation

from .conftest import RATES, make, small_recipe

pytestmark = pytest.mark.unchecked


@pytest.fixture(scope="module")
def recording(recordings):
    return Recording(recordings["per_objective"][0])


def test_fill_and_shares_are_those_of_the_rows(recording):
    cost = serving_cost(recording)
    groups = {g.name: g for g in recording.manifest.of_split("train")}
    assert {g.name for g in cost.groups} == set(groups)
    total = sum(RATES.values())
    for found in cost.groups:
        group = groups[found.name]
        batch = recording.rows(group, range(group.rows))
        assert found.filled == pytest.approx(utilisation([batch])["slots"])
        examples = found.examples_a_row * group.rows
        assert examples == pytest.approx(sum(group.examples.values()))
        rate = RATES[found.name.removeprefix("policies.")]
        assert found.examples == pytest.approx(rate / total)
    # Rows in these shares give the Examples at their rates, and the mean fill.
    served = [g.rows * g.examples_a_row for g in cost.groups]
    for found, examples in zip(cost.groups, served, strict=True):
        assert examples / sum(served) == pytest.approx(found.examples)
    assert sum(g.rows for g in cost.groups) == pytest.approx(1)
    assert cost.filled == pytest.approx(sum(g.rows * g.filled for g in cost.groups))


def test_rates_may_be_others_than_those_that_were_recorded(recording):
    cost = serving_cost(recording, {"policies.masked": 6, "policies.causal": 2})
    assert [(g.name, g.examples) for g in cost.groups] == [
        ("policies.masked", 0.75),
        ("policies.causal", 0.25),
    ]


@pytest.mark.parametrize("name", ["masked", "sentence_pair"])
def test_examples_of_one_objective_are_packed_together_as_they_were(recording, name):
    cost = serving_cost(recording, {f"policies.{name}": 1})
    # Without the last rows, which are less full, and in another order.
    assert cost.mixed is not None
    assert cost.filled - 0.005 < cost.mixed < cost.filled + 0.015


def test_rows_that_are_mixed_or_not_recorded_have_no_cost(recording, recordings):
    mixed = Recording(recordings["mixed"][0])
    with pytest.raises(UsageError, match="holds mixed rows, whose rates are fixed"):
        serving_cost(mixed)
    with pytest.raises(UsageError, match=r"no rows of 'policies\.permuted'; recorded:"):
        serving_cost(recording, {"policies.permuted": 1})


def test_an_encoder_s_slots_count_too_and_few_rows_are_no_sample(tmp_path):
    recipe = small_recipe(
        {"causal": 1, "x/span_corruption": 1},
        architecture="encoder_decoder",
        layout="per_objective",
        policies={"train_documents": 1},
    )
    make(recipe, tmp_path / "out")
    recording = Recording(tmp_path / "out")
    cost = serving_cost(recording)
    assert cost.mixed is None
    for found in cost.groups:
        (group,) = (
            g for g in recording.manifest.of_split("train") if g.name == found.name
        )
        batch = recording.rows(group, range(group.rows))
        assert batch.encoder is not None
        filled = sum(
            int((stream.segment_ids > 0).sum())
            for stream in (batch.decoder, batch.encoder)
        )
        assert found.filled == pytest.approx(filled / (group.rows * (64 + 64)))
