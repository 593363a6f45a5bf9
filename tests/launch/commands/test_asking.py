"""What `sightline generate` is told, before a model is loaded."""

import re

import pytest

from sightline.launch.commands._asking import typed_rows
from sightline.launch.inference.mode import require_read
from sightline.launch.inference.modes import MODES
from sightline.launch.inference.settings import Settings
from sightline.launch.terminal.answers import print_drafts
from sightline.objectives.errors import UsageError


def test_a_line_without_a_tab_is_refused_and_the_next_is_read():
    refused = []
    lines = iter(["one alone\n", "\n", "a\tb\n", "a\tb\tc\td\n"])
    rows = list(typed_rows(lines, MODES["pairs"], refuse=refused.append))
    assert rows == [{"first": "a", "second": "b"}]
    assert ["0 tabs" in str(refused[0]), "3 tabs" in str(refused[1])] == [True, True]


@pytest.mark.parametrize(
    ("mode", "form", "name", "forms"),
    [
        ("continue", "causal", "order", "'blocks'"),
        ("continue", "span", "per_pass", "'blocks'"),
        ("continue", "blocks", "drafts", "'causal'"),
        ("masks", "permuted", "threshold", "'masked' or 'shifted'"),
    ],
)
def test_what_a_form_ignores_is_refused(mode, form, name, forms):
    with pytest.raises(UsageError, match=f"{name!r}; take it out, or ask as {forms} "):
        require_read(MODES[mode], form, ["seed", name])
    for fine in MODES[mode].read_by[name]:
        require_read(MODES[mode], fine, ["seed", name])


@pytest.mark.unchecked
@pytest.mark.parametrize(
    "name, value",
    [
        *(("top_k", value) for value in (2.5, "2", True, [2])),
        *((name, "x") for name in ("temperature", "top_p", "threshold", "untrained")),
    ],
)
def test_a_setting_of_another_type_is_refused(name, value):
    with pytest.raises(UsageError, match=re.escape(f"{name} is {value!r}; set it to")):
        Settings(**{name: value})


def test_a_threshold_is_a_probability():
    with pytest.raises(UsageError, match="threshold is 0"):
        Settings(threshold=0.0)


def test_drafts_are_told(capsys):
    print_drafts([{"rounds": 4, "accepted": 6, "tokens": 14}, {"tokens": 3}])
    assert "1.50 accepted and 3.50 tokens a round" in capsys.readouterr().err
    print_drafts([{"tokens": 3}])
    assert not capsys.readouterr().err
