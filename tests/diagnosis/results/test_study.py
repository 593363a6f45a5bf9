"""A study's records, what they come to, and how that is shown."""

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from sightline.diagnosis.results import effects_file, records
from sightline.diagnosis.results.effects import Mix, Setup, is_better
from sightline.diagnosis.results.measures import measures, primary
from sightline.diagnosis.results.records import Record
from sightline.diagnosis.results.study_picture import curves
from sightline.diagnosis.results.study_summary import (
    Measure,
    by_budget,
    effects,
    own_loss,
)
from sightline.diagnosis.results.study_table import better_on_all, markdown
from sightline.diagnosis.scores.score import Score


def score(measure, value, *, half=0.02, chance=0.5):
    better = "lower" if "distance" in measure.metric or "rate" in measure.metric else ""
    return Score(
        failure=measure.failure,
        probe=measure.probe,
        kind=measure.kind,
        metric=measure.metric,
        value=value,
        low=value - half,
        high=value + half,
        chance=chance,
        better="lower" if better else "higher",
        mode="causal",
        trained=True,
        baselines={"5-gram": 0.5},
        items=100,
        documents=50,
    )


def every(value, *, half=0.02):
    """Scores of each measure; for those where less is better, one less the value."""
    found = []
    for measure in measures():
        one = score(measure, value, half=half)
        less = one.better == "lower"
        found.append(score(measure, 1 - value, half=half) if less else one)
    return tuple(found)


def study(values, *, seeds=(0, 1), losses=None):
    """Two points a run: chance, then the mix's value, a little apart by seed."""
    return [
        Record(
            mix,
            seed,
            tokens + 13 * seed,
            {"masked": (losses or {}).get(mix, 1.0), "permuted": 2.0},
            every(0.5 if tokens == 1000 else value + 0.01 * seed),
        )
        for mix, value in values.items()
        for seed in seeds
        for tokens in (1000, 2000)
    ]


def mixes(names):
    shares = {"masked": 0.75, "permuted": 0.25}
    return {name: Mix(shares, shares, {}, None, ()) for name in names}


def outcome(found, names):
    return effects(
        found,
        measures(),
        mixes(names),
        corpus="policies",
        command="sightline study",
        incumbent=next(iter(names)),
        setup=Setup(name="study", parameters=7, text="policies", seeds=2),
    )


def test_records_come_back_as_they_were(tmp_path):
    found = study({"incumbent": 0.5})
    records.write(tmp_path / "incumbent-0.json", found)
    assert records.read(tmp_path / "incumbent-0.json") == found
    assert records.read_all(tmp_path) == found
    assert not list(tmp_path.glob("*.tmp"))


def test_what_was_not_measured_is_recorded_and_what_is_no_record_refused(tmp_path):
    path = tmp_path / "m-0.json"
    nothing = score(measures()[0], float("nan"), chance=None)
    records.write(path, [Record("m", 0, 1, {}, (nothing,))])
    assert repr(records.read(path)[0].scores) == repr((nothing,))
    path.write_text(path.read_text().replace('"trained": true', '"trained": 1'))
    with pytest.raises(ValueError, match=r"\[0\]\.scores\[0\]\.trained: 1 is no b"):
        records.read(path)


def test_a_figure_is_the_mean_of_seeds_within_all_of_their_intervals():
    found = by_budget(study({"incumbent": 0.5, "other": 0.8}), "other")[-1]
    got = measures()[0].effect(found)
    assert got is not None
    assert (got.value, got.seeds, got.chance) == (pytest.approx(0.805), 2, 0.5)
    assert (got.low, got.high) == (pytest.approx(0.78), pytest.approx(0.83))


def test_a_figure_is_of_one_kind_and_needs_every_run():
    measure = Measure("continuation", "p", "AUC", "a")
    scores = (score(measure._replace(kind="b"), 0.8), score(measure, 0.6))
    whole = Record("m", 0, 1, {}, scores)
    got = measure.effect([whole])
    assert got is not None and got.value == 0.6
    assert measure.effect([whole, whole._replace(scores=scores[:1])]) is None
    few = (scores[0], scores[1]._replace(documents=19))
    nothing = (scores[0], scores[1]._replace(value=float("nan")))
    for missing in (few, nothing):
        assert measure.effect([whole._replace(scores=missing)]) is None


def test_points_are_matched_by_their_place_not_by_their_tokens():
    first, last = by_budget(study({"incumbent": 0.5}), "incumbent")
    assert {r.tokens for r in first} == {1000, 1013}
    assert {r.tokens for r in last} == {2000, 2013}


def test_own_loss_is_weighed_by_the_incumbents_shares():
    found = study({"incumbent": 0.5, "other": 0.8}, losses={"other": 1.1})
    shares = {"masked": 0.75, "permuted": 0.25}
    got = own_loss(found, "other", incumbent="incumbent", shares=shares)
    assert got is not None
    assert got.value == pytest.approx((0.75 * 1.1 + 0.5) / (0.75 + 0.5))
    same = own_loss(found, "incumbent", incumbent="incumbent", shares=shares)
    assert same == (1.0, 1.0, 1.0)


def test_effects_are_what_the_memo_reads(tmp_path):
    values = {"incumbent": 0.5, "better": 0.8, "alike": 0.52}
    got = outcome(study(values), values)
    effects_file.write(tmp_path / "effects.json", got)
    assert effects_file.read(tmp_path / "effects.json") == got
    for failure in ("drift", "continuation", "reconstruction"):
        assert is_better(got, "better", failure)
        assert not is_better(got, "alike", failure)
        assert not is_better(got, "incumbent", failure)


def test_the_table_marks_what_is_better_and_nothing_else():
    values = {"incumbent": 0.5, "better": 0.8, "alike": 0.52, "worse": 0.2}
    found = study(values)
    text = markdown(found, outcome(found, values))
    scores, changes = text.split("Differences from `incumbent`")
    for part, marked in ((scores, len(measures())), (changes, len(primary()))):
        lines = [row for row in part.splitlines() if row.startswith("|")]
        assert len({row.count("|") for row in lines}) == 1
        rows = {name: row for row in lines for name in values if f"| `{name}`" in row}
        assert rows.pop("better").count("**") == 2 * marked
        assert all("**" not in row for row in rows.values())
    assert "`incumbent`" not in changes.splitlines()[3]
    assert "sightline study" in text and "seeds 0, 1" in text
    (shallow,) = (row for row in text.splitlines() if "*best baseline" in row)
    assert shallow.count(" 0.50 ") == len(measures())


def test_what_seeds_disagree_on_is_not_better_however_far_the_items_are_apart():
    """By one seed it is, since nothing says what others would do."""
    found = study({"incumbent": 0.5, "other": 0.8})
    for record in found:
        if record.mix == "other" and record.seed == 1:
            found[found.index(record)] = record._replace(scores=every(0.56, half=0.01))
    names = ["incumbent", "other"]
    got = outcome(found, names)
    assert (
        got.mixes["other"].effect("drift").low
        > got.mixes["incumbent"].effect("drift").high
    )
    assert not is_better(got, "other", "drift")
    one = outcome([record for record in found if record.seed == 0], names)
    assert is_better(one, "other", "drift") and not one.mixes["other"].differences
    assert "with intervals apart" in markdown(found[:4], one)


def test_the_table_says_why_a_probe_was_left_out():
    found = study({"incumbent": 0.5})
    assert "Not measured" not in markdown(found, outcome(found, ["incumbent"]))
    found = [r._replace(left_out=("jump-ahead: too short.",)) for r in found]
    text = markdown(found, outcome(found, ["incumbent"]))
    assert text.count("- Not measured: jump-ahead: too short.") == 1


def test_a_mix_that_is_not_run_yet_is_a_row_without_figures():
    values = {"incumbent": 0.5, "better": 0.8}
    found = study(values)
    text = markdown(found, outcome(found, [*values, "waiting"]))
    row = next(row for row in text.splitlines() if "`waiting`" in row)
    assert not re.search(r"\d\.\d", row)


def test_the_best_mixes_beat_the_incumbent_on_all_that_was_measured():
    values = {"incumbent": 0.5, "better": 0.8, "alike": 0.52}
    found = study(values)
    assert better_on_all(outcome(found, values)) == ["better"]
    bare = [record._replace(scores=()) for record in found]
    nothing = outcome(bare, values)
    assert better_on_all(nothing) == []
    rows = [x for x in markdown(bare, nothing).splitlines() if x.startswith("| `")]
    assert [row.split("|")[2].strip() for row in rows] == ["2"] * 3


def test_the_picture_has_a_curve_for_each_mix_in_each_panel():
    values = {"incumbent": 0.5, "a<b": 0.8, "other": 0.6}
    page = curves(study(values), incumbent="incumbent", best=["a<b"])
    root = ElementTree.fromstring(page)
    space = "{http://www.w3.org/2000/svg}"
    names = [t.text for t in root.iter(f"{space}text")]
    assert all(names.count(name) == 1 for name in values)  # text, and a legend for all
    assert {"drift", "continuation", "reconstruction"} <= set(names)
    ids = [group.get("id", "") for group in root.iter(f"{space}g")]
    assert sum("FillBetween" in one for one in ids) == len(primary()) * 2
    assert curves(study(values), incumbent="incumbent", best=["a<b"]) == page


def test_the_picture_is_the_same_bytes_in_every_process():
    code = (
        "import sys, random\n"
        "from matplotlib.figure import Figure\n"
        "from sightline.diagnosis.results.charts import svg_file\n"
        "chart = Figure()\n"
        "chart.subplots().plot([1, 2], [2, 1], marker='o', label='µ < σ')\n"
        "sys.stdout.write(svg_file(chart, title='a <title>'))"
    )
    pages = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in "12"
    ]
    assert pages[0] == pages[1]
    assert "a &lt;title&gt;" in pages[0] and "<text" in pages[0]


def test_the_picture_of_nothing_measured_is_still_a_picture():
    record = Record("incumbent", 0, 10, {"masked": 1.0}, ())
    ElementTree.fromstring(curves([record], incumbent="incumbent"))


def test_at_one_budget_each_mix_is_a_point_with_its_interval():
    """Tokens of runs differ by less than a batch, which is no axis."""
    one = [r for r in study({"incumbent": 0.5, "better": 0.8}) if r.tokens == 2000]
    page = curves(one, incumbent="incumbent")
    assert page.count(">incumbent<") == page.count(">better<") == len(primary())
    assert "processed tokens" not in page and "is better" in page and "chance" in page
    assert "processed tokens" in curves(study({"a": 0.5}), incumbent="a")
