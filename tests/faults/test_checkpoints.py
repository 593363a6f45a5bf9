"""Checkpoints that are damaged, or of another model: found, named, passed over."""

import random
import shutil

import jax
import numpy as np
import pytest
from one_process import EVERY, STEPS, flip, outcome
from trial_runs import saved_steps

from sightline.launch.runs.named_arrays import as_arrays
from sightline.launch.runs.verified import CheckpointError, read_verified

pytestmark = pytest.mark.unchecked

NEWEST = STEPS


@pytest.fixture
def copied(whole, tmp_path):
    """A copy of a run that is complete."""
    shutil.copytree(whole, tmp_path / "run", ignore=shutil.ignore_patterns("lease"))
    return tmp_path / "run"


def largest_file(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_size)


def emptied(step):
    shutil.rmtree(step)
    step.mkdir()


def half_deleted(step):
    files = sorted(path for path in step.rglob("*") if path.is_file())
    for path in files[::2]:
        path.unlink()


def file_gone(step):
    largest_file(step / "state").unlink()


def file_cut(step):
    path = largest_file(step / "state")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def manifest_gone(step):
    shutil.rmtree(step / "manifest")


def position_edited(step):
    (path,) = [p for p in (step / "data").rglob("*") if "metadata" in p.name]
    path.write_text(path.read_text().replace('"batches": 40', '"batches": 39'))


DAMAGES = [
    emptied,
    half_deleted,
    *(
        pytest.param(damage, marks=pytest.mark.faults)
        for damage in (file_gone, file_cut, manifest_gone, position_edited)
    ),
]
"""Of the newest checkpoint; the first two in every run of the tests."""


@pytest.mark.fault(13)
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_unusable_checkpoint_is_passed_over(
    fault, damage, train, whole, copied, capsys
):
    damage(copied / "checkpoints" / str(NEWEST))
    with fault() as noticed:
        assert train(copied) == 0
        noticed(steps_lost=EVERY)
        assert f"checkpoint {NEWEST} is unusable" in capsys.readouterr().out
        assert outcome(copied) == outcome(whole)


@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("seed", "number"),
    [(0, 8), pytest.param(1, 100, marks=pytest.mark.faults)],
)
def test_every_flipped_bit_is_found(fault, faults, train, whole, copied, seed, number):
    """In any file of a checkpoint, each bit as likely as another."""
    print("seed", seed)
    rng = random.Random(seed)
    structs = _structs(train, faults, copied)
    checkpoint = copied / "checkpoints" / str(NEWEST)
    right = _bytes(checkpoint, structs)
    files = sorted(p for p in checkpoint.rglob("*") if p.is_file())
    sizes = [path.stat().st_size for path in files]
    named = unread = harmless = 0
    for _ in range(number):
        (path,) = rng.choices(files, sizes)
        bit = rng.randrange(path.stat().st_size * 8)
        content = path.read_bytes()
        flip(path, bit)
        with fault() as noticed:
            try:
                # Not silent: what is not refused is right to the last bit.
                assert _bytes(checkpoint, structs) == right, (path, bit)
                harmless += 1
            except CheckpointError as error:
                noticed()
                named += "damaged arrays: " in str(error)
                unread += "damaged arrays: " not in str(error)
        path.write_bytes(content)
    print(f"{named} named an array, {unread} could not be read, {harmless} harmless")
    assert named > 0 and _bytes(checkpoint, structs) == right


def _structs(train, faults, run_dir):
    """Shapes and shardings of the state, as a run that takes one more step has it."""
    found = []

    def look(step, state, batch, shares):
        found.append(
            {
                name: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding)
                for name, x in as_arrays(state).items()
            }
        )
        return step(state, batch, shares)

    faults.at[1] = look
    assert train(run_dir.with_name("one"), "STEPS=1") == 0
    return found[0]


def _bytes(checkpoint, structs):
    arrays, _ = read_verified(checkpoint, structs)
    return {name: np.asarray(array).tobytes() for name, array in arrays.items()}


OTHERS = {
    "ModelConfig.d_hidden=128": "ModelConfig",
    "ModelConfig.layers=2": "ModelConfig",
    "ModelConfig.tie_embeddings=False": "ModelConfig",
    "train.optimizer=@adafactor": "train.optimizer,adafactor,adamw",
}
"""Configs whose state has other shapes or names, and what lets them by the config."""


@pytest.mark.fault(15)
@pytest.mark.faults
@pytest.mark.parametrize("change", OTHERS)
def test_a_checkpoint_of_another_model_is_refused(
    fault, change, train, copied, whole, capsys
):
    before = saved_steps(copied)
    with fault() as noticed:
        assert train(copied, change) == 2
        noticed()
        name, _, value = change.partition("=")
        assert f"+{name} = {value}" in capsys.readouterr().err
    with fault() as noticed:
        assert train(copied, change, f"--allow={OTHERS[change]}") == 2
        noticed()
        said = capsys.readouterr().err
        assert "params." in said or "opt_state." in said
    assert saved_steps(copied) == before
    assert outcome(copied) == outcome(whole)
