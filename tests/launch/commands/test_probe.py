"""`sightline probe` and `diagnose --probe_data`: published tests of a run."""

import json
import sys

import pytest

from sightline.diagnosis.memo.published import published_blocks, published_fold
from sightline.diagnosis.probes.published.published import (
    PublishedResult,
    read_published,
)
from sightline.diagnosis.probes.published.published_test import PublishedScore
from sightline.launch.cli import main
from sightline.launch.commands import _published
from sightline.launch.terminal.published import published_tables, unread_note
from sightline.tasks import user_modules

pytestmark = pytest.mark.unchecked

PAIRS = [
    {"sentence_good": f"It is {n}.", "sentence_bad": f"It are {n}.", "UID": kind}
    for kind in ("is", "are")
    for n in range(4)
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, PAIRS)))
    (folder / "notes.txt").write_text("Of no test.")
    return folder


def test_a_run_is_scored_as_json(run, data, capsys):
    options = ["--pairs_per_paradigm=3", "--modes=causal,masked", "--masks=token"]
    command = ["probe", str(run), f"--probe_data={data}", *options, "--format=json"]
    assert main(command) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["unread"] == ["notes.txt"] and record["step"] > 0
    (test,) = record["tests"]
    assert (test["name"], test["asked"], test["available"]) == ("minimal pairs", 6, 8)
    overall = [s for s in record["scores"] if s["level"] == "all"]
    assert [s["mode"] for s in overall] == ["causal", "masked"]
    for score in overall:
        assert 0 <= score["low"] <= score["value"] <= score["high"] <= 1
        assert score["trained"] and score["untrained"] is not None
        assert set(score["baselines"]) == {"shorter", "unigram", "5-gram"}


def test_a_module_of_the_user_is_imported_first(
    run, data, tmp_path, monkeypatch, capsys
):
    """It registers the Task that the run's corpus reads."""
    monkeypatch.setattr(user_modules, "_expected", [])
    monkeypatch.setattr(user_modules, "_loaded", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "probed_tasks.py").write_text("")
    module = f"--import={tmp_path / 'probed_tasks.py'}"
    assert main(["probe", str(run), f"--probe_data={data}", module, "--modes=a"]) == 2
    assert "--modes" in capsys.readouterr().err and "probed_tasks" in sys.modules


@pytest.mark.parametrize(
    "options, message",
    [
        (["--modes=casual"], "no 'casual'; did you mean 'causal'?"),
        (["--corpus=polices"], "--corpus: no 'polices'; did you mean 'policies'?"),
        (["--pairs_per_paradigm=0"], "--pairs_per_paradigm is 0"),
        (["--seed=-1"], "--seed is -1"),
        (["--modes=causal,pair"], "--modes: minimal pairs cannot be asked in 'pair'"),
        (["--level=term"], "--level: no 'term'; valid: paradigm"),
        (["--level=term", "--format=json"], "--level: no 'term'; valid: paradigm"),
    ],
)
def test_a_mistake_is_told(run, data, capsys, monkeypatch, options, message):
    def score(*_: object, **__: object) -> None:
        raise AssertionError("a mistake is told before anything is scored")

    monkeypatch.setattr(_published, "published_scores", score)
    assert main(["probe", str(run), f"--probe_data={data}", *options]) == 2
    told = capsys.readouterr()
    assert message in told.err and not told.out


def test_a_mixture_that_trains_no_mode_of_the_tests_is_refused(
    run, data, capsys, monkeypatch
):
    monkeypatch.setattr(_published, "published_scores", lambda *_, **__: [])
    assert main(["probe", str(run), f"--probe_data={data}", "--format=json"]) == 2
    told = capsys.readouterr()
    assert "can be asked in a mode that the mixture" in told.err and not told.out


def test_tests_of_no_model_are_refused(data, tmp_path, capsys):
    command = ["diagnose", "--gin_file=incumbent.gin", f"--out={tmp_path / 'memo'}"]
    assert main([*command, f"--probe_data={data}"]) == 2
    assert "holds tests of a model, and there is none" in capsys.readouterr().err


def score(**given):
    told = {
        "test": "minimal pairs",
        "level": "all",
        "kind": "all",
        "metric": "accuracy",
        "mode": "causal",
        "trained": True,
        "value": 0.75,
        "low": 0.7,
        "high": 0.8,
        "better": "higher",
        "chance": 0.5,
        "untrained": 0.48,
        "baselines": {"shorter": 0.5, "5-gram": 0.6},
        "published": {},
        "items": 6,
        "left_out": 2,
    }
    return PublishedScore(**{**told, **given})


@pytest.fixture
def result(data):
    scores = (
        score(),
        score(level="paradigm", kind="is", low=0.55),
        score(level="paradigm", kind="are"),
        score(mode="masked", trained=False, untrained=None),
    )
    return PublishedResult(str(data), read_published(data), scores)


def test_the_tables(result):
    (table,) = published_tables(result)
    cells = [list(column.cells) for column in table.columns]
    causal, masked = "[bold]causal[/]", "[bold]masked[/]"
    assert cells[0] == [causal, "  all", "  is", "  are", masked, "  all"]
    failing = [name for name, value in zip(*cells[:2], strict=True) if "✗" in value]
    assert failing == ["  is"]
    assert cells[5][1] == "0.600 5-gram"
    assert "2 do not fit" in str(table.caption)
    assert "notes.txt" in unread_note(result)


def test_the_section_of_the_memo(result):
    assert list(published_blocks(None)) == []
    heading, about, table, notes = published_blocks(result)
    assert heading.text == "Published tests" and "`" in about.text
    assert [row[1] for row in table.rows][-1] == "masked (never trained)"
    assert [row[7] for row in table.rows][-1] == "none"
    assert any("notes.txt" in text for text in notes.texts)
    assert len(published_fold(result).blocks[0].rows) == 4
