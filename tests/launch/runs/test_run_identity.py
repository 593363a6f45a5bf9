"""What a run is: what a resumed run may change, and what is let through by name."""

import pytest

from sightline.launch.runs.changes import append_changes
from sightline.launch.runs.directory import config_text
from sightline.launch.runs.past_config import check_same_step
from sightline.launch.runs.run_identity import (
    Change,
    RunIdentity,
    bindings_of,
    check_same_run,
    to_json,
)
from sightline.objectives.errors import UsageError

CONFIG = """\
# train
train.steps = 9
train.schedule = @constant
# train.mesh = MeshShape(data=-1)

# Mixture
Mixture.rates = {'text.causal': 1.0,
 'text.masked': 2.0}

# adamw
adamw.b1 = 0.9
adamw.b2 = 0.95

# text
text.folder = 'papers'
"""
IDENTITIES = {"vocabulary sha256": "v", "corpus text": "abc"}


def check(config=CONFIG, identities=IDENTITIES, allow=()):
    saved = to_json(RunIdentity(CONFIG, IDENTITIES))
    return check_same_run(saved, RunIdentity(config, identities), allow=allow)


def test_a_value_may_take_several_lines():
    found = bindings_of(CONFIG)
    assert list(found)[:3] == ["train.steps", "train.schedule", "Mixture.rates"]
    assert found["Mixture.rates"].endswith("'text.masked': 2.0}")
    assert found["text.folder"] == "'papers'"


@pytest.mark.parametrize(
    ("old", "new"), [("papers", "moved/papers 2"), ("steps = 9", "steps = 12")]
)
def test_where_a_corpus_lies_and_how_long_a_run_is_may_change(old, new):
    (change,) = check(CONFIG.replace(old, new))
    assert new in f"{change.name.split('.')[1]} = {change.after}"


def test_a_setting_that_a_saved_run_did_not_know_is_at_its_default():
    saved = to_json(RunIdentity(CONFIG.replace("adamw.b1 = 0.9\n", ""), IDENTITIES))
    now = RunIdentity(CONFIG, IDENTITIES, defaults=["adamw.b1"])
    assert check_same_run(saved, now) == []
    with pytest.raises(UsageError, match=r"\+adamw.b1 = 0.9"):
        check_same_run(saved, now._replace(defaults=["adamw.b2"]))
    changed = CONFIG.replace("b1 = 0.9", "b1 = 0.8")
    with pytest.raises(UsageError, match=r"-adamw.b1 = 0.8"):
        check_same_run(to_json(RunIdentity(changed, IDENTITIES)), now)


@pytest.mark.parametrize(
    ("config", "identities", "shown"),
    [
        (CONFIG, {**IDENTITIES, "corpus text": "abd"}, "+corpus text = abd"),
        (CONFIG.replace("2.0", "3.0"), IDENTITIES, " 'text.masked': 3.0}"),
        (CONFIG.replace("b1 = 0.9", "b1 = 0.8"), IDENTITIES, "--allow=adamw.b1"),
        (CONFIG.replace("adamw.b1 = 0.9\n", ""), IDENTITIES, "-adamw.b1 = 0.9"),
    ],
)
def test_another_text_or_config_is_refused_and_shown(config, identities, shown):
    with pytest.raises(UsageError, match="a run of another config") as refused:
        check(config, identities)
    assert shown in str(refused.value)


@pytest.mark.parametrize("allow", ["adamw", "adamw.b1", "train.schedule,adamw.b1"])
def test_what_is_allowed_by_name_is_let_through(allow):
    changed = CONFIG.replace("b1 = 0.9", "b1 = 0.8")
    (change,) = check(changed, allow=allow.split(","))
    assert change == ("adamw.b1", "0.9", "0.8")


@pytest.mark.parametrize(
    ("allow", "message"),
    [
        (["adamw.b2"], "another config"),
        (["adam"], "did you mean 'adamw.b"),
        (["adamw.b3"], "neither the saved run nor this one binds that"),
    ],
)
def test_other_names_let_nothing_through(allow, message):
    with pytest.raises(UsageError, match=message):
        check(CONFIG.replace("b1 = 0.9", "b1 = 0.8"), allow=allow)


def test_other_text_is_let_through_by_no_name():
    with pytest.raises(UsageError):
        check(identities={**IDENTITIES, "corpus text": "abd"}, allow=["text"])


def test_a_checkpoint_that_does_not_say_its_run_is_refused():
    with pytest.raises(UsageError, match="does not say which run it is of"):
        check_same_run(None, RunIdentity(CONFIG, IDENTITIES))


def test_a_step_is_compared_with_the_config_that_the_run_had_at_it(tmp_path):
    def now(b1, **bound):
        text = CONFIG.replace("b1 = 0.9", f"b1 = {b1}")
        for name, value in bound.items():
            text = text.replace(f"train.{name} = 9", f"train.{name} = {value}")
        return RunIdentity(text, IDENTITIES)

    def differs(step, run):
        try:
            check_same_step(tmp_path, run, step=step)
        except UsageError as error:
            return str(error)
        return ""

    head = now(0.7)
    (tmp_path / "config.gin").write_text(config_text(head.config, head.identities))
    for step, *change in [(6, "0.9", "0.8"), (4, "0.9", "0.6"), (8, "0.6", "0.7")]:
        append_changes(tmp_path, step, [Change("adamw.b1", *change)])
    # The run went on from step 4 again after it had from step 6.
    for step, b1 in [(4, 0.9), (5, 0.6), (8, 0.6), (9, 0.7)]:
        assert not differs(step, now(b1))
        assert f"step {step} with another config" in differs(step, now(0.5))
    # A longer run may be resumed, but has another schedule.
    assert "-train.steps = 9\n+train.steps = 12" in differs(9, now(0.7, steps=12))
    other = now(0.7)._replace(identities={**IDENTITIES, "corpus text": "abd"})
    assert "+corpus text = abd" in differs(9, other)
