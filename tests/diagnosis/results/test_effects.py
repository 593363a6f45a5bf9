"""The file between the study and the memo: what is written is read; comparisons."""

import json

import pytest

from sightline.diagnosis.results.effects import (
    Comparison,
    Difference,
    Effect,
    Effects,
    Mix,
    OwnLoss,
    Setup,
    compared,
    gain,
    is_better,
)
from sightline.diagnosis.results.effects_file import read, read_folder, shipped, write
from sightline.diagnosis.scores.score import FAILURES


def effect(value, failure="drift", better="higher", **more):
    made = Effect(failure, "p", "m", value, value - 0.1, value + 0.1, better, 0.5, 3)
    return made._replace(**more)


def mix(*effects, own=None):
    rates = {"masked": 1.0}
    return Mix(rates, rates, {"masked": {"rate": 0.2}}, own, effects)


def study(**mixes):
    setup = Setup("one", 10, "decoder", "a generated language", None, 3, "2026-11-27")
    return Effects("policies", 1000, "sightline study", "a", mixes, setup)


def compared_mixes():
    """A study with a comparison: `b` adds `causal` to `a`."""
    both = {"masked": 0.5, "causal": 0.5}
    change = Difference("drift", "p", "m", "higher", 0.4, 0.6, 0.1, 0.3, 3)
    comparison = Comparison("causal", "a", "b", OwnLoss(1.0, 0.9, 1.1), (change,))
    added = mix(effect(0.6))._replace(rates=both, loss_shares=both)
    return study(a=mix(effect(0.4)), b=added)._replace(comparisons=(comparison,))


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "effects.json"
    effects = study(a=mix(effect(0.4)), b=mix(own=OwnLoss(1.0, 0.9, 1.1)))
    write(path, effects)
    assert read(path) == effects
    assert list(path.parent.iterdir()) == [path]


def test_the_shipped_studies_are_sound():
    assert shipped()
    for effects in shipped():
        assert effects.incumbent in effects.mixes
        assert effects.setup.seeds >= 3
        for name, mix in effects.mixes.items():
            assert {e.failure for e in mix.effects} <= set(FAILURES), name
            assert all(e.seeds >= 3 for e in mix.effects), name
    (first,) = [e for e in shipped() if e.setup.name == "three_failures"]
    for name, mix in first.mixes.items():
        assert {e.failure for e in mix.effects} == set(FAILURES), name


def test_a_comparison_is_read(tmp_path):
    write(tmp_path / "one.json", compared_mixes())
    assert read_folder(tmp_path) == (compared_mixes(),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(having="x"), "[0].having: no mix 'x'"),
        (lambda c: c.update(objective="prefix"), "differ in causal, not in 'prefix'"),
        (lambda c: c.update(without="b"), "differ in no objective"),
        (lambda c: c["differences"][0].update(low=1.0), "comparisons[0]: interval"),
        (lambda c: c["own_loss"].update(high=0.1), "comparisons[0]: interval"),
        (lambda c: c["differences"][0].pop("seeds"), "differences[0]: seeds missing"),
    ],
)
def test_says_what_is_wrong_with_a_comparison(tmp_path, change, message):
    path = tmp_path / "one.json"
    write(path, compared_mixes())
    plain = json.loads(path.read_text())
    change(plain["comparisons"][0])
    path.write_text(json.dumps(plain))
    with pytest.raises(ValueError) as error:
        read(path)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "two"),
        ("parameters", 0),
        ("seeds", 0),
        ("text", ""),
        ("date", "yesterday"),
        ("original_tokens", 0),
    ],
)
def test_a_study_that_the_memo_reads_states_its_setup(tmp_path, field, value):
    made = study(a=mix(effect(0.4)))
    wrong = made._replace(setup=made.setup._replace(**{field: value}))
    write(tmp_path / "one.json", wrong)
    with pytest.raises(ValueError, match=rf"one.json: \$.setup.{field}: "):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d.pop("corpus"), "corpus missing"),
        (lambda d: d.update(mixs={}), "no field 'mixs'; did you mean 'mixes'"),
        (lambda d: d.update(incumbent="x"), "no mix 'x'"),
        (lambda d: d["mixes"]["a"]["rates"].update(masked="1"), "rates.masked"),
        (lambda d: d["mixes"]["a"]["effects"][0].update(low=9), "upside down"),
        (lambda d: d["mixes"]["a"]["effects"][0].update(failure="drfit"), "'drift'"),
        (lambda d: d["mixes"]["a"]["effects"][0].update(value=None), "no number"),
        (lambda d: d["mixes"]["a"].update(own_loss=float("nan")), "no finite number"),
        (lambda d: d["mixes"]["a"]["effects"][0].update(seeds=True), "[0].seeds: True"),
        (lambda d: d["mixes"].update(a=[]), "$.mixes.a: [] is no object"),
        (lambda d: d["mixes"]["a"].update(effects={}), "no list"),
    ],
)
def test_says_where_it_is_wrong(tmp_path, change, told):
    path = tmp_path / "effects.json"
    write(path, study(a=mix(effect(0.4))))
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))
    with pytest.raises(ValueError) as error:
        read(path)
    assert told in str(error.value)
    assert str(path) in str(error.value)


def test_says_what_is_no_json(tmp_path):
    with pytest.raises(ValueError, match="no file"):
        read(tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match="not JSON"):
        read(tmp_path / "bad.json")


@pytest.mark.parametrize("better, sign", [("higher", 1), ("lower", -1)])
def test_better_is_apart_on_the_right_side(better, sign):
    def with_value(value):
        return mix(effect(value, better=better))

    mixes = {"a": 0.5, "up": 0.75, "slightly": 0.6, "down": 0.25}
    effects = study(**{name: with_value(value) for name, value in mixes.items()})
    assert gain(effects, "up", "drift") == pytest.approx(sign * 0.25)
    assert is_better(effects, "up", "drift") == (sign > 0)
    assert is_better(effects, "down", "drift") == (sign < 0)
    assert not is_better(effects, "slightly", "drift")
    assert not is_better(effects, "up", "continuation")


def test_unlike_measurements_are_not_compared():
    effects = study(a=mix(effect(0.5)), b=mix(effect(0.9, probe="other")))
    assert compared(effects, "b", "drift") is None
    assert gain(effects, "b", "drift") is None
