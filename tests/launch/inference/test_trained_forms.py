"""In which forms a mixture asks its model, and which of them a question takes."""

from types import MappingProxyType

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.inference.trained_forms import (
    FORMS,
    TRAINED_BY,
    TrainedForms,
    choose_form,
    trained_forms,
)
from sightline.models.rows import decoder_rows
from sightline.objectives.errors import UsageError
from sightline.objectives.registry import get
from sightline.tasks.examples.mixture import Mixture

pytestmark = pytest.mark.unchecked

ROWS = decoder_rows(slots=128, predictions=128)


def forms_of(rates, **settings):
    named = {name.replace("__", "/"): value for name, value in settings.items()}
    mixture = Mixture("mine", rates, corpora={"policies": 1}, settings=named)
    return trained_forms(mixture, ROWS)


@pytest.fixture(scope="module")
def variants():
    """Two ways of masking, one of them shifted, beside infilling of middles."""
    return forms_of(
        {"causal": 1, "masked": 1, "x/masked": 3, "y/masked": 2, "fill_in_middle": 1},
        masked={"rate": 0.25},
        x__masked={"rate": 0.5},
        y__masked={"rate": 0.75, "shift": True},
    )


def test_each_form_knows_who_trains_it(variants):
    assert variants.objectives == {
        "causal": ("causal",),
        "middle": ("fill_in_middle",),
        "masked": ("masked", "x/masked"),
        "shifted": ("y/masked",),
    }


def test_a_form_is_asked_with_the_settings_that_train_it_most(variants):
    assert variants.setting("masked", "rate") == 0.5
    assert variants.setting("shifted", "rate") == 0.75
    assert variants.objective("shifted").settings["shift"] is True
    # What nobody trains has its defaults.
    assert variants.setting("span", "mean_span") == get("span_corruption").settings[
        "mean_span"
    ]  # fmt: skip


def test_a_mode_token_is_shown_where_the_most_examples_have_it():
    forms = forms_of(
        {"prefix": 1, "span_corruption": 1},
        prefix={"mode": "S"},
        span_corruption={"mode": "X"},
    )
    assert forms.shown == {"prefix": "S", "span": "X"}


def test_every_phase_of_a_schedule_counts():
    schedule = {5: {"rates": {"policies.masked": 1}}}
    mixture = Mixture("mine", {"policies.causal": 1}, schedule=schedule)
    assert set(trained_forms(mixture, ROWS).objectives) == {"causal", "masked"}


@hypothesis.given(
    trained=st.sets(st.sampled_from(FORMS)),
    offered=st.lists(st.sampled_from(FORMS), min_size=1, unique=True),
    asked=st.none() | st.sampled_from(FORMS),
    untrained=st.booleans(),
)
@hypothesis.settings(max_examples=60)
def test_the_best_form_that_was_trained_is_taken(trained, offered, asked, untrained):
    """What was never trained only on demand; what a mode does not offer never."""
    known = TrainedForms(
        {form: (TRAINED_BY[form],) for form in trained},
        MappingProxyType({}),
        MappingProxyType({}),
    )
    choices = offered if asked is None else [asked] if asked in offered else []
    trained_ones = [form for form in choices if form in trained]
    expected = (trained_ones or (choices if untrained else [])) + [None]

    def choose():
        return choose_form(
            known, offered, mode="m", mixture="x", asked=asked, untrained=untrained
        )

    if expected[0] is not None:
        assert choose() == expected[0]
        return
    with pytest.raises(UsageError) as error:
        choose()
    text = str(error.value)
    if not choices:
        assert f"no form {asked!r}" in text
        return
    wanted = text.partition("asks the model as ")[2].partition(" trains it")[0]
    assert wanted.split(" or ") == [TRAINED_BY[form] for form in choices]
    for form in trained:
        assert f"{form} (by {TRAINED_BY[form]})" in text
