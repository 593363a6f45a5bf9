"""Checkpoints: exact, on any mesh, and never silently wrong."""

import gc
import json
import logging
import shutil
import weakref
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from sightline.launch.runs import checkpoints as checkpoints_module, verified
from sightline.launch.runs.checkpoints import CheckpointError, Checkpoints
from sightline.launch.runs.named_arrays import Mismatch, array_structs, as_arrays
from sightline.launch.runs.verified import check_manifests, restore_latest
from sightline.objectives.errors import UsageError


class State(NamedTuple):
    params: nnx.State
    counters: tuple
    key: jax.Array


def state(seed=0):
    weights = jax.random.normal(jax.random.key(seed), (64, 256))
    scale = jnp.linspace(0, 1, 8).astype(jnp.bfloat16)
    return State(
        nnx.State(
            {
                "w": nnx.Param(weights, axes=("embed", "hidden")),
                "s": nnx.Param(scale, axes=("scale",)),
            }
        ),
        (jnp.int32(seed), jnp.arange(4, dtype=jnp.uint32)),
        jax.random.split(jax.random.key(seed), 2),
    )


def shardings(devices):
    mesh = Mesh(np.array(jax.devices()[:devices]), ("fsdp",))

    def place(x):
        spec = ("fsdp",) if x.shape[:1] == (64,) else ()
        return NamedSharding(mesh, PartitionSpec(*spec))

    return jax.tree.map(place, state())


def abstract(devices):
    return jax.tree.map(
        lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s),
        state(),
        shardings(devices),
    )


def assert_equal(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for name, array in as_arrays(expected).items():
        got = as_arrays(found)[name]
        assert got.dtype == array.dtype
        assert np.asarray(got).tobytes() == np.asarray(array).tobytes(), name


def filled(run_dir, steps=(2, 4, 6), keep=3):
    with Checkpoints(run_dir, keep=keep, period=2) as checkpoints:
        for step in steps:
            on_mesh = jax.device_put(state(step), shardings(8))
            checkpoints.save(step, on_mesh, {"position": step})


def restored(run_dir, devices=8):
    with Checkpoints(run_dir, keep=3, period=2) as checkpoints:
        return checkpoints.restore(abstract(devices))


@pytest.mark.parametrize("devices", [8, 4, 2, 1])
def test_restores_bit_for_bit_on_any_mesh(tmp_path, devices):
    filled(tmp_path, steps=[3])
    step, found, data = restored(tmp_path, devices)
    assert (step, data) == (3, {"position": 3})
    assert_equal(found, state(3))
    wanted = shardings(devices).params["w"].get_value()
    assert found.params["w"].get_value().sharding == wanted


def test_nothing_to_restore(tmp_path):
    assert restored(tmp_path) is None


def test_keeps_the_newest_and_says_when_due(tmp_path):
    filled(tmp_path, steps=[2, 4, 6], keep=2)
    with Checkpoints(tmp_path, keep=2, period=2) as checkpoints:
        assert [s for s in range(1, 7) if checkpoints.due(s)] == [2, 4, 6]
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["4", "6"]


def test_a_closed_run_has_lost_nothing(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=1, period=1)
    checkpoints.save(1, state(1), {})
    checkpoints.close()
    assert restored(tmp_path)[0] == 1


def largest_file(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_size)


def flip(path, bit=None):
    raw = bytearray(path.read_bytes())
    bit = len(raw) * 4 if bit is None else bit
    raw[bit // 8] ^= 1 << bit % 8
    path.write_bytes(raw)


def flipped_data(step):
    flip(largest_file(step / "state"))


def flipped_position(step):
    path = step / "data" / "metadata"
    assert json.loads(path.read_text()) == {"position": 6}
    path.write_text('{"position": 7}')


def flipped_manifest(step):
    path = step / "manifest" / "metadata"
    path.write_text(path.read_text().replace("float32", "float16"))


def emptied(step):
    for path in sorted(step.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def half_deleted(step):
    largest_file(step / "state").unlink()


def truncated(step):
    largest_file(step / "state").write_bytes(b"")


DAMAGES = [
    flipped_data,
    flipped_position,
    flipped_manifest,
    emptied,
    half_deleted,
    truncated,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_and_passed_over(tmp_path, caplog, damage):
    filled(tmp_path)
    damage(tmp_path / "checkpoints" / "6")
    with caplog.at_level(logging.WARNING):
        with Checkpoints(tmp_path, keep=3, period=2) as checkpoints:
            step, found, data = checkpoints.restore(abstract(2))
            assert (step, data) == (4, {"position": 4})
            assert_equal(found, state(4))
            # Its step can be saved again, and it was not thrown away.
            checkpoints.save(6, state(6), {"position": 6})
    assert "checkpoint 6 is unusable" in caplog.text
    assert (tmp_path / "checkpoints_quarantined" / "6-0").is_dir()
    assert restored(tmp_path)[0] == 6


def test_flips_name_the_array(tmp_path, caplog):
    filled(tmp_path)
    flipped_data(tmp_path / "checkpoints" / "6")
    restored(tmp_path)
    assert "damaged arrays: params.w" in caplog.text


@pytest.mark.parametrize("seed", range(4))
def test_no_flip_anywhere_is_restored(tmp_path, seed):
    filled(tmp_path, steps=[2, 4])
    folder = tmp_path / "checkpoints" / "4"
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size)
    random = np.random.default_rng(seed)
    for _ in range(3):
        path = files[random.integers(len(files))]
        flip(path, random.integers(path.stat().st_size * 8))
    step, found, data = restored(tmp_path)
    assert data == {"position": step}
    assert_equal(found, state(step))


def test_nothing_is_touched_when_no_checkpoint_is_whole(tmp_path):
    filled(tmp_path, steps=[2, 4])
    for step in (2, 4):
        flipped_data(tmp_path / "checkpoints" / str(step))
    for _ in range(2):  # nor does a second start forget, and begin anew
        with pytest.raises(CheckpointError, match=r"step 4: dam.*step 2: dam"):
            restored(tmp_path)


OTHERS = {
    "params.s.* bfloat16.* wanted float32": lambda x: (x.shape, jnp.float32),
    "params.s.* wanted bfloat16.9.": lambda x: ((9,), x.dtype),
}


@pytest.mark.parametrize("message", OTHERS)
def test_another_model_is_an_error_not_damage(tmp_path, message):
    filled(tmp_path)
    wanted = abstract(8)
    old = wanted.params["s"].get_value()
    shape, dtype = OTHERS[message](old)
    wanted.params["s"] = nnx.Param(
        jax.ShapeDtypeStruct(shape, dtype, sharding=old.sharding), axes=("scale",)
    )
    with Checkpoints(tmp_path, keep=3, period=2) as checkpoints:
        with pytest.raises(Mismatch, match=message):
            checkpoints.restore(wanted)
    assert restored(tmp_path)[0] == 6


def test_missing_and_unwanted_arrays_are_named(tmp_path):
    filled(tmp_path)
    wanted = abstract(8)
    wanted.params["new"] = wanted.params["w"]
    del wanted.params["s"]
    with Checkpoints(tmp_path, keep=3, period=2) as checkpoints:
        with pytest.raises(Mismatch, match=r"params\.new.*missing.*params\.s.*not"):
            checkpoints.restore(wanted)


def test_a_target_without_shardings_is_refused(tmp_path):
    with Checkpoints(tmp_path, keep=3, period=2) as checkpoints:
        with pytest.raises(ValueError, match="with a sharding"):
            checkpoints.restore(jax.eval_shape(state))


def test_a_save_out_of_order_is_an_error(tmp_path):
    filled(tmp_path)
    with Checkpoints(tmp_path, keep=3, period=2) as checkpoints:
        for step in (5, 6):
            with pytest.raises(CheckpointError, match="not after the newest"):
                checkpoints.save(step, state(), {})


def test_a_refused_save_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(ocp.CheckpointManager, "save", lambda *a, **k: False)
    with Checkpoints(tmp_path, keep=3, period=2) as checkpoints:
        with pytest.raises(CheckpointError, match="refused"):
            checkpoints.save(2, state(), {})


def test_debris_is_swept(tmp_path):
    debris = tmp_path / "checkpoints" / "8.orbax-checkpoint-tmp"
    debris.mkdir(parents=True)
    (debris / "half").write_text("x")
    assert restored(tmp_path) is None
    assert not debris.exists()


@pytest.mark.parametrize(
    "name",
    ["r[1]", "r[!a]", "r*", "r?", "r{a,b}", "a\\b", "r#1", "r%41", "a b", "läuft"],
)
def test_no_path_is_taken_for_a_pattern(tmp_path, name):
    run_dir = tmp_path / name / "run"
    filled(run_dir, steps=[2, 4, 6], keep=2)
    assert restored(run_dir)[0] == 6
    step, found, _ = restore_latest(run_dir, abstract(8))
    assert step == 6
    assert_equal(found, state(6))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_part_of_the_state_is_read_alone(tmp_path):
    filled(tmp_path, steps=[2])
    part = abstract(8)._replace(counters=None, key=None)
    found = restore_latest(tmp_path, part, prefix="params.")
    assert found is not None
    assert_equal(found[1], state(2)._replace(counters=None, key=None))


def test_a_saved_state_is_freed_at_once(tmp_path):
    """Not when Python next looks for cycles: a state is most of the memory."""
    array = jnp.arange(8.0)  # on one device, where JAX makes a cycle of its shards
    freed = weakref.ref(array)
    gc.disable()
    try:
        with Checkpoints(tmp_path, keep=1, period=1) as checkpoints:
            checkpoints.save(1, {"w": array}, {})
            del array
            checkpoints.wait()
            assert freed() is None
    finally:
        gc.enable()


def test_a_save_is_read_back_before_older_ones_go(tmp_path, monkeypatch):
    def damaged(path, structs):
        raise CheckpointError("damaged arrays: w")

    with Checkpoints(tmp_path, keep=1, period=1) as checkpoints:
        checkpoints.save(1, state(1), {})
        checkpoints.wait()
        checkpoints.save(2, state(2), {})
        monkeypatch.setattr(checkpoints_module, "read_back", damaged)
        with pytest.raises(CheckpointError, match=r"step 2 was written .* read back"):
            checkpoints.save(3, state(3), {})
    monkeypatch.undo()
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == {"1", "2"}


def test_reading_back_goes_group_by_group(tmp_path, monkeypatch):
    filled(tmp_path, steps=[2])
    groups = []
    real = verified._read_arrays

    def counted(path, structs, saved):
        groups.append(list(structs))
        return real(path, structs, saved)

    monkeypatch.setattr(verified, "GROUP_BYTES", 64 * 256 * 4)
    monkeypatch.setattr(verified, "_read_arrays", counted)
    verified.read_back(tmp_path / "checkpoints" / "2", array_structs(abstract(8)))
    assert len(groups) > 1
    assert sorted(name for group in groups for name in group) == sorted(
        as_arrays(state())
    )


def test_what_a_run_deletes_meanwhile_is_no_damage(tmp_path, monkeypatch, caplog):
    """A run saves step 6 and drops 2 and 4 while they are read."""
    filled(tmp_path, steps=[2, 4, 6])
    folder, aside = tmp_path / "checkpoints", tmp_path / "6"
    read_manifest = verified.read_manifest

    def read(path):
        if aside.exists():
            aside.rename(folder / "6")
            for old in ("2", "4"):
                shutil.rmtree(folder / old)
        return read_manifest(path)

    monkeypatch.setattr(verified, "read_manifest", read)
    (folder / "6").rename(aside)
    step, found, _ = restore_latest(tmp_path, abstract(8))
    assert step == 6
    assert_equal(found, state(6))
    assert not caplog.records

    (folder / "6").rename(aside)
    (folder / "2").mkdir()
    (folder / "4").mkdir()
    assert check_manifests(tmp_path) == {}
    assert check_manifests(tmp_path) == {6: None}


def test_a_quarantined_checkpoint_takes_a_free_name(tmp_path):
    for number in range(3):
        filled(tmp_path, steps=[2, 4, 6])
        if number == 2:
            shutil.rmtree(tmp_path / "checkpoints_quarantined" / "6-0")
        shutil.rmtree(tmp_path / "checkpoints" / "6" / "state")
        assert restored(tmp_path)[0] == 4
        shutil.rmtree(tmp_path / "checkpoints")
    aside = tmp_path / "checkpoints_quarantined"
    assert sorted(path.name for path in aside.iterdir()) == ["6-0", "6-1"]


def test_a_device_that_is_missing_is_no_damage(tmp_path, monkeypatch):
    with Checkpoints(tmp_path, keep=1, period=1) as checkpoints:
        checkpoints.save(1, state(), {})
    assert check_manifests(tmp_path) == {1: None}

    def missing():
        raise RuntimeError("Unable to initialize backend 'tpu'")

    monkeypatch.setattr(jax, "devices", missing)
    with pytest.raises(UsageError, match="JAX finds no device") as caught:
        check_manifests(tmp_path)
    assert not isinstance(caught.value, CheckpointError)
