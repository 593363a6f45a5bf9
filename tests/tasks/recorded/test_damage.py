"""Damage of every kind to a recording is found, and the file is named."""

import json
import shutil

import numpy as np
import pytest
from array_record.python.array_record_module import ArrayRecordReader, ArrayRecordWriter

from sightline.objectives.errors import UsageError
from sightline.tasks.files import sha256_of, sha256_of_edges
from sightline.tasks.recorded.check import check
from sightline.tasks.recorded.identity import digest_of
from sightline.tasks.recorded.manifest import read_manifest
from sightline.tasks.recorded.parts import OPTIONS
from sightline.tasks.recorded.serve import Recording

pytestmark = pytest.mark.unchecked

SHARD = "train-mixed-00000.array_record"


@pytest.fixture
def copy(recordings, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(recordings["mixed"][0], folder)
    return folder


def checked(folder):
    sizes = []
    check(folder, checked=sizes.append)
    return sum(sizes)


def edit(folder, change):
    """Changes the manifest as somebody who knows about its digests would."""
    body = json.loads((folder / "manifest.json").read_text())
    del body["digest"]
    change(body)
    body["identity"] = digest_of(
        {k: body[k] for k in body if k not in ("gin", "identity", "edges")}
    )
    body["digest"] = digest_of(body)
    (folder / "manifest.json").write_text(json.dumps(body))


def test_a_sound_recording_is_read_to_the_last_byte(copy):
    assert checked(copy) == sum(f.stat().st_size for f in copy.glob("*.array_record"))


@pytest.mark.parametrize(
    "harm",
    [
        lambda shard: shard.unlink(),
        lambda shard: shard.write_bytes(b""),
        lambda shard: shard.write_bytes(shard.read_bytes()[:-1]),
        lambda shard: shard.write_bytes(shard.read_bytes()[: 2**16]),
        lambda shard: (shard.rename(shard.with_suffix(".b")), _link(shard)),
    ],
    ids=["missing", "empty", "one byte short", "truncated", "link"],
)
def test_a_shard_of_another_size_is_found_when_it_is_opened(copy, harm):
    harm(copy / SHARD)
    with pytest.raises(UsageError, match=rf"{SHARD} is damaged"):
        Recording(copy)


def _link(shard):
    shard.symlink_to(shard.with_suffix(".b"))


def test_every_flipped_bit_is_found(copy):
    shard = copy / SHARD
    content = shard.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(len(content), size=12).tolist():
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        shard.write_bytes(flipped)
        with pytest.raises(UsageError, match=rf"{SHARD} is damaged"):
            checked(copy)


def test_a_flipped_bit_of_a_row_is_found_when_it_is_served(copy):
    recording = Recording(copy)
    (group,) = recording.manifest.of_split("train")
    shard = copy / SHARD
    content = bytearray(shard.read_bytes())
    used = np.flatnonzero(np.frombuffer(content, np.uint8))
    content[used[len(used) // 2]] ^= 16
    shard.write_bytes(content)
    edges = sha256_of_edges(shard)
    edit(copy, lambda body: body["edges"].update({SHARD: edges}))
    recording = Recording(copy)
    with pytest.raises(UsageError, match=rf"{SHARD} is damaged: rows"):
        recording.rows(group, range(group.shards[0].rows))


@pytest.mark.parametrize("version", ["with edges", "earlier"])
def test_shards_that_changed_places_are_refused_before_a_row_is_served(copy, version):
    one, other = sorted(copy.glob("train-mixed-*"))[:2]
    rows = [_records(path)[:9] for path in (one, other)]
    for path, few in zip((one, other), rows, strict=True):
        writer = ArrayRecordWriter(str(path), OPTIONS)
        for row in few:
            writer.write(row)
        writer.close()

    def change(body):
        group = body["groups"][0]
        for path, shard in zip((one, other), group["shards"], strict=False):
            shard.update(rows=9, bytes=path.stat().st_size, sha256=sha256_of(path))
            body["edges"][path.name] = sha256_of_edges(path)
        group["rows"] = sum(shard["rows"] for shard in group["shards"])
        if version == "earlier":
            del body["edges"]

    edit(copy, change)
    group = read_manifest(copy).groups[0]
    assert len(Recording(copy).rows(group, [0, 9]).decoder.tokens) == 2
    one.rename(copy / "kept")
    other.rename(one)
    (copy / "kept").rename(other)
    recording = Recording(copy)
    with pytest.raises(UsageError, match=rf"{other.name} is damaged: it is not the"):
        recording.rows(group, [10])


def test_a_surplus_shard_is_found(copy):
    shutil.copy(copy / SHARD, copy / "train-mixed-00099.array_record")
    with pytest.raises(UsageError, match=r"00099.array_record is no part of"):
        checked(copy)


@pytest.mark.parametrize("id_", [-1, 60_000])
def test_an_id_outside_the_vocabulary_names_shard_and_row(copy, id_):
    manifest = read_manifest(copy)
    shard, row_format = copy / SHARD, manifest.row_format
    rows = np.frombuffer(b"".join(_records(shard)), row_format.dtype()).copy()
    rows["decoder.targets"][5, 0] = np.int64(id_).astype(np.uint16)
    writer = ArrayRecordWriter(str(shard), OPTIONS)
    for row in rows:
        writer.write(row.tobytes())
    writer.close()

    def change(body):
        first = body["groups"][0]["shards"][0]
        first["bytes"], first["sha256"] = shard.stat().st_size, sha256_of(shard)
        body["edges"][SHARD] = sha256_of_edges(shard)

    edit(copy, change)
    with pytest.raises(UsageError, match=rf"row 5 of .*{SHARD} .*decoder.targets"):
        checked(copy)


def _records(shard):
    return ArrayRecordReader(str(shard), "max_parallelism:0").read_all()


def first_shard(body):
    return body["groups"][0]["shards"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.update(format=2), "format 2; this version"),
        (lambda b: first_shard(b).update(name="../x-00000.array_record"), "no name"),
        (lambda b: first_shard(b).update(name="/tmp/x-00000.array_record"), "no name"),
        (lambda b: first_shard(b).update(rows=-1), "no count"),
        (lambda b: first_shard(b).update(rows=True), "no count"),
        (lambda b: first_shard(b).update(rows=1), "other rows than its shards"),
        (lambda b: first_shard(b).update(sha256="x"), "'x' is no sha256"),
        (lambda b: b["edges"].popitem(), "KeyError"),
        (lambda b: b["edges"].update({SHARD: "x"}), "'x' is no sha256"),
        (lambda b: b["schema"].pop(), "schema"),
        (lambda b: b["recipe"]["rows"].update(decoder=[2**40, 1]), "no count"),
        (lambda b: b["recipe"].update(layout="other"), "no layout"),
        (lambda b: b.update(groups=7), "TypeError"),
        (lambda b: b["recipe"].pop("vocabulary"), "KeyError"),
        (lambda b: b["groups"].append(b["groups"][0]), "a shard twice"),
    ],
)
def test_a_manifest_is_untrusted(copy, change, message):
    edit(copy, change)
    with pytest.raises(UsageError, match=message):
        read_manifest(copy)


def test_a_manifest_that_somebody_touched_is_refused(copy):
    path = copy / "manifest.json"
    for content in (b"", b"[]", b"[" * 100_000, path.read_bytes()[:-9]):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"manifest.json is (damaged|of format)"):
            read_manifest(copy)
    path.unlink()
    with pytest.raises(UsageError, match="holds no recording"):
        read_manifest(copy)


def test_counts_that_the_rows_do_not_have_are_found(copy):
    edit(copy, lambda body: body["groups"][0]["examples"].update(causal=1))
    with pytest.raises(UsageError, match="train mixed have examples"):
        checked(copy)
