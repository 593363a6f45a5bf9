"""A fit in the terminal: each target's models, the trusted one, the best mixture."""

import pytest

from sightline.launch.terminal.tuning import model_table, print_fit


def figure(value):
    return {"value": value, "low": value - 1, "high": value + 1}


@pytest.fixture
def found():
    names = ("spearman", "kendall", "rmse", "relative", "regret")
    figures = {name: figure(float(n)) for n, name in enumerate(names)}
    model = {"cross_validation": figures, "holdout": None}
    other = {"cross_validation": figures | {"kendall": None}, "holdout": None}
    drift = {
        "direction": "maximise",
        "models": {"linear": model, "forest": other},
        "trusted": "forest",
        "reason": "it ranks best",
        "noise": 0.01234,
    }
    return {
        "targets": {"drift[0]": drift},
        "rows": 30,
        "mixtures": 15,
        "folds": 5,
        "repeats": 4,
        "rule": "a model is trusted if it ranks",
    }


def test_every_model_has_its_figures_and_the_trusted_one_is_marked(found, rows_of):
    table = model_table("drift[0]", found["targets"]["drift[0]"], "cross_validation")
    linear, forest = rows_of(table)
    spans = ["0\n-1–1", "1\n0–2", "2\n1–3", "3\n2–4", "4\n3–5"]
    assert linear == ["linear", *spans]
    assert forest == ["forest\n(trusted)", spans[0], "–", *spans[2:]]


def test_only_what_was_measured_is_shown(found, printed):
    text = printed(print_fit, found)
    assert "drift[0], maximised: cross-validation" in text and "holdout" not in text
    each = found["targets"]["drift[0]"]
    for model in each["models"].values():
        model["holdout"] = model["cross_validation"]
    assert "drift[0], maximised: holdout" in printed(print_fit, found)
    for line in (
        "  Trusted: forest; it ranks best",
        "  Runs of one mixture differ by 0.01234 (SD).",
        "30 rows, 15 different mixtures; 5-fold cross-validation × 4, 95 % bootstrap "
        "intervals over mixtures. A model is trusted if it ranks.",
    ):
        assert line in text.splitlines()


def test_without_a_trusted_model_there_is_no_best_mixture(found, printed):
    each = found["targets"]["drift[0]"]
    each |= {"trusted": None, "reason": "none ranks", "noise": None, "optimum": None}
    text = printed(print_fit, found)
    assert "  None is trusted: none ranks" in text
    assert "  No best mixture: no model is trusted." in text
    assert "(SD)" not in text and "(trusted)" not in text


def test_the_best_mixture_has_its_largest_shares_first(found, printed):
    """A share that would be shown as 0.000 is left out."""
    found["targets"]["drift[0]"]["optimum"] = {
        "mixture": {"causal": 0.25, "none": 0.0004, "masked": 0.7486, "rare": 0.0006},
        "predicted": 0.71234,
        "standard_error": 0.0123,
        "best_observed": {"score": 0.7, "row": 12},
        "evidence": "it is beyond what was observed",
        "limits": "shares that were tried",
    }
    lines = printed(print_fit, found).splitlines()
    at = lines.index("  Best mixture: masked 0.749, causal 0.250, rare 0.001")
    assert lines[at + 1 : at + 4] == [
        "    predicted 0.7123 (SE 0.012); best observed 0.7 (row 12)",
        "    It is beyond what was observed",
        "    Searched shares that were tried.",
    ]
