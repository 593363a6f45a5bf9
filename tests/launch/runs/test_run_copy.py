"""A run's copy in a bucket: whole at every moment, and one process's."""

import contextlib
import json
import math
import socket
import subprocess
import sys
import time
from urllib.request import Request, urlopen

import jax
import jax.numpy as jnp
import pytest

from sightline.launch.hosts import progress
from sightline.launch.runs import copy_index, object_store, run_copy
from sightline.launch.runs.checkpoints import Checkpoints
from sightline.launch.runs.copy_index import INDEX, CopyLost
from sightline.launch.runs.object_store import ObjectStore, ObjectStoreError
from sightline.launch.runs.run_copy import RunCopy, copied
from sightline.launch.runs.verified import checkpoint_steps, restore_latest
from sightline.objectives.errors import UsageError


@pytest.fixture(autouse=True)
def nothing_by_itself(monkeypatch):
    """Copies are uploaded where a test says so: a thread that has lost its copy asks
    the process to stop, and here that is the test's own."""
    monkeypatch.setattr(run_copy, "RENEW_SECONDS", 1e6)


STATE = {"w": jnp.arange(64.0)}
STRUCT = jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), STATE
)


def save(folder, *steps, keep=2):
    with Checkpoints(folder, keep=keep, period=1) as checkpoints:
        for step in steps:
            checkpoints.save(step, {"w": STATE["w"] + step}, {"at": step})


def restored(folder):
    found = restore_latest(folder, STRUCT)
    assert found is not None
    step, state, data = found
    assert (state["w"] == STATE["w"] + step).all() and data == {"at": step}
    return step


def serve(module, *arguments, ready):
    """Starts a fake server of the package index; skips where it is not installed."""
    pytest.importorskip(module.partition(".")[0])
    server = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urlopen(ready).close()
                break
            time.sleep(0.1)
        yield
    finally:
        server.kill()
        server.wait()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def s3():
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ready = Request(f"{url}/bucket", method="PUT")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
        }.items():
            patch.setenv(name, value)
        yield from serve("moto.server", "-p", str(port), ready=ready)


# Not gs: the fake server of the package index (gcp-storage-emulator 2026.7) gives no
# generation with what is read, compares none on a write, and lists more than was asked.
@pytest.fixture(params=["folder", "s3"])
def address(request, tmp_path, monkeypatch):
    """Of an empty copy: in a folder by TensorStore's driver for files, or a bucket."""
    monkeypatch.setattr(copy_index, "_WATCH_SECONDS", 0.05)
    monkeypatch.setattr(copy_index, "_SETTLE_SECONDS", 0.0)
    if request.param == "folder":
        spec = {"driver": "file", "path": f"{tmp_path / 'bucket'}/"}
        monkeypatch.setattr(object_store, "_spec", lambda address: spec)
        return "gs://bucket/run"
    request.getfixturevalue(request.param)
    return f"{request.param}://bucket/{tmp_path.name}"


@pytest.fixture
def store(address):
    return ObjectStore(address)


def test_a_run_goes_on_from_its_copy_in_another_folder(store, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    save(first, 1, 2, 3)
    (first / "metrics.jsonl").write_text('{"step": 3}\n')
    RunCopy(first, store).close()
    copy = RunCopy(second, store)
    assert checkpoint_steps(second / "checkpoints") == [3, 2]
    assert restored(second) == 3
    assert (second / "metrics.jsonl").read_text() == '{"step": 3}\n'
    save(second, 4)
    copy.close()
    # The first machine is back, and behind.
    RunCopy(first, store).close()
    assert restored(first) == 4


def test_old_checkpoints_leave_the_bucket_and_new_ones_are_uploaded_once(
    store, tmp_path, monkeypatch
):
    written = []
    write = store.write
    monkeypatch.setattr(
        store,
        "write",
        lambda name, content: (written.append(name), write(name, content)),
    )
    save(tmp_path / "run", 1, 2)
    copy = RunCopy(tmp_path / "run", store)
    copy.upload()
    save(tmp_path / "run", 3)
    copy.upload()
    copy.close()
    assert len(written) == len(set(written))
    folders = {n.split("/")[1] for n in store.names() if n.startswith("checkpoints/")}
    assert {name.split("-")[0] for name in folders} == {"2", "3"}


def test_what_is_saved_again_replaces_what_was_damaged(store, tmp_path):
    """Bit for bit the same state, and so the same manifest."""
    save(tmp_path / "run", 1, 2)
    for path in (tmp_path / "run" / "checkpoints" / "2" / "state").rglob("d/*"):
        path.write_bytes(bytes(path.stat().st_size))
    RunCopy(tmp_path / "run", store).close()
    with Checkpoints(tmp_path / "run", keep=1, period=1) as checkpoints:
        found = checkpoints.restore(STRUCT)
        assert found is not None and found[0] == 1
    save(tmp_path / "run", 2, keep=1)
    RunCopy(tmp_path / "run", store).close()
    uploaded = store.names()
    RunCopy(tmp_path / "other", store).close()
    assert checkpoint_steps(tmp_path / "other" / "checkpoints") == [2]
    assert restored(tmp_path / "other") == 2
    assert store.names() == uploaded  # what was fetched is not uploaded again


def test_an_upload_cut_short_leaves_the_copy_as_it_was(store, tmp_path, monkeypatch):
    monkeypatch.setattr(copy_index, "EXPIRES_SECONDS", 0.3)
    save(tmp_path / "run", 1, keep=1)
    copy = RunCopy(tmp_path / "run", store)
    copy.upload()
    save(tmp_path / "run", 2, keep=1)
    write, left = store.write, [3]

    def cut(name, content):
        left[0] -= 1
        if left[0] < 0:
            raise ObjectStoreError("the network is gone")
        write(name, content)

    monkeypatch.setattr(store, "write", cut)
    with pytest.raises(ObjectStoreError, match="network is gone"):
        copy.close()
    monkeypatch.setattr(store, "write", write)
    RunCopy(tmp_path / "other", store).close()
    assert restored(tmp_path / "other") == 1
    # What was half uploaded is gone.
    assert not [name for name in store.names() if name.startswith("checkpoints/2-")]


def test_a_copy_of_another_run_is_refused_and_stays(store, tmp_path):
    save(tmp_path / "one", 1)
    save(tmp_path / "two", 5)
    RunCopy(tmp_path / "one", store).close()
    with pytest.raises(UsageError, match="copy of another run"):
        RunCopy(tmp_path / "two", store)
    RunCopy(tmp_path / "three", store).close()
    assert restored(tmp_path / "three") == 1


def test_an_upload_is_progress_once_training_is_over(store, tmp_path, monkeypatch):
    seen, write = [], store.write

    def seeing(name, content):
        seen.append(progress.latest())
        write(name, content)

    monkeypatch.setattr(store, "write", seeing)
    save(tmp_path / "run", 1)
    copy = RunCopy(tmp_path / "run", store)
    progress.did("running step 2")
    copy.upload()
    # Else a step that is stuck would never be missed.
    assert {last.what for last in seen} == {"running step 2"}
    seen.clear()
    save(tmp_path / "run", 2)
    copy.close()
    assert seen
    for last in seen:
        assert last.what.startswith("uploading checkpoints/2-")
        assert last.times == progress.SLOW


def test_what_follows_the_fetching_may_take_as_long_as_it_needs(address, tmp_path):
    """Such as preparing a corpus, on a machine that has none."""
    progress.did("starting", times=math.inf)
    for name in ("one", "two"):
        save(tmp_path / name, *([1] if name == "one" else []))
        with copied(tmp_path / name, address):
            assert progress.latest().times == math.inf
    assert restored(tmp_path / "two") == 1


def held_elsewhere(store):
    """Makes the holder one of another machine."""
    content, generation = store.read(INDEX)
    index = json.loads(content)
    index["holder"][2] = "another machine"
    store.swap(INDEX, json.dumps(index).encode(), generation=generation)


def test_a_copy_is_taken_over_once_its_holder_is_silent(store, tmp_path, monkeypatch):
    monkeypatch.setattr(copy_index, "EXPIRES_SECONDS", 0.3)
    save(tmp_path / "run", 1)
    copy = RunCopy(tmp_path / "run", store)
    copy.upload()
    held_elsewhere(store)
    RunCopy(tmp_path / "other", store).close()
    assert restored(tmp_path / "other") == 1


def test_a_copy_whose_holder_lives_is_refused(store, tmp_path, monkeypatch):
    save(tmp_path / "run", 1)
    RunCopy(tmp_path / "run", store)
    held_elsewhere(store)
    read, times = store.read, [0]

    def beating(name, **limits):
        times[0] += 1
        content, generation = read(name, **limits)
        index = json.loads(content)
        index["beats"] += times[0]
        return json.dumps(index).encode(), generation

    monkeypatch.setattr(store, "read", beating)
    with pytest.raises(CopyLost, match="another process writes the copy"):
        RunCopy(tmp_path / "other", store)


def test_the_run_that_lost_its_copy_writes_no_more(store, tmp_path):
    save(tmp_path / "run", 1)
    copy = RunCopy(tmp_path / "run", store)
    content, generation = store.read(INDEX)
    store.swap(INDEX, content + b" ", generation=generation)
    with pytest.raises(CopyLost):
        copy.upload()
    assert store.read(INDEX)[0] == content + b" "


@pytest.mark.parametrize(
    "damage",
    [
        {"files": ["../../etc/passwd"]},
        {"files": ["/etc/passwd"]},
        {"steps": {"1": ["checkpoints/1", "0", {"../x": 1}]}},
        {"steps": None},
    ],
)
def test_an_index_cannot_lead_out_of_the_folder(damage, address, store, tmp_path):
    (tmp_path / "run").mkdir()
    RunCopy(tmp_path / "run", store).close()
    content, generation = store.read(INDEX)
    harm = json.dumps({**json.loads(content), **damage}).encode()
    store.swap(INDEX, harm, generation=generation)
    with pytest.raises(UsageError, match="is no index of a run's copy"):
        RunCopy(tmp_path / "other", store)


@pytest.mark.parametrize("address", ["gs://bucket", "gs:///run", "ftp://bucket/run"])
def test_what_is_no_folder_of_a_bucket_is_refused(address):
    with pytest.raises(UsageError, match="is no folder of a bucket"):
        ObjectStore(address)
