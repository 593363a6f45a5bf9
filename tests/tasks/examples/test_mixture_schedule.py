"""Rates and loss shares that change over a run."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from sightline.objectives import registry
from sightline.objectives.budget import Budget
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mean_mixture import mean_of_phases
from sightline.tasks.examples.mixture import Mixture

CAUSAL = {"python_docs.causal": 1}
TASKS = ["python_docs.causal", "python_docs.masked"]
BOTH = {"python_docs.causal": 1, "python_docs.masked": 3}


def mixture(schedule, rates=CAUSAL, **fields):
    return Mixture("m", rates, schedule=schedule, **fields)


def test_without_a_schedule_there_is_one_phase():
    plain = mixture({})
    assert plain.phases() == {0: plain} and plain.at(10**9) is plain


@given(st.sets(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 60))
def test_the_last_change_up_to_a_step_holds(steps, step):
    """An oracle: changes applied one after another, up to the step."""
    schedule = {
        first: {"rates": {"python_docs.causal": first}} for first in sorted(steps)
    }
    rate = 0.5
    for first in sorted(steps):
        rate = first if first <= step else rate
    scheduled = mixture(schedule, {"python_docs.causal": 0.5})
    assert scheduled.at(step).rates == {"python_docs.causal": rate}
    assert not scheduled.at(step).schedule


def test_what_is_not_given_stays_as_it_was():
    halves = {"causal": 0.5, "masked": 0.5}
    scheduled = mixture(
        {
            10: {"rates": BOTH},
            20: {"loss_shares": halves},
            30: {"rates": {**BOTH, "python_docs.masked": 1}},
            40: {"rates": CAUSAL, "loss_shares": None},
        }
    )
    phases = scheduled.phases()
    assert list(phases) == [0, 10, 20, 30, 40]
    assert [phase.loss_shares for phase in phases.values()] == [
        *(None, None, halves, halves, None)
    ]
    masked = registry.get("masked").id
    assert scheduled.at(19).loss_share_array()[masked] == np.float32(0.75)
    assert scheduled.at(20).loss_share_array()[masked] == np.float32(0.5)
    assert scheduled.loss_share_array()[masked] == 0 == scheduled.rate_array()[masked]


def test_a_task_of_any_phase_is_mixed():
    scheduled = mixture({5: {"rates": {"python_docs.masked": 2}}})
    assert list(scheduled.positive_rates()) == TASKS
    assert list(scheduled.objectives()) == ["causal", "masked"]
    assert scheduled.task_shares() == pytest.approx(dict.fromkeys(TASKS, 0.5))
    assert scheduled.at(5).positive_rates() == {"python_docs.masked": 2.0}
    assert "corpus python_docs" in scheduled.identities()


def test_the_mean_of_phases_is_a_mixture_without_a_schedule():
    scheduled = mixture(
        {
            4: {"rates": {"causal": 1, "masked": 3}},
            8: {"settings": {"masked": {"rate": 0.5}}},
        },
        {"causal": 2},
        corpora={"python_docs": 3, "policies": 1},
    )
    mean = mean_of_phases(scheduled)
    assert not mean.schedule and mean_of_phases(mean) is mean
    assert mean.task_shares() == pytest.approx(scheduled.task_shares())
    assert mean.objectives() == scheduled.objectives()
    assert mean.objective("from_8/masked").settings["rate"] == 0.5
    assert mean.loss_shares == pytest.approx({"causal": 0.5, "masked": 0.5})
    assert mean.identities() == scheduled.identities()
    settled = mixture({5: {"loss_shares": {"causal": 0.9, "masked": 0.1}}}, BOTH)
    assert mean_of_phases(settled).loss_shares == pytest.approx(
        {"causal": (0.25 + 0.9) / 2, "masked": (0.75 + 0.1) / 2}
    )


def test_corpora_serve_the_phases_that_name_none():
    shared = {"corpora": {"python_docs": 1, "policies": 1}}
    scheduled = mixture({5: {"rates": {"causal": 1}}}, **shared)
    assert list(scheduled.at(5).positive_rates()) == [
        *("python_docs.causal", "policies.causal")
    ]
    with pytest.raises(ValueError, match="every rate names its own corpus"):
        mixture({5: {"rates": BOTH}}, **shared)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({0: {"rates": BOTH}}, "has step 0; its steps are whole numbers from 1"),
        ({True: {"rates": BOTH}}, "has step True"),
        ({7: {"rates": BOTH}, 5: {"rates": BOTH}}, "has step 5 after step 7"),
        ({5: {}}, "has {} at step 5; give a dict of 'rates'"),
        ({5: {"rate": BOTH}}, "changes 'rate' at step 5, .*did you mean 'rates'"),
        ({5: {"rates": None}}, "has the rates None at step 5; give a dict"),
        (
            {5: {"rates": {"python_docs.casual": 1}}},
            "from step 5 on, .*'python_docs.ca",
        ),
        ({5: {"rates": {"python_docs.causal": 0}}}, "no task with a positive rate"),
        ({5: {"loss_shares": {"masked": 1}}}, "from step 5 on, .* name 'masked'"),
        (
            {5: {"loss_shares": {"causal": 1}}, 8: {"rates": BOTH}},
            "from step 8 on, .* leave out masked",
        ),
    ],
)
def test_what_is_wrong_is_an_error(schedule, message):
    with pytest.raises(ValueError, match=message):
        mixture(schedule)


THIRDS = {"settings": {"masked": {"rate": 0.3}}, "corpora": {"policies": 1}}


def test_settings_change_as_variants_with_windows_of_their_own():
    """What is not changed stays, also a change that came before."""
    scheduled = mixture(
        {
            10: {"settings": {"masked": {"rate": 0.15}}},
            20: {"rates": {"masked": 1, "causal": 1}},
            30: {"settings": {"masked": {"unit": "word"}, "causal": {}}},
        },
        {"masked": 1, "policies.causal": 1},
        **THIRDS,
    )
    names = [set(phase.objectives()) for phase in scheduled.phases().values()]
    assert names == [
        *({"causal", "masked"}, {"causal", "from_10/masked"}),
        *({"causal", "from_10/masked"}, {"from_30/causal", "from_30/masked"}),
    ]
    for step, rate, unit in [
        (0, 0.3, "token"),
        (29, 0.15, "token"),
        (30, 0.15, "word"),
    ]:
        bound = list(scheduled.at(step).objectives().values())[1].settings
        assert (bound["rate"], bound["unit"]) == (rate, unit)
    every = scheduled.objectives()
    assert [every[n].settings["rate"] for n in every if n.endswith("masked")] == [
        *(0.15, 0.15, 0.3)
    ]
    assert scheduled.at(30).loss_share_array()[registry.get("masked").id] == 0.5
    budget = Budget(slots=128, predictions=12)
    windows = [every[n].window(budget) for n in ("masked", "from_10/masked")]
    assert windows == [41, 83]


def test_a_variant_changes_by_itself():
    scheduled = mixture(
        {5: {"settings": {"x/masked": {"rate": 0.5}}}},
        {"policies.x/masked": 1, "policies.masked": 1},
        settings={"x/masked": {"rate": 0.4, "unit": "word"}},
    )
    names = set(scheduled.at(5).objectives())
    assert names == {"masked", "x_from_5/masked"}
    assert scheduled.settings_of("x_from_5/masked") == {"rate": 0.5, "unit": "word"}
    assert scheduled.objective("masked").settings["rate"] == 0.15


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"masked": {"rat": 0.1}}, "from step 5 on, .*no setting 'rat'"),
        ({"causal": {}}, "changes settings of 'causal' at step 5.*valid: masked"),
        ({"policies": {"seed": 1}}, "changes settings of 'policies' at step 5"),
        ({"masked": 0.1}, "give those of each objective, such as"),
        ({"masked": {"rate": "0.1x"}}, "step 5 on, .*masked.rate = '0.1x' is of type"),
        ({"masked": {"unit": None}}, "masked.unit = None is of type NoneType"),
    ],
)
def test_settings_that_do_not_exist_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        mixture({5: {"settings": settings}}, {"policies.masked": 1})


@pytest.mark.unchecked
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rates": ["x"]}, r"has the rates \['x'\] at step 5; give a dict"),
        ({"loss_shares": [1]}, r"step 5 on, .* loss_shares is \[1\]; give a dict"),
    ],
)
def test_what_is_no_dict_is_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        mixture({5: changes})
