"""Kills and full disks, in processes of their own."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

WRITER = """
import resource, signal, sys
import jax.numpy as jnp
from sightline.launch.runs.checkpoints import Checkpoints

first, last, largest_file = map(int, sys.argv[2:])
with Checkpoints(sys.argv[1], keep=2, period=1) as checkpoints:
    if largest_file:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    for step in range(first, last + 1):
        state = {"w": jnp.arange(200_000, dtype=jnp.float32) * step}
        checkpoints.save(step, state, {"step": step})
        checkpoints.wait()
        print(step, flush=True)
"""

READER = """
import sys
import jax, numpy as np
from jax.sharding import SingleDeviceSharding
from sightline.launch.runs.checkpoints import Checkpoints

place = SingleDeviceSharding(jax.devices()[0])
wanted = {"w": jax.ShapeDtypeStruct((200_000,), np.float32, sharding=place)}
with Checkpoints(sys.argv[1], keep=2, period=1) as checkpoints:
    step, state, data = checkpoints.restore(wanted)
    assert data == {"step": step}
    assert np.array_equal(state["w"], np.arange(200_000, dtype=np.float32) * step)
    checkpoints.save(step + 1, state, {"step": step + 1})
print(step)
"""


def python(code, *words, **settings):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        **settings,
    )


@pytest.mark.parametrize("trial", range(3))
def test_a_kill_in_mid_save_loses_nothing_committed(tmp_path, trial):
    writer = python(WRITER, tmp_path, 1, 1000, 0)
    assert writer.stdout is not None
    with writer:
        committed = [writer.stdout.readline() for _ in range(3)][-1]
        time.sleep(random.Random(trial).uniform(0, 0.1))
        writer.send_signal(signal.SIGKILL)
        committed = (writer.stdout.read().split() or [committed])[-1]
    with python(READER, tmp_path) as reader:
        found, _ = reader.communicate()
    assert reader.returncode == 0
    assert int(found) >= int(committed)
    assert not list((tmp_path / "checkpoints").glob("*tmp*"))


def test_a_file_too_large_is_told_and_loses_nothing(tmp_path):
    with python(WRITER, tmp_path, 1, 1, 0) as writer:
        assert writer.communicate()[0].strip() == "1"
    with python(WRITER, tmp_path, 2, 3, 1000, stderr=subprocess.PIPE) as writer:
        _, said = writer.communicate()
    assert writer.returncode == 1
    assert "CheckpointError" in said
    assert "could not be written" in said
    with python(READER, tmp_path) as reader:
        assert reader.communicate()[0].strip() == "1"
