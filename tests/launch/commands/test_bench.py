"""The tables of `sightline bench` on real text."""

import inspect
import io
import re

import numpy as np
import pytest
from rich.console import Console

from sightline.launch import cli
from sightline.launch.commands import _attention_speed, _data_speed, _data_wait, bench
from sightline.launch.commands._batches import some_batches
from sightline.launch.commands._save_cost import checkpoint_period
from sightline.launch.commands._step_speed import (
    alone,
    examples,
    filled,
    unpacked_batches,
)
from sightline.launch.configuration import config, files
from sightline.launch.configuration.mixture import mixture_of
from sightline.launch.terminal.timings import step_table
from sightline.launch.training.program import make_program, program_of
from sightline.launch.training.train import train
from sightline.objectives.errors import UsageError
from sightline.tasks import user_modules
from sightline.tasks.shares.packers import packings

pytestmark = pytest.mark.unchecked


def settings(*bindings):
    loaded = config.load(["quickstart.gin"], bindings)
    return loaded.arguments("train", run_dir="unused", config="unused")


def test_rows_are_full_and_fuller_than_seqios():
    """The quickstart's rows, of 128 slots."""
    found = settings()
    ours, theirs = packings(examples(found, most=bench.EXAMPLES), found["rows"])
    assert ours.filled >= 0.98
    assert ours.filled > theirs.filled
    assert ours.rows < theirs.rows


def test_an_encoder_decoders_rows_are_fuller_than_seqios():
    found = settings("train.rows=@encoder_decoder_rows()")
    ours, theirs = packings(examples(found, most=bench.EXAMPLES), found["rows"])
    assert ours.filled > theirs.filled


def test_tables_show_medians_and_ratios():
    seconds = {"five": np.array([0.2, 0.3, 0.4]), "d.causal": np.array([0.1, 0.3, 0.2])}
    text = io.StringIO()
    tokens = {"five": 300.0, "d.causal": 200.0}
    table = step_table(seconds, tokens=tokens, shortest=0.12, reference="d.causal")
    Console(file=text, width=120).print(table)
    assert "ratios to d.causal" in " ".join(text.getvalue().split())
    (row,) = (line for line in text.getvalue().splitlines() if "five" in line)
    # A median of .3 s; 300 tokens in it; ratios of 2, 1 and 2; 300 / 200 / 2; .12 / .3.
    cells = [cell.strip() for cell in row.strip("│ ").split("│")]
    assert cells == [
        "five",
        "300.0",
        "220.0",
        "380.0",
        "1.0",
        "2.000",
        "0.750",
        "40.0%",
    ]


SMALL = """
include 'models/tiny.gin'
Mixture.name = 'two'
Mixture.rates = {'policies.causal': 1, 'policies.masked': 1}
Mixture.vocabulary = 'policies'
policies.train_documents = 12
policies.validation_documents = 3
train.mixture = @Mixture()
train.model = @ModelConfig()
train.rows = @decoder_rows()
train.schedule = @warmup_cosine
train.optimizer = @adamw
train.steps = 200
train.batch_rows = 8
train.seed = 0
train.data_workers = 0
decoder_rows.slots = 64
decoder_rows.predictions = 64
ModelConfig.layers = 1
ModelConfig.d_model = 32
ModelConfig.heads = 2
ModelConfig.kv_heads = 2
ModelConfig.head_dim = 16
ModelConfig.d_hidden = 32
ModelConfig.loss_chunk = None
warmup_cosine.peak = 1e-3
warmup_cosine.warmup_steps = 50
"""


def test_a_narrow_screen_takes_no_figure_away():
    """Eight columns, of which rich would otherwise cut each short."""
    name = "revised_adapted, unpacked"
    table = step_table(
        {name: np.full(3, 0.0386), "policies.reconstruction": np.full(3, 0.0384)},
        tokens={name: 25_000.0, "policies.reconstruction": 32_400.0},
        shortest=0.0066,
        reference="policies.reconstruction",
    )
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(table)
    shown = console.export_text()
    for figure in ("38.6", "38.4", "647.7", "843.8", "1.005", "0.768", "17.1%"):
        assert figure in shown, shown
    assert "…" not in shown


def test_data_is_timed_beside_t5s_and_recorded_rows(monkeypatch, tmp_path, capsys):
    for name in ("_SECONDS", "_LEAD_IN", "_WARM_UP"):
        monkeypatch.setattr(_data_speed, name, 0.05)
    monkeypatch.setattr(_data_wait, "_STEPS", 12)
    monkeypatch.setattr(_data_wait, "_WARM_UP", 4)
    runs = []
    monkeypatch.setattr(_data_wait, "train", lambda **s: runs.append(s) or train(**s))
    gin, rows = tmp_path / "two.gin", tmp_path / "rows"
    gin.write_text(SMALL)
    recorded = [f"--out={rows}", "--workers=1", "--rows=40", "--shard_examples=60"]
    assert cli.main(["record", f"--gin_file={gin}", *recorded]) == 0
    words = ["bench", f"--gin_file={gin}", "--data", "--rounds=2"]
    words += ["--gin.train.trackers=('wandb',)", "--gin.train.data_workers=2"]
    words.append("--gin.train.checkpoint_every=1")
    assert cli.main([*words, f"--recording={rows}"]) == 0
    # Nothing but a temporary folder is told of them; only text needs workers.
    assert [run["trackers"] for run in runs] == [(), ()]
    assert [run["data_workers"] for run in runs] == [2, 0]
    assert [run["checkpoint_every"] for run in runs] == [12, 12]
    said = capsys.readouterr().out
    for row in (_data_speed.T5, "spans: the same rows", "mixture two", "recorded rows"):
        assert row in said
    for line in said.splitlines():
        if _data_speed.T5 in line:
            assert line.count("1.00") == 2
    assert "supervised tokens" not in said  # the runs print nothing of their own
    _, waits = said.split("Data wait")
    for row in ("streaming", "recorded"):
        (line,) = (line for line in waits.splitlines() if row in line)
        assert line.count("%") == 3


def test_implementations_of_attention_are_timed_beside_each_other(
    tmp_path, monkeypatch, capsys
):
    def fails(*arrays, **_):
        raise NotImplementedError("not on this device")

    monkeypatch.setattr(_attention_speed, "_masked", fails)
    gin = tmp_path / "two.gin"
    gin.write_text(SMALL)
    assert bench.main([f"--gin_file={gin}", "--attention", "--rounds=3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    (plain,) = (line for line in lines if _attention_speed.PLAIN in line[:20])
    assert "1.000" in plain
    (ours,) = (line for line in lines if _attention_speed.OURS in line)
    assert len(re.findall(r"\d+\.\d+", ours)) == 4
    (broken,) = (line for line in lines if "jax.nn" in line)
    assert "NotImplementedError" in broken


def test_a_gpu_is_offered_cudnn():
    attend = _attention_speed.implementations("gpu")["cudnn"]
    assert attend.keywords["kernel"] == "cudnn"


def test_a_recording_without_data_is_refused():
    with pytest.raises(ValueError, match="add --data"):
        bench.main(["--gin_file=quickstart.gin", "--recording=rows"])


@pytest.mark.parametrize("name", ["--round=3", "--gin-file=x"])
def test_unknown_options_are_refused(name):
    with pytest.raises(ValueError, match=r"did you mean .--(rounds|gin_file)"):
        bench.main([name, "--gin_file=quickstart.gin"])


@pytest.mark.parametrize(
    "name", [n for n in files.shipped() if n.startswith("mixtures/")]
)
def test_every_shipped_recipe_is_timed_task_by_task(name):
    mixture = mixture_of(config.load([name]))
    tasks = alone(mixture)
    assert tasks.keys() == mixture.positive_rates().keys()
    for task, one in tasks.items():
        assert one.positive_rates() == {task: 1.0}


def test_shares_that_no_loss_reads_are_refused():
    with pytest.raises(ValueError, match=r"Mixture.loss_shares is .* leave it at None"):
        bench.main(
            ["--gin_file=quickstart.gin", "--gin.train.normalisation='token_sum'"]
        )


def test_the_step_of_the_configuration_is_timed():
    found = program_of(
        settings(
            "train.clip_norm=0.5",
            "train.normalisation='token_sum'",
            "Mixture.loss_shares=None",
            "train.microbatches=2",
            "train.batch_rows=16",
            "train.seed=3",
        )
    )
    assert (found.clip_norm, found.normalisation) == (0.5, "token_sum")
    assert (found.microbatches, found.seed) == (2, 3)


def test_a_run_and_its_program_have_the_same_defaults():
    ours = inspect.signature(train).parameters
    for name, parameter in inspect.signature(make_program).parameters.items():
        if name in ours and name != "seed":
            assert parameter.default == ours[name].default, name


def test_no_rounds_are_refused():
    with pytest.raises(
        ValueError, match="--rounds is 0; set it to a whole number from 1"
    ):
        bench.main(["--gin_file=quickstart.gin", "--rounds=0"])


def test_the_cost_of_checkpoints_is_shown(capsys, tmp_path):
    config_file = tmp_path / "small.gin"
    config_file.write_text(SMALL + "train.checkpoint_every = 3\n")
    assert bench.main([f"--gin_file={config_file}", "--saves", "--rounds=2"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for cost in ("a step", "held up by a save", "on disk", "saves (3 steps)"):
        assert cost in said


def test_checkpoints_are_as_often_as_in_training():
    found = settings("train.checkpoint_every=7")
    assert checkpoint_period(found) == 7
    del found["checkpoint_every"]
    default = inspect.signature(train).parameters["checkpoint_every"].default
    assert checkpoint_period(found) == default


def test_proxies_are_timed_side_by_side(capsys, tmp_path):
    config_file = tmp_path / "small.gin"
    config_file.write_text(SMALL)
    words = [f"--gin_file={config_file}", "--population=8,16", "--rounds=2"]
    assert bench.main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    sizes = [line.strip("│ ").split("│")[0].strip() for line in lines if "│" in line]
    assert sizes == ["1", "8", "16"]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ("4,two", "give numbers of proxies"),
        ("1", "--population is 1"),
        ("", "--population is ''"),
        ("3", "devices"),
    ],
)
def test_populations_that_cannot_be_timed_are_refused(sizes, message, tmp_path):
    config_file = tmp_path / "small.gin"
    config_file.write_text(SMALL)
    with pytest.raises(UsageError, match=message):
        bench.main([f"--gin_file={config_file}", f"--population={sizes}"])


def test_unpacked_rows_hold_one_example_each():
    found = settings()
    for batch in unpacked_batches(found):
        assert batch.decoder.segment_ids.max() == 1
    packed = [*map(filled, some_batches(found["mixture"], found))]
    assert np.mean([*map(filled, unpacked_batches(found))]) < np.mean(packed)


def test_a_start_that_fails_is_an_error_with_its_output():
    with pytest.raises(UsageError, match=r"train\.steps is 0"):
        bench.main(
            ["--gin_file=quickstart.gin", "--start", "--gin.train.steps=0"],
        )


def test_a_start_imports_what_it_needs_and_tracks_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(user_modules, "_expected", [])
    (tmp_path / "start_tasks.py").write_text("")
    words = ["--gin_file=quickstart.gin", f"--import={tmp_path / 'start_tasks.py'}"]
    words.append("--gin.train.trackers=('wandb',)")
    ended = r"'--gin.train.trackers=\(\)' --import=\S*start_tasks.py .* ended with 2"
    with pytest.raises(UsageError, match=ended):
        bench.main([*words, "--start", "--gin.train.steps=0"])
