"""A manifest comes back as it was written; what it may say, and where that ends."""

import copy
import json

import numpy as np
import pytest

from sightline.models.rows import encoder_decoder_rows
from sightline.objectives.errors import UsageError
from sightline.objectives.registry import CAPACITY, get
from sightline.tasks.recorded.identity import digest_of
from sightline.tasks.recorded.manifest import (
    GroupRows,
    Manifest,
    Shard,
    by_objective,
    read_manifest,
)

pytestmark = pytest.mark.unchecked

RECIPE = {
    "layout": "mixed",
    "seed": 3,
    "rows": {"decoder": [8, 4], "encoder": [16, 2]},
    "most_position": 24,
    "vocabulary": {"size": 300, "sha256": "v"},
    "tasks": {"policies.causal": {"share": 1.0, "settings": {}}},
}


def shard(name, rows=5, edges="e" * 64):
    return Shard(f"{name}-00000.array_record", rows, 700, "a" * 64, edges)


def group(name, split, *shards, examples=12):
    counts = {"causal": examples, "masked": 2}
    rows = sum(one.rows for one in shards)
    return GroupRows(name, split, rows, counts, {"causal": 40}, {}, 1, shards)


MANIFEST = Manifest(
    RECIPE,
    (
        group("mixed", "train", shard("train-mixed"), shard("train-more", rows=2)),
        group("policies.causal", "validation", shard("validation-x:y.causal")),
    ),
    "Mixture.name = 'é'",
)


def rewritten(folder, change):
    """The manifest with a change, and digests that fit it again."""
    folder.mkdir(exist_ok=True)
    MANIFEST.write(folder)
    body = json.loads((folder / "manifest.json").read_text())
    del body["digest"]
    change(body)
    own = {k: v for k, v in body.items() if k not in ("gin", "identity", "edges")}
    body["identity"] = digest_of(own)
    body["digest"] = digest_of(body)
    (folder / "manifest.json").write_text(json.dumps(body))
    return folder


def test_it_comes_back_as_it_was_written(tmp_path):
    MANIFEST.write(tmp_path)
    found = read_manifest(tmp_path)
    assert found == MANIFEST and found.identity == MANIFEST.identity
    assert [one.name for one in found.of_split("train")] == ["mixed"]
    assert found.groups[0].examples_a_row == 2  # 14 Examples in 7 rows
    assert group("none", "train", examples=-2).examples_a_row == 0
    assert found.row_format.shape == encoder_decoder_rows(
        slots=8, predictions=4, memory_slots=16, memory_predictions=2
    )


def test_edges_and_gin_are_no_part_of_what_a_recording_is(tmp_path):
    """So recordings of earlier versions, which have no edges, stay the same ones."""

    def earlier(body):
        del body["edges"]
        body["gin"] = "other"

    found = read_manifest(rewritten(tmp_path, earlier))
    assert found.identity == MANIFEST.identity and found.gin == "other"
    assert {one.edges for each in found.groups for one in each.shards} == {None}


def put(*path):
    """A function that puts a value at a place of the manifest's JSON."""

    def change(value):
        def put_there(body):
            for key in path[:-1]:
                body = body[key]
            body[path[-1]] = copy.deepcopy(value)

        return put_there

    return change


PLACES = {
    "decoder": put("recipe", "rows", "decoder"),
    "position": put("recipe", "most_position"),
    "size": put("recipe", "vocabulary", "size"),
    "share": put("recipe", "tasks", "policies.causal", "share"),
    "seed": put("recipe", "seed"),
    "bytes": put("groups", 0, "shards", 0, "bytes"),
    "count": put("groups", 0, "examples", "causal"),
    "name": put("groups", 0, "shards", 0, "name"),
    "split": put("groups", 0, "split"),
}
SCHEMA = ("decoder", "position", "size")
"""The row's fields follow from these."""


@pytest.mark.parametrize(
    ("place", "good", "bad", "message"),
    [
        ("decoder", [8, 8], [8, 9], "9 is no count"),
        ("decoder", [1, 1], [1, 0], "0 is no count"),
        ("decoder", [2**24, 1], [2**24 + 1, 1], f"{2**24 + 1} is no count"),
        ("position", 0, -1, "-1 is no count"),
        ("position", 2**31 - 1, 2**31, f"{2**31} is no count"),
        ("size", 1, 0, "0 is no count"),
        ("size", 2**31 - 1, 2**31, f"{2**31} is no count"),
        ("share", 1, 1.01, "a share of 1.01"),
        ("share", 1e-9, 0, "a share of 0"),
        ("seed", 0, -1, "-1 is no count"),
        ("seed", 2**62, 2**62 + 1, f"{2**62 + 1} is no count"),
        ("bytes", 0, 1.0, "1.0 is no count"),
        ("count", 0, "7", "'7' is no count"),
        ("name", "a:B_1.-00000.array_record", ".x-00000.array_record", "no name of"),
        ("name", "a-123456.array_record", "a-0000.array_record", "no name of a shard"),
        ("name", f"{'a' * 200}-00000.array_record", f"{'a' * 201}-00000.array_record",
         "no name of a shard"),
        ("split", "train", 7, "7 is no text"),
    ],
)  # fmt: skip
def test_numbers_and_names_have_ends(tmp_path, place, good, bad, message):
    def change(value):
        def apply(body):
            PLACES[place](value)(body)
            if place == "name":
                first = body["groups"][0]["shards"][0]["name"]
                body["edges"] = {**body["edges"], first: "e" * 64}
            if place in SCHEMA:
                try:
                    format_ = Manifest(body["recipe"], (), "").row_format
                    body["schema"] = [list(field) for field in format_.fields()]
                except StopIteration:  # no type holds so much
                    pass

        return apply

    found = read_manifest(rewritten(tmp_path / "good", change(good)))
    assert len(found.groups) == 2
    with pytest.raises(UsageError, match=f"manifest.json is damaged: .*{message}"):
        read_manifest(rewritten(tmp_path / "bad", change(bad)))


def test_a_recording_that_was_begun_is_told_from_none(tmp_path):
    with pytest.raises(UsageError, match="give the folder that `sightline record"):
        read_manifest(tmp_path)
    (tmp_path / ".work").mkdir()
    with pytest.raises(UsageError, match="begun there and not finished; run the same"):
        read_manifest(tmp_path)


def test_a_manifest_elsewhere_is_not_followed(tmp_path):
    MANIFEST.write(tmp_path)
    link = tmp_path / "copy"
    link.mkdir()
    (link / "manifest.json").symlink_to(tmp_path / "manifest.json")
    with pytest.raises(UsageError, match=r"it has no manifest\.json"):
        read_manifest(link)


def test_counts_are_named_by_their_objectives():
    values = np.zeros(CAPACITY, np.int64)
    values[[get("masked").id, get("causal").id]] = 7, 2
    assert by_objective(values) == {"masked": 7, "causal": 2}
