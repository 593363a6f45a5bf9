"""A run that is resumed on another mesh: the same state, and the same losses."""

import dataclasses
import shutil

import pytest
from trial_runs import trace

pytestmark = [pytest.mark.faults, pytest.mark.fault(7)]

STEPS, HALF = 20, 10

MESHES = {
    "4": ("MeshShape.data=4",),
    "2": ("MeshShape.data=2",),
    "8": ("MeshShape.data=2", "MeshShape.fsdp=4"),
}
"""How the devices of the second half are laid out, by their number."""


def test_a_run_goes_on_upon_another_mesh(fault, trial):
    """Begun on 8 devices. The state is verified, bit by bit, as it is restored.

    Losses are float sums in another order: equal within 1e-6 of their size.
    """
    runs = trial("ModelConfig.compute_dtype=float32", f"STEPS={STEPS}", "train.keep=9")
    folder = runs.finish("whole").folder
    whole = trace(folder)
    for devices, bindings in MESHES.items():
        other = folder.with_name(devices)
        shutil.copytree(folder, other)
        for step in range(HALF + 1, STEPS + 1):
            shutil.rmtree(other / "checkpoints" / str(step), ignore_errors=True)
        environment = {**runs.environment, "JAX_NUM_CPU_DEVICES": devices}
        resumed = dataclasses.replace(runs, environment=environment)
        with fault() as noticed:
            resumed.finish(devices, *bindings)
            noticed(since=None, steps_lost=0)
            said = resumed.log(devices, last=10**6)
            assert f"after step {HALF}" in said and "unusable" not in said
            steps = trace(other)
            assert steps[:HALF] == whole[:HALF] and len(steps) == STEPS
            for one, another in zip(steps, whole, strict=True):
                assert one["loss"] == pytest.approx(another["loss"], rel=1e-6)
