"""`sightline plan` as a process: a real run on emulated devices, and its mistakes."""

import json
import os
import subprocess
import sys

import pytest

from sightline.launch.cli import main

RUN = ["--gin_file=any_mixture.gin", "--gin_file=t5.gin", "--gin.MeshShape.fsdp=2"]
SMALL = [
    *("--gin.MeshShape.data=1", "--gin.train.optimizer=@adamw"),
    *("--gin.decoder_rows.slots=64", "--gin.decoder_rows.predictions=32"),
    "--vocabulary_size=50000",
]

WIDTH = 128
"""Of models/tiny.gin."""


def plan(*arguments: str, cache) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sightline", "plan", *RUN, *SMALL, *arguments],
        env={**os.environ, "SIGHTLINE_DATA_DIR": str(cache)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_a_plan_on_emulated_devices(cache):
    done = plan("--topology=cpu-2", "--format=json", cache=cache)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)  # nothing else is on standard output
    assert found["mesh"]["fsdp"] == found["devices"] == 2
    assert found["memory"]["parameters"] < 4 * found["parameters"]
    assert found["parameters"] > 50_000 * WIDTH  # not the 1,152 of the mixture's
    assert "compiling for 2 × cpu (emulated)" in done.stderr
    assert len(list((cache / "plan").iterdir())) == 1


def test_the_same_plan_comes_from_the_cache(cache):
    done = plan("--topology=cpu-2", cache=cache)
    assert done.returncode == 0, done.stderr
    assert "in the cache" in done.stdout and "all-gather" in done.stdout
    assert "compiling" not in done.stderr


def test_a_mesh_of_another_size_is_a_mistake(cache):
    done = plan("--topology=cpu-3", cache=cache)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "there are 3 (cpu)" in done.stderr


def test_a_price_needs_speeds(cache):
    done = plan("--topology=cpu-2", "--price=2", cache=cache)
    assert done.returncode == 2
    assert "--price is 2, but no speed of 2 × cpu (emulated) is known" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--topology=v5p-100"], "take v5p-64 or v5p-128"),
        (["--topology=cpu-2", "--vocabulary_size=0"], "--vocabulary_size is 0"),
        (["--topology=cpu-2", "--price=0"], "--price is 0.0"),
        (["--topology=cpu-2", "--most=3"], "--most=3 is how many settings a search"),
        (["--topology=cpu-2", "--slices=2"], "--slices=2 joins TPU slices"),
        (["--topologie=cpu-2", "--topology=cpu-2"], "did you mean '--topology'"),
    ],
)
def test_mistakes_are_found_before_anything_is_loaded(arguments, message, capsys):
    assert main(["plan", *RUN, *arguments]) == 2
    assert message in capsys.readouterr().err
