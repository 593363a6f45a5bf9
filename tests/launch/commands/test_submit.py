"""`sightline submit`: the checks of training first, printed before it is applied."""

import inspect
import re
import subprocess
import typing
from pathlib import Path

import pytest
import yaml

from sightline.launch.cli import main
from sightline.launch.configuration.config import load
from sightline.launch.pods import submit
from sightline.launch.pods.submit.preflight import check_config
from sightline.launch.training.train import train
from sightline.objectives.errors import UsageError

RUN = ["--gin_file=quickstart.gin", "--run_dir=/shared/runs/mine"]
GKE = ["submit", "gke", *RUN, "--image=host/a:1", "--claim=shared"]
FITS = ["--topology=v5p-128", "--gin.MeshShape.data=64", "--gin.train.batch_rows=64"]


def test_a_jobset_with_the_config_that_was_checked(capsys, tmp_path):
    assert main([*GKE, *FITS]) == 0
    config, body = yaml.safe_load_all(capsys.readouterr().out)
    assert body["metadata"]["name"] == "mine"
    saved = tmp_path / "sightline.gin"
    saved.write_text(config["data"]["sightline.gin"])
    same = load([str(saved)]).resolved_config("train")
    assert same == saved.read_text()
    assert "train.batch_rows = 64" in same


def test_the_other_systems_render(capsys):
    for words in (
        ["gcluster", *FITS, "--image=host/a:1", "--claim=a", "--cluster=a"],
        ["tpu-vm", *FITS, "--zone=us-east5-b", "--package=a", SHARE],
        ["slurm", "--nodes=2", "--gpus_per_node=4"],
        ["local", "--processes=2"],
    ):
        extra = ["--location=us-east5"] if words[0] == "gcluster" else []
        assert main(["submit", words[0], *RUN, *words[1:], *extra]) == 0
        text = capsys.readouterr().out
        assert text.startswith("#!/bin/bash\n")
        done = subprocess.run(["bash", "-n"], input=text, text=True)
        assert done.returncode == 0, text


def test_a_batch_script(capsys):
    words = ["--nodes=4", "--partition=a100", "--account=team", "--time=2-00:00:00"]
    assert main(["submit", "slurm", *RUN, *words]) == 0
    text = capsys.readouterr().out
    head = re.findall(r"^#SBATCH (\S+)", text, re.MULTILINE)
    assert {"--nodes=4", "--partition=a100", "--account=team"} <= set(head)
    assert {"--export=NONE", "--requeue", "--signal=TERM@120"} <= set(head)
    assert "--time=2-00:00:00" in head
    assert not any("gpus" in word for word in head)


SHARE = "--share=host:/vol"
PACKAGE = Path(submit.__file__).parent
TENSOR = "--gin.MeshShape.tensor=64"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["submit", "k8s"], "no system 'k8s'"),
        ([*GKE, *FITS, "--gin.train.step=3"], "no parameter of 'train' named 'step'"),
        ([*GKE, "--topology=v5p-128"], "batch_rows=8 does not divide by 64"),
        ([*GKE, *FITS, "--gin.MeshShape.tensor=2"], "asks for 128 devices"),
        ([*GKE, *FITS, "--gin.MeshShape.fsdp=0"], "mesh axes are sizes ≥ 1"),
        ([*GKE, *FITS, "--gin.MeshShape.data=1", TENSOR], "does not divide by 64"),
        (["submit", "local", *RUN, "--processes=2", TENSOR], "does not divide by 64"),
        ([*GKE, *FITS, "--gin.warmup_cosine.warmup_steps=9999"], "warmup_steps=9999"),
        ([*GKE, *FITS, "--gin.train.trackers=('x',)"], "train.trackers: no 'x'"),
        (
            [*GKE, *FITS, "--gin.train.normalisation='token_sum'"],
            "leave it at None, or set train.normalisation='objective'",
        ),
        (
            [*GKE, *FITS, "--gin.train.data='rows'", "--gin.train.data_workers=4"],
            "train.data_workers is 4, and acts only with train.data=None",
        ),
        ([*GKE, *FITS, "--gin.masked.rate=0.0"], "masked.rate is 0.0; set it above 0"),
        ([*GKE, *FITS, "--slices=2"], "bind --gin.MeshShape.slices=2"),
        ([*GKE, *FITS, "--topology=v5p-129"], "--topology=v5p-129"),
        ([*GKE, *FITS, "--name=Mine"], "--name='Mine'"),
        ([*GKE, *FITS, "--env=API_TOKEN=1"], "looks like a secret"),
        ([*GKE, *FITS, "--zone=a"], "no option '--zone'"),
        ([*GKE, *FITS, "--run_dir=mine"], "absolute path"),
        (["submit", "slurm", *RUN, "--nodes=0"], "--nodes"),
        (["submit", "slurm", *RUN, "--nodes=1", "--time=soon"], "--time=soon"),
        (["submit", "slurm", *RUN, "--nodes=1", "--partition=a b"], "--partition"),
        (["submit", "local", *RUN, "--processes=0"], "--processes"),
        (["submit", "local", *RUN, "--processes=2", "--port=99999"], "--port"),
    ],
)
def test_what_is_refused_before_anything_is_printed(words, message, capsys):
    assert main(words) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert output.out == ""


NUMBERS = {
    name: "-5" if int in kinds else "-5.0"
    for name, parameter in inspect.signature(train, eval_str=True).parameters.items()
    for kinds in [typing.get_args(parameter.annotation) or (parameter.annotation,)]
    if int in kinds or float in kinds
}
"""A value of each that means nothing."""


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_of_training_is_checked(name):
    binding = f"train.{name}={NUMBERS[name]}"
    with pytest.raises(UsageError, match=rf"train\.{name}"):
        check_config(["quickstart.gin"], [binding], run_dir="/shared/mine")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("local.sh.j2", ["local", "--processes=2"]),
        ("slurm.sh.j2", ["slurm", "--nodes=1"]),
        ("tpu_vm_worker.sh.j2", ["tpu-vm", *FITS, "--zone=a", "--package=a", SHARE]),
    ],
)
def test_no_variable_takes_the_name_of_one_of_the_script(template, words, capsys):
    """Of those that a script sets once it has those of the job."""
    _, text = (PACKAGE / template).read_text("utf-8").split("export {{ name }}")
    own = set(re.findall(r"^\s*(?:for \(*)?(\w+) ?(?:=| in )", text, re.MULTILINE))
    assert "status" in own
    for name in own:
        assert main(["submit", words[0], *RUN, *words[1:], f"--env={name}=5"]) == 2
        assert f"--env={name}=… would replace" in capsys.readouterr().err


def test_apply_needs_the_systems_program(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([*GKE, *FITS, "--apply"]) == 2
    assert "there is no kubectl here" in capsys.readouterr().err


def test_help_and_notes(capsys):
    assert main(["submit"]) == 2
    assert main(["submit", "--help"]) == 0
    assert main([*GKE, *FITS, "--gin.adamw.b1=0.5"]) == 0
    assert "is bound, but nothing uses it" in capsys.readouterr().err
