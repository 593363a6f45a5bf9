"""`sightline evaluate`: training's own figures, with intervals, on any mixture."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from sightline.launch.cli import main
from sightline.launch.commands import _seqio_tasks
from sightline.launch.commands.evaluate import tables
from sightline.launch.configuration.config import load
from sightline.launch.inference.held_out_batches import held_out_batches
from sightline.launch.inference.held_out_losses import RowSums, resampled
from sightline.launch.inference.open import load_trained
from sightline.launch.training.evaluate import evaluate_tasks, mean_by_rate
from sightline.launch.training.program import program_of

pytestmark = pytest.mark.unchecked


def evaluate(*arguments):
    return main(["evaluate", *map(str, arguments)])


@pytest.fixture(scope="module")
def record(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    with pytest.MonkeyPatch.context() as patch:
        written = []
        patch.setattr("builtins.print", lambda text, **_: written.append(text))
        assert evaluate(run, "--format=json") == 0
    (folder / "record.json").write_text(written[-1])
    return json.loads(written[-1])


def test_the_figures_are_those_of_training(run, record):
    settings = load([str(run / "config.gin")]).arguments("train", run_dir="", config="")
    program, mixture = program_of(settings), settings["mixture"]
    state = load_trained(run)
    from flax import nnx

    measured = evaluate_tasks(
        program,
        program.compile_eval_step(),
        nnx.state(state.model),
        held_out_batches(settings),
        before_each=lambda: None,
    )
    tasks = {task["name"]: task for task in record["tasks"]}
    assert set(tasks) == set(measured) == set(mixture.positive_rates())
    for task, figures in measured.items():
        id_ = mixture.objective(task.partition(".")[2]).id
        for field in ("loss", "accuracy", "baseline", "predictions"):
            expected = getattr(figures, field)[id_]
            assert tasks[task][field] == pytest.approx(expected, rel=1e-5), field
        assert tasks[task]["low"] <= tasks[task]["loss"] <= tasks[task]["high"]
        assert tasks[task]["uniform"] == pytest.approx(np.log(1152))
    means = mean_by_rate(measured, mixture)["loss"]
    for objective in record["objectives"]:
        id_ = mixture.objective(objective["name"]).id
        assert objective["loss"] == pytest.approx(means[id_], rel=1e-5)


def test_another_mixture_is_measured_on_the_same_model(run, record, tmp_path, capsys):
    (tmp_path / "other.gin").write_text(
        "Mixture.name = 'other'\n"
        "Mixture.rates = {'policies.causal': 1, 'policies.prefix': 1}\n"
        "Mixture.vocabulary = 'policies'\n"
        "policies.train_documents = 60\npolicies.validation_documents = 24\n"
    )
    arguments = (run, f"--gin_file={tmp_path / 'other.gin'}", "--batches=1")
    assert evaluate(*arguments, "--format=json") == 0
    other = json.loads(capsys.readouterr().out)
    assert other["mixture"] == "other"
    causal = {task["name"]: task for task in other["tasks"]}["policies.causal"]
    assert causal in record["tasks"]
    assert evaluate(*arguments, "--gin.prefix.suffix=0.5") == 0
    table = capsys.readouterr().out
    assert "policies.prefix" in table and "baseline" in table
    assert all(len(line) <= 80 for line in table.splitlines())


def test_intervals_cover_the_loss_as_often_as_they_say():
    rng, covered, times = np.random.default_rng(0), 0, 200
    for _ in range(times):
        weight = rng.integers(1, 9, 60).astype(float)
        nll = weight * (3 + rng.normal(0, 1, 60))
        drawn = resampled(RowSums(nll, weight, nll), rng, resamples=300)
        low, high = np.percentile(drawn, (2.5, 97.5))
        covered += low <= 3 <= high
    assert 0.88 < covered / times < 0.99


@pytest.mark.parametrize("name", ["runs/[a]x[/b]", "runs/x[red]y"])
def test_a_run_is_shown_as_it_is_called(name):
    record = {"run": name, "step": 3, "mixture": "m", "tasks": [], "objectives": []}
    shown = [tables({**record, "not_evaluated": []})[0]]
    shown.append(_seqio_tasks.table({**record, "split": "test", "metrics": {}}))
    for table in shown:
        table.add_row("a task")
        console = Console(record=True, file=io.StringIO(), width=80)
        console.print(table)
        assert name in console.export_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{empty}"], "holds no run"),
        (["{run}", "--gin.masked.rate=0.3"], "give the --gin_file"),
        (["{run}", "--gin_file=none.gin"], "none.gin"),
        (["{run}", "--gin_file=five.gin"], "was trained with 'policies'"),
        (["{run}", "--batches=0"], "--batches is 0"),
        (["{run}", "--seed=-1"], "--seed is -1"),
        (["{run}", "--tasks=one", "--seed=0"], "leave out --gin_file, --batches and"),
    ],
)
def test_bad_input_is_one_clear_line(run, tmp_path, capsys, arguments, message):
    names = {"run": run, "empty": tmp_path}
    assert evaluate(*(argument.format(**names) for argument in arguments)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("sightline: ") and message in error
