"""A recommended mixture in the terminal: every figure beside what it is of."""

import copy

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.terminal.recommendation import (
    gains_table,
    mixture_table,
    print_confirmation,
    print_recommendation,
    validation_table,
)

COMPONENTS = ["causal", "x64/[b]masked", "pairs"]
SHARES = st.lists(
    st.just(0.0) | st.integers(1, 1000).map(lambda n: n / 1000), min_size=3, max_size=3
)


def ends(value, low, high):
    return {"value": value, "low": low, "high": high}


def shares(rates, loss):
    return {
        "rates": dict(zip(COMPONENTS, rates, strict=True)),
        "loss_shares": dict(zip(COMPONENTS, loss, strict=True)),
    }


@pytest.fixture
def found():
    agreement = {
        "spearman": ends(0.8124, 0.5, 0.95),
        "kendall": None,
        "regret": ends(0.01, 0, 0.25),
    }
    return {
        "recommended": True,
        "evidence": "all gain",
        "components": COMPONENTS,
        "incumbent": shares([0.5, 0.25, 0.25], [0.4, 0.35, 0.25]),
        "mixture": shares([0.75, 0.125, 0.125], [0.7, 0.2, 0.1]),
        "predicted": {
            "gains": {"drift": ends(1.5, 0.25, 2.75)},
            "own_loss": ends(1.0125, 0.99, 1.035),
        },
        "rule": "the largest least gain",
        "unit": "standard deviations",
        "models": {"drift": "forest", "loss": None},
        "rows": 40,
        "mixtures": 20,
        "loss": "own loss",
        "cut": {"at": 1.2, "rows": 0, "held_out": 0},
        "validation": {
            "drift": {
                **{"mixtures": 6, "seeds": 2, "predicted": agreement},
                "noise_ceiling": agreement | {"spearman": ends(0.9, 0.7, 1)},
            },
            "loss": {
                **{"mixtures": 6, "seeds": 2, "predicted": agreement},
                "noise_ceiling": None,
            },
        },
    }


@hypothesis.given(columns=st.lists(SHARES, min_size=4, max_size=4))
@hypothesis.settings(max_examples=50, deadline=None)
def test_rates_and_shares_stand_beside_what_they_were(rows_of, columns):
    """A component that is in neither mixture has no row."""
    rates, loss, were_rates, was_loss = columns
    told = {
        "recommended": True,
        "components": COMPONENTS,
        "mixture": shares(rates, loss),
        "incumbent": shares(were_rates, was_loss),
    }
    expected = [
        [name, *(f"{value:.3f}" for value in row)]
        for name, *row in zip(
            COMPONENTS, rates, were_rates, loss, was_loss, strict=True
        )
        if any(row)
    ]
    assert rows_of(mixture_table(told)) == expected


def test_what_is_predicted_has_its_interval(found, rows_of):
    assert rows_of(gains_table(found)) == [
        ["gain of drift, SD", "1.500", "0.250 – 2.750"],
        ["own loss ÷ incumbent's", "1.012", "0.990 – 1.035"],
    ]


def test_a_prediction_stands_above_what_another_run_predicts(found, rows_of):
    table = validation_table(found["validation"])
    assert "6 mixtures held out, 2 runs of each" in str(table.title)
    figures = ["–", "0.01 (0 – 0.25)"]
    assert rows_of(table) == [
        ["drift", "model", "0.812 (0.5 – 0.95)", *figures],
        ["", "another run", "0.9 (0.7 – 1)", *figures],
        ["loss", "model", "0.812 (0.5 – 0.95)", *figures],
    ]


def test_a_recommendation_says_what_it_rests_on(found, printed):
    text = printed(print_recommendation, found)
    for line in (
        "Recommended: all gain",
        "Rule: the largest least gain. Gain: standard deviations.",
        "40 rows, 20 different mixtures; models: drift by forest, loss by none.",
    ):
        assert line in text.splitlines()
    assert "x64/[b]masked" in text and "out of the question" not in text
    assert text.split().count("Mixture") == 1 and "taken to be there" not in text


def test_where_nothing_is_found_no_table_is_made_up(found, printed):
    nothing = found | {"mixture": None, "recommended": False, "validation": {}}
    nothing["evidence"] = "no [x] mixture is within the limit"
    lines = printed(print_recommendation, nothing).splitlines()
    assert lines[0] == "Not recommended: no [x] mixture is within the limit"
    assert len(lines) == 3
    best = printed(print_recommendation, found | {"recommended": False})
    assert "Best mixture found" in best and "Not recommended: all gain" in best


@pytest.mark.parametrize(
    ("rows", "held_out", "told"),
    [(3, 0, "there: 3."), (0, 2, "there: 0, and 2 held out."), (1, 1, "1, and 1 held")],
)
def test_losses_out_of_the_question_are_counted(found, printed, rows, held_out, told):
    cut = copy.deepcopy(found) | {
        "cut": {"at": 1.25, "rows": rows, "held_out": held_out}
    }
    text = printed(print_recommendation, cut)
    text = " ".join(text.split())
    assert "Rows whose own loss is above 1.25, twice what is allowed" in text
    assert told in text


def test_a_confirmation_has_both_runs_and_their_difference(printed):
    target = {
        "incumbent": 0.53125,
        "winner": 0.65625,
        "difference": ends(0.125, 0.0625, 0.1875),
        "verdict": "better",
    }
    found = {"runs": 12, "targets": {"drift": target}, "evidence": "Confirmed: [all]."}
    title, _, row, evidence = printed(print_confirmation, found).splitlines()
    assert title.strip() == "Winner against incumbent, 12 fresh seeds of each"
    assert row.split() == [
        *("drift", "0.5312", "0.6562", "0.125"),
        *("0.062", "–", "0.188", "better"),
    ]
    assert evidence == "Confirmed: [all]."
