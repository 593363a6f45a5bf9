"""What the records of an adaptation come to: budgets, comparisons, and what is said."""

import dataclasses

import pytest

from sightline.diagnosis.results import records
from sightline.diagnosis.results.effects import Effects, Setup
from sightline.diagnosis.results.measures import primary
from sightline.diagnosis.results.records import Record, TaskLoss
from sightline.diagnosis.scores.score import Score
from sightline.launch.studies import outcome
from sightline.launch.studies.facts import CorpusFacts, Facts
from sightline.launch.studies.jobs import Jobs
from sightline.launch.studies.store import Store
from sightline.tasks.examples.mixture import Mixture

from .conftest import read_adapted

pytestmark = pytest.mark.unchecked

LENGTHS = (6_000, 12_000)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """Branches of an incumbent and its revision, with every arm that there can be."""
    study = read_adapted(
        "study.mixes={'incumbent': 'incumbent.gin', 'revised': 'revised.gin'}",
        "study.name='study'",
        "Adaptation.additions=True",
        "Adaptation.ablations=True",
        "Adaptation.scratch=('equal',)",
    )
    return Jobs(study, Store(tmp_path_factory.mktemp("study")), own_share=1.0)


def score(value):
    measure = primary()["drift"]
    return Score(
        failure="drift",
        probe=measure.probe,
        kind=measure.kind,
        metric=measure.metric,
        value=value,
        low=value - 0.1,
        high=value + 0.1,
        chance=0.5,
        better="higher",
        mode="causal",
        trained=True,
        baselines={},
        items=100,
        documents=50,
    )


def record(mix, point, value=0.5, **changes):
    losses = {"masked": 2.0, "permuted": 2.0}
    learned = {"masked": TaskLoss(2.0, 1.9, 3.0)}
    found = Record(mix, 0, point + 5, losses, (score(value),), point=point)
    return found._replace(learned=learned, **changes)


def came_to(jobs, *measured):
    return outcome.budgets_of(jobs, measured, command="sightline study")


def test_each_length_is_a_budget_with_the_incumbent_that_went_on(jobs):
    measured = [
        record(mix, point, value)
        for point in LENGTHS
        for mix, value in (("incumbent", 0.5), ("revised", 0.7))
    ]
    found = came_to(jobs, *measured)
    assert list(found) == ["study_50", "study_100"]
    for budget, tokens in zip(found.values(), LENGTHS, strict=True):
        effects = budget.effects
        assert (effects.incumbent, effects.tokens) == ("incumbent", tokens)
        assert set(effects.mixes) == {"incumbent", "revised"}
        assert effects.setup.original_tokens == 12_000
        assert effects.mixes["revised"].effect("drift").value == 0.7
    assert found["study_50"].effects.setup.name == "study_50"


def test_a_budget_needs_its_reference_and_another(jobs):
    assert came_to(jobs, record("incumbent", 6_000)) == {}
    assert came_to(jobs, record("revised", 6_000), record("+causal", 6_000)) == {}
    other = record("incumbent", 12_000), record("revised", 6_000)
    assert came_to(jobs, *other) == {}
    assert list(came_to(jobs, record("incumbent", 6_000), other[1])) == ["study_50"]


def test_runs_from_scratch_are_compared_with_the_base(jobs):
    found = came_to(jobs, record("base", 12_000), record("revised.equal", 12_000))
    (name, budget), *_ = found.items()
    assert (name, budget.effects.incumbent) == ("study_scratch", "base")
    assert budget.effects.setup.original_tokens is None


def compared(jobs, *mixes):
    measured = [record(mix, 6_000) for mix in mixes]
    (budget,) = came_to(jobs, *measured).values()
    return {one[:3] for one in budget.effects.comparisons}


def test_objectives_are_compared_with_and_without_where_both_were_measured(jobs):
    added, left = ("causal", "incumbent", "+causal"), ("causal", "-causal", "revised")
    every = ("incumbent", "revised", "+causal", "-causal")
    assert compared(jobs, *every) == {added, left}
    assert compared(jobs, "incumbent", "+causal", "-causal") == {added}
    assert compared(jobs, "incumbent", "revised", "-causal") == {left}


def test_records_of_other_arms_and_of_other_measurements_do_not_count(jobs):
    plan = jobs.study.plan_digest()
    own = record("base", 12_000, plan=plan)
    failed = record("revised", 6_000, plan=plan)._replace(
        learned={"causal": TaskLoss(99.0, 98.0, 3.0)}
    )
    others = [
        record("base", 12_000, plan="another"),
        record("gone", 12_000, plan=plan),
    ]
    folder = jobs.store.folder / "records"
    folder.mkdir(exist_ok=True)
    for number, each in enumerate([own, failed, *others]):
        records.write(folder / f"{number}.json", [each])
    found = outcome.counted(jobs)
    assert found.records == [own]
    assert [refusal[:2] for refusal in found.refusals] == [("revised", 0)]
    free = Jobs(
        dataclasses.replace(jobs.study, ungated=("causal",)), jobs.store, own_share=1.0
    )
    assert len(outcome.counted(free).records) == 2


def test_a_title_says_what_share_of_the_original_was_trained_on():
    setup = Setup("s", 12_340_000, "decoder", "prose", 40_000_000, 3, "2026-11-27")
    effects = Effects("english", 2_000_000, "", "", {}, setup)
    assert outcome._title(effects) == (
        "2.00 M tokens after 40.0 M (5 %); 12.34 M parameters"
    )
    alone = effects._replace(setup=setup._replace(original_tokens=None))
    assert outcome._title(alone) == "From scratch, 2.00 M tokens; 12.34 M parameters"


def test_passes_over_a_corpus_are_of_its_share_of_the_tokens(jobs):
    """12,000 tokens, a quarter of them of 1,500, are two passes."""
    study = dataclasses.replace(jobs.study, corpora={"policies": 1, "english": 3})
    data = Facts(
        "",
        {
            "policies": CorpusFacts(60, 20, 0, 1_500),
            "english": CorpusFacts(1_000, 10, 0, 18_000),
        },
        1.0,
    )
    longer = Jobs(study, jobs.store, own_share=1.0)
    grown = longer.arms["base"]._replace(lengths=(24_000,))
    longer.arms = {**longer.arms, "grown": grown}
    first, second = outcome._passes(longer, data)
    assert first.startswith("policies: 60 documents of about 0.0 M tokens")
    assert "its share is 2.00 passes; of the longest run, 4.00." in first
    assert second.startswith("english: 1,000 documents of") and "10 held out" in second
    assert "its share is 0.50 passes; of the longest run, 1.00." in second


def test_a_mix_is_told_by_its_shares_and_the_settings_of_its_objectives():
    mixture = Mixture(
        "m",
        {"causal": 1, "a/masked": 2, "masked": 1},
        corpora={"policies": 1, "english": 3},
        loss_shares={"causal": 0.4, "masked": 0.6},
        settings={
            "a/masked": {"rate": 0.5},
            "policies": {"train_documents": 60},
            "causal": {},
        },
        vocabulary="policies",
    )
    found = outcome.mix_of(mixture)
    assert found.rates == pytest.approx(
        {"causal": 0.25, "a/masked": 0.5, "masked": 0.25}
    )
    assert found.loss_shares == pytest.approx({"causal": 0.4, "masked": 0.6})
    assert set(found.settings) == {"a/masked", "causal"}
    assert found.own_loss is None and found.effects == ()
    renamed = dataclasses.replace(mixture, name="other")
    assert outcome.mix_identity(renamed) == outcome.mix_identity(mixture)
    other = dataclasses.replace(mixture, loss_shares={"causal": 0.5, "masked": 0.5})
    assert outcome.mix_identity(other) != outcome.mix_identity(mixture)


def test_sections_of_published_tests_are_there_if_something_was_measured():
    assert outcome.published([record("a", 5)]) == ""
    assert outcome.published_differences([record("a", 5)]) == ""
