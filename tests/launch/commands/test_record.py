"""`sightline record`: records, goes on, checks and shows; its mistakes are clean."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sentencepiece
from rich.console import Console

from sightline.launch import cli
from sightline.launch.commands._record_options import ACTING, record_parser
from sightline.launch.configuration import recipe
from sightline.launch.terminal.recorded import compact, groups_table, serving_table
from sightline.tasks import user_modules
from sightline.tasks.recorded import parts
from sightline.tasks.recorded.manifest import GroupRows
from sightline.tasks.recorded.serving import GroupFill, ServingCost
from sightline.tasks.tokens import vocabulary

pytestmark = pytest.mark.unchecked

GIN = """
train.seed = 0
train.rows = @decoder_rows()
decoder_rows.slots = 64
decoder_rows.predictions = 64
Mixture.name = 'two'
Mixture.rates = {'policies.causal': 1, 'policies.masked': 1}
Mixture.vocabulary = 'policies'
policies.train_documents = 12
policies.validation_documents = 3
"""
SMALL = ("--shard_examples=60", "--held_out_rows=4")


@pytest.fixture
def gin(tmp_path):
    path = tmp_path / "two.gin"
    path.write_text(GIN)
    return str(path)


def record(gin, out, *options):
    """Records with one worker, or by a runner."""
    if not any(option.startswith(("--runner", "--workers")) for option in options):
        options = ("--workers=1", *options)
    return cli.main(["record", f"--gin_file={gin}", f"--out={out}", *SMALL, *options])


@pytest.mark.parametrize("layout", ["mixed", "per_objective"])
def test_a_recording_is_checked_and_shown(gin, tmp_path, capsys, layout):
    out = tmp_path / "rows"
    assert record(gin, out, f"--layout={layout}", "--passes=1") == 0
    assert cli.main(["record", "--check", str(out)]) == 0
    assert f"{out} is sound: " in capsys.readouterr().out
    assert cli.main(["record", "--show", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "policies.masked" in shown.partition("held out")[2]
    assert ("Rows mixed when served" in shown) == (layout == "per_objective")
    assert shown.count("asks from") == 2
    assert record(gin, out, f"--layout={layout}", "--passes=1") == 0  # done already


def test_tables_fit_80_columns():
    """Of a large recording of tasks with long names, nothing is cut."""
    text = io.StringIO()
    task = "wikipedia.x64/span_corruption"
    group = GroupRows(
        name=task,
        split="train",
        rows=123_456_789,
        without_example=0,
        examples={"span_corruption": 100_249},
        processed={"span_corruption": 63_209_875_968},
        supervised={"span_corruption": 999_999_999},
        shards=(),
    )
    manifest = SimpleNamespace(
        recipe={"rows": {"decoder": [512, 512], "encoder": [512, 16]}},
        of_split=lambda split: [group],
    )
    cost = ServingCost([GroupFill(task, 0.5, 123.25, 0.5, 0.99)], 0.99, 0.995)
    console = Console(file=text, width=80)
    console.print(groups_table(cast(Any, manifest)))
    console.print(serving_table(cost))
    said = text.getvalue()
    assert "…" not in said
    assert all(shown in said for shown in ("123.5M", "100.2k", "63.2G", "1.0G"))


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (9_999, "9,999"), (10_000, "10.0k"), (999_960, "1.0M")],
)
def test_counts_are_short(count, shown):
    assert compact(count) == shown


def test_a_recording_holds_no_paths(gin, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "check_examples", lambda *_: None)  # the texts are not
    shipped = Path(vocabulary.__file__).parent / "vocabularies" / "policies.model"
    vocab = shutil.copy(shipped, tmp_path / "mine.model")
    folders = ["text.folder", "hf_dataset.folder"]
    folders += [f"{name}.data_dir" for name in ("c4", "tfds", "wikipedia")]
    tasks = {f"a/{folder.partition('.')[0]}.causal": 1 for folder in folders}
    bindings = [f"a/{folder}={str(tmp_path)!r}" for folder in folders]
    bindings += [f"Mixture.rates={tasks}", f"Mixture.vocabulary={str(vocab)!r}"]
    amounts: dict[str, Any] = {"row_count": None, "passes": 1, "part_examples": 60}
    made = recipe.recipe_of(
        [gin], bindings, layout="per_objective", held_out_rows=4, **amounts
    )
    assert "a/hf_dataset.train = " in made.gin and str(tmp_path) not in made.gin


def test_the_run_says_how_many_rows(gin, tmp_path, capsys):
    bindings = ("--gin.train.steps=10", "--gin.train.batch_rows=8")
    assert record(gin, tmp_path / "rows", *bindings) == 0
    assert "training rows" in capsys.readouterr().out
    assert record(gin, tmp_path / "more", "--rows=80") == 0
    first, second = (
        sorted(path.name for path in (tmp_path / name).iterdir())
        for name in ("rows", "more")
    )
    assert first == second


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rows=9", "--passes=1"), "--rows or --passes, not both"),
        ((), "do not bind train.steps and train.batch_rows"),
        (("--rows=0",), "--rows is 0"),
        (("--rows=9", "--workers=0"), "--workers is 0"),
        (("--rows=9", "--layout=mixd"), "did you mean 'mixed'"),
        (("--rows=9", "--gin.Mixture.rates={'policies.causl': 1}"), "causal"),
        (("--rows=9", "--runner=DirectRunner"), "Apache Beam, which is not installed"),
        (("--rows=9", "--runner=DirectRunner", "--workers=9999"), "--workers changes"),
        (("--rows=9", "--beam_option=--a=1"), "--runner, which is not given"),
        (("--rows=9", "--vocabulary=a.model"), "it is for --show."),
    ],
)
def test_mistakes_are_one_message(gin, tmp_path, capsys, options, message, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "apache_beam" else find(name, *rest),
    )
    assert record(gin, tmp_path / "rows", *options) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


@pytest.fixture
def own(tmp_path):
    """Gin bindings of a folder with a text and a note, in a vocabulary's words."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("Somebody keeps all documents here. " * 9)
    (texts / "note.pdf").write_text("x")
    return [
        "--gin.Mixture.rates={'text.causal': 1}",
        f"--gin.text.folder={str(texts)!r}",
    ]


def test_text_that_a_run_would_refuse_is_not_recorded(gin, tmp_path, capsys, own):
    (tmp_path / "texts" / "a.txt").write_text("в лесу родилась ёлочка " * 9)
    out = tmp_path / "rows"
    model = tmp_path / "own.model"
    sentences = ["Somebody keeps all documents here.", "Nobody reads them."]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences * 9),
        model_prefix=str(model.with_suffix("")),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    own.append(f"--gin.Mixture.vocabulary={str(model)!r}")
    assert record(gin, out, "--rows=2", *own) == 2
    assert "cannot spell the corpus 'text'" in capsys.readouterr().err
    assert not out.exists()


def test_what_a_run_would_remark_is_said(gin, tmp_path, capsys, own):
    assert record(gin, tmp_path / "rows", "--rows=2", *own) == 0
    said = capsys.readouterr()
    assert "text: not read, beside its documents: 1 .pdf." in said.err
    assert "not read" not in said.out


def test_one_thing_at_a_time(gin, tmp_path, capsys):
    for words in (["--check=a", "--show=b"], [], [f"--gin_file={gin}"]):
        assert cli.main(["record", *words]) == 2
        assert "give one of --out=DIR" in capsys.readouterr().err
    assert cli.main(["record", f"--out={tmp_path / 'rows'}"]) == 2
    assert "--out needs --gin_file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        *("--gin_file=a.gin", "--layout=per_objective", "--workers=9999", "--rows=9"),
        *("--passes=2", "--held_out_rows=3", "--shard_examples=7", "--runner=Direct"),
        *("--beam_option=--a=1", "--gin.train.seed=1"),
    ],
)
@pytest.mark.parametrize("way", ["check", "show"])
def test_what_would_change_nothing_is_refused(tmp_path, capsys, way, option):
    assert cli.main(["record", f"--{way}={tmp_path}", option]) == 2
    error = capsys.readouterr().err
    assert f"changes nothing of --{way}" in error and "for --out." in error


def test_every_option_acts_on_something():
    known = {name for names in ACTING.values() for name in names} | set(ACTING)
    # `_` holds no value: it shows in the help how bindings are written.
    assert {a.dest for a in record_parser()._actions} - {"help", "_"} == known


def test_a_module_of_tasks_is_imported_to_record_and_for_nothing_else(
    gin, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(user_modules, "_expected", [])
    module = tmp_path / "record_imports.py"
    module.write_text("")
    assert record(gin, tmp_path / "rows", "--passes=1", f"--import={module}") == 0
    assert cli.main(["record", f"--check={tmp_path}", f"--import={module}"]) == 2
    said = capsys.readouterr().err
    assert "--import changes nothing of --check; it is for --out." in said


def test_a_check_needs_no_vocabulary(tmp_path, capsys):
    assert cli.main(["record", f"--check={tmp_path}", "--vocabulary=a.model"]) == 2
    assert "it is for --show." in capsys.readouterr().err


def test_sigterm_stops_and_the_same_command_goes_on(gin, tmp_path):
    out = tmp_path / "rows"
    words = [f"--gin_file={gin}", f"--out={out}", "--passes=12", *SMALL]
    command = [sys.executable, "-m", "sightline.launch.cli", "record", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(out.glob("*.array_record")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == os.EX_TEMPFAIL, error
    assert "run the same command to go on" in error
    made = {path.name: path.stat().st_mtime_ns for path in out.glob("*.array_record")}
    assert made and (out / parts.WORK).is_dir()
    assert cli.main(["record", *words]) == 0
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("*.array_record")}
    again = made.items() - kept.items()  # at most the one that was being made
    assert len(again) <= 1 and len(kept) > len(made)
