"""What a run is: what a resumed run may change, and what is let through by name."""

import ast
from collections.abc import Sequence

import hypothesis
import hypothesis.strategies as st
import pytest

from sightline.launch.configuration.config import load
from sightline.launch.runs.changes import append_changes
from sightline.launch.runs.directory import config_text
from sightline.launch.runs.past_config import check_same_step
from sightline.launch.runs.run_identity import (
    Change,
    RunIdentity,
    bindings_of,
    check_same_run,
    compared_lines,
    to_json,
    without,
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
Mixture.vocabulary = 'a.model'

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
    ("old", "new"),
    [
        ("papers", "moved/papers 2"),
        ("a.model", "moved/b 2.model"),
        ("steps = 9", "steps = 12"),
    ],
)
def test_where_data_lies_and_how_long_a_run_is_may_change(old, new):
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
        (CONFIG, {**IDENTITIES, "vocabulary sha256": "w"}, "+vocabulary sha256 = w"),
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


def study(
    *,
    mixes: dict[str, str] | None = None,
    points: Sequence[str] = (),
    tokens: int = 1,
    text: str = "",
): ...


TEXTS = st.text("ab =#\n'", max_size=90)


@hypothesis.given(
    mixes=st.dictionaries(TEXTS, TEXTS, max_size=4),
    points=st.lists(TEXTS, max_size=4),
    text=TEXTS,
    names=st.sets(st.sampled_from(["study.mixes", "study.points", "study.text"])),
)
@hypothesis.settings(max_examples=40, deadline=None)
def test_bindings_are_found_and_taken_out_whole(mixes, points, text, names):
    """Of any length: what a value says of `=`, `#` or lines is part of it."""
    spoken = {"mixes": mixes, "points": points, "tokens": 7, "text": text}
    options = [f"study.{name}={value!r}" for name, value in spoken.items()]
    written = load([], options, table={"study": study}, settings={})
    config = written.resolved_config("study")
    found = {n: ast.literal_eval(v) for n, v in bindings_of(config).items()}
    assert found == {f"study.{name}": value for name, value in spoken.items()}
    left = bindings_of(without(config, names))
    assert left == {n: v for n, v in bindings_of(config).items() if n not in names}


@pytest.mark.parametrize("scope", ["", "papers/"])
def test_a_corpus_may_lie_elsewhere_however_long_its_path(scope):
    """A path with spaces takes several lines, which are no part of what is compared."""

    def text(*, folder: str = "", glob: str = "*"): ...

    def config(folder):
        options = [f"{scope}text.folder={folder!r}", f"{scope}text.glob='*.md'"]
        table = {"root": root, "text": text}
        options.append(f"root.corpus=@{scope}text()")
        return load([], options, table=table, settings={}).resolved_config("root")

    def root(*, corpus: object = None): ...

    before, after = (config(f"/{word}" * 20) for word in ("my papers", "their texts"))
    assert "\n 'papers" in before  # the value goes on
    assert (
        compared_lines(before)
        == compared_lines(after)
        == [*(f"root.corpus = @{scope}text()", f"{scope}text.glob = '*.md'")]
    )
