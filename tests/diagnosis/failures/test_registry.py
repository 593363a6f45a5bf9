"""Failures: each is stated whole in its file, and what is wrong in one is said."""

import dataclasses

import pytest

from sightline.diagnosis import Failure, Need, Remedy, register
from sightline.diagnosis.failures import registry
from sightline.diagnosis.failures.registry import audited, failures, get, names, probes
from sightline.diagnosis.findings.complaints import Complaint, failure_of
from sightline.diagnosis.results.measures import primary
from sightline.diagnosis.scores.score import Score
from sightline.diagnosis.traits.objective_traits import objective_traits
from sightline.models.rows import decoder_rows
from sightline.objectives import registry as objectives
from sightline.objectives.errors import UsageError
from sightline.tasks.tokens.vocabulary import vocabulary

ROWS = decoder_rows(slots=96, predictions=96)


@pytest.fixture
def known(monkeypatch):
    """The registry, as it was before once the test is over."""
    failures()
    monkeypatch.setattr(registry, "_FAILURES", dict(registry._FAILURES))


@pytest.mark.parametrize("failure", failures().values(), ids=names())
def test_each_states_what_a_diagnosis_needs(failure):
    scored = {figure.probe for figure in failure.figures} | {*failure.headlines}
    for probe in scored:
        assert any(probe.startswith(name) for name in failure.probes)
    for remedy in failure.remedies:
        settings = remedy.settings(vocabulary("policies").special_ids, 96)
        objective = objectives.get(remedy.objective).with_settings(**settings)
        assert failure.supplied_by(objective_traits(objective, ROWS)) > 0.2
    for text in (failure.title, failure.symptom, failure.need.name):
        assert text and not text.endswith(".")


def test_titles_and_aliases_are_names_too(known):
    register(dataclasses.replace(get("drift"), name="loops", title="endless loops"))
    register(
        dataclasses.replace(
            get("drift"), name="tone", title="wrong tone", aliases=("off-brand",)
        )
    )
    for called, name in {"Off brand": "tone", "ENDLESS LOOPS": "loops"}.items():
        assert failure_of(called, where="here") == name
    assert Complaint(failure_of("wrong_tone", where="here")).failure == "tone"


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"name": "continuation"}, "'continuation' is known already, as 'a pass"),
        ({"title": "incoherent continuation"}, "'incoherent continuation' is known"),
        (
            {"need": {"traits": ("onwards",)}},
            "no trait 'onwards'; did you",
        ),
        ({"need": {"modes": ("casual",)}}, "no mode 'casual'; did you mean 'causal'"),
        ({"remedies": ()}, "has no remedy"),
        ({"figures": ()}, "has no figure"),
        ({"remedies": (Remedy("casual", "it may."),)}, "no objective 'casual'"),
    ],
)
def test_what_is_wrong_with_one_is_said(known, changed, wrong):
    """Also what would show only once a mixture is revised."""
    need: Need = get("drift").need._replace(**changed.pop("need", {}))
    stated = {"name": "mine", "title": "a failure of mine", "need": need} | changed
    failure: Failure = dataclasses.replace(get("drift"), **stated)
    with pytest.raises(UsageError) as error:
        register(failure)
    assert wrong in str(error.value)
    assert get("drift").need.traits == ("onward",)


def test_a_name_that_is_none_is_told_the_nearest():
    with pytest.raises(UsageError, match="no failure 'drfit'; did you mean 'drift'"):
        get("drfit")


@pytest.mark.unchecked  # neither subject nor material is any
def test_scores_name_the_failure_that_their_probe_is_run_for(known):
    nothing = Score("", "p", "all", "m", *[0.0] * 4, "lower", "causal", True, {}, 9, 9)
    other = dataclasses.replace(
        get("drift"),
        name="other",
        title="other",
        probes={"p": lambda subject, material: lambda subject: [nothing]},
        audited=lambda verdicts: [nothing],
    )
    register(other)
    (score,) = probes(["other"])["other"]["p"](None, None)(None)
    assert [score.failure, *(s.failure for s in audited(["other"], []))] == [
        "other"
    ] * 2
    # A study that is run now judges mixes by it too.
    assert primary()["other"] == ("other", *get("drift").figures[0])
