"""Recording: the same rows for any workers and any number of kills."""

import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import threading
import time

import numpy as np
import pytest

from sightline.objectives.errors import UsageError
from sightline.objectives.registry import get
from sightline.tasks.examples.example_stream import split_documents, task_examples
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.unchanged import require_unchanged
from sightline.tasks.recorded import examples_of_part, parts
from sightline.tasks.recorded.manifest import read_manifest
from sightline.tasks.recorded.parts import WORK
from sightline.tasks.recorded.recipe import Recipe
from sightline.tasks.recorded.record import record
from sightline.tasks.recorded.serve import Recording
from sightline.tasks.recorded.workers import WorkerError, done_in_processes
from sightline.tasks.rows.layout import layout
from sightline.tasks.shares.counts import count
from sightline.tasks.tokens.vocabulary import vocabulary

from .conftest import RATES, ROWS, NoShow, make, small_recipe

pytestmark = pytest.mark.unchecked


def checksums(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def test_five_workers_make_the_files_of_one(recordings, tmp_path):
    folder, recipe = recordings["mixed"]
    make(recipe, tmp_path / "again", workers=5)
    assert checksums(tmp_path / "again") == checksums(folder)


def test_ten_kills_change_nothing(recordings, tmp_path):
    folder, recipe = recordings["mixed"]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sightline.tasks.recorded.record"])
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    out = tmp_path / "killed"
    killed, begun = 0, time.monotonic()
    while killed < 10 and time.monotonic() - begun < 60:
        process = context.Process(target=make, args=(recipe, out))
        process.start()
        while not (out / WORK).exists() and process.is_alive():
            time.sleep(0.001)
        process.join(rng.uniform(0, 0.15))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.join()
        if (out / "manifest.json").exists():  # it was faster: begin anew
            assert checksums(out) == checksums(folder)
            shutil.rmtree(out)  # with WORK, if it was killed at the very end
    assert killed == 10
    make(recipe, out)
    assert checksums(out) == checksums(folder)


def test_a_killed_worker_is_an_error_that_names_its_part(recordings, tmp_path):
    folder, recipe = recordings["mixed"]
    out = tmp_path / "out"

    def kill():
        while not (children := multiprocessing.active_children()):
            time.sleep(0.01)
        os.kill(children[0].pid, signal.SIGKILL)

    threading.Thread(target=kill).start()
    with pytest.raises(WorkerError, match="status -9 at tokens of policies:"):
        make(recipe, out, workers=2)
    make(recipe, out, workers=2)
    assert checksums(out) == checksums(folder)


def test_a_damaged_shard_is_made_again(recordings, tmp_path, monkeypatch):
    folder, recipe = recordings["mixed"]
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("sightline.tasks.recorded.record.Manifest.write", _fail)
        with pytest.raises(KeyboardInterrupt):
            make(recipe, out)
    assert not (out / "manifest.json").exists()
    shard = out / "train-mixed-00001.array_record"
    content = bytearray(shard.read_bytes())
    content[len(content) // 3] ^= 1
    shard.write_bytes(content)
    make(recipe, out)
    assert checksums(out) == checksums(folder)


@pytest.mark.parametrize("size", [0, 40, 200])
def test_damaged_tokens_are_made_again(recordings, tmp_path, monkeypatch, size):
    folder, recipe = recordings["mixed"]
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("sightline.tasks.recorded.record.Manifest.write", _fail)
        with pytest.raises(KeyboardInterrupt):
            make(recipe, out)
    for shard in out.glob("*.array_record"):
        shard.unlink()
    arrays = sorted((out / WORK).rglob("*.npy"))
    assert arrays
    for array in arrays:
        array.write_bytes(array.read_bytes()[:size])
    make(recipe, out)
    assert checksums(out) == checksums(folder)


def _fail(self, folder):
    del self, folder
    raise KeyboardInterrupt


def test_rates_hold_to_the_example_and_windows_come_once_a_pass(recordings):
    folder, recipe = recordings["mixed"]
    (group,) = read_manifest(folder).of_split("train")
    total = sum(group.examples.values())
    for task, share in recipe.mixture.task_shares().items():
        name = get(task.partition(".")[2]).base
        assert abs(group.examples[name] - share * total) <= 1


@pytest.mark.parametrize("name", ["causal", "masked"])
def test_a_group_of_one_task_holds_the_examples_of_a_pass(recordings, name):
    folder, recipe = recordings["per_objective"]
    recording = Recording(folder)
    group = next(
        g for g in recording.manifest.of_split("train") if g.name == f"policies.{name}"
    )
    documents = split_documents(recipe.mixture, "train")["policies"]
    theirs = task_examples(
        recipe.mixture, group.name, recipe.rows, documents=documents, seed=3, epochs=1
    )
    bos = vocabulary("policies").special_ids.bos
    placed = map(layout(recipe.rows, bos=bos), theirs)
    expected = sorted(example.decoder.tokens.tobytes() for example in placed)
    assert segments(recording.rows(group, range(group.rows)).decoder) == expected


def segments(stream):
    found = []
    for tokens, ids in zip(stream.tokens, stream.segment_ids, strict=True):
        found += [tokens[ids == n].tobytes() for n in range(1, ids.max() + 1)]
    return sorted(found)


def test_passes_make_new_examples_of_the_same_windows(tmp_path):
    once = make(small_recipe({"masked": 1}), tmp_path / "once")
    twice = make(small_recipe({"masked": 1}, passes=2), tmp_path / "twice")
    first, second = (m.of_split("train")[0] for m in (once, twice))
    assert second.examples["masked"] == 2 * first.examples["masked"]
    found = segments(
        Recording(tmp_path / "twice").rows(second, range(second.rows)).decoder
    )
    assert len(set(found)) > 0.9 * len(found)


def test_rows_that_are_asked_for_are_the_fewest_parts_that_hold_them(tmp_path):
    manifest = make(small_recipe(row_count=150), tmp_path / "out")
    (group,) = manifest.of_split("train")
    assert group.rows >= 150 > group.rows - group.shards[-1].rows
    files = {path.name for path in (tmp_path / "out").glob("*.array_record")}
    assert files == {s.name for g in manifest.groups for s in g.shards}


def test_windows_without_an_example_are_replaced_and_counted(tmp_path, monkeypatch):
    original = examples_of_part.window_examples

    def some(objective, documents, places, *, epoch, **kwargs):
        places = list(places)
        for number, example in original(
            objective, documents, places, epoch=epoch, **kwargs
        ):
            odd_window = places[number][2] % 2
            if not (odd_window and objective.name == "masked" and epoch < 2**32):
                yield number, example

    monkeypatch.setattr(examples_of_part, "window_examples", some)
    rates = {"causal": 1, "masked": 1}
    (group,) = make(small_recipe(rates), tmp_path / "mixed").of_split("train")
    assert group.without_example > 10
    assert abs(group.examples["causal"] - group.examples["masked"]) <= 1


def test_another_config_is_refused_with_the_difference(recordings, tmp_path):
    folder, recipe = recordings["mixed"]
    other = small_recipe(seed=4, policies={"train_documents": 21})
    with pytest.raises(UsageError, match=r"(?s)train_documents: 20, now 21.*seed: 3"):
        make(other, folder)
    assert make(recipe, folder).identity == read_manifest(folder).identity
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        make(recipe, tmp_path)


def test_the_order_in_which_rates_are_written_does_not_matter(recordings, tmp_path):
    folder, _ = recordings["mixed"]
    manifest = make(small_recipe(dict(reversed(RATES.items()))), tmp_path / "out")
    assert manifest.identity == read_manifest(folder).identity


def test_an_encoder_decoder_is_recorded_too(tmp_path):
    recipe = small_recipe(architecture="encoder_decoder")
    manifest = make(recipe, tmp_path / "out")
    recording = Recording(tmp_path / "out")
    (group,) = manifest.of_split("train")
    batch = recording.rows(group, range(group.rows))
    assert batch.encoder is not None and batch.memory is not None
    assert batch.encoder.tokens.shape == (group.rows, 64)
    assert batch.decoder.targets.shape == (group.rows, 48)
    assert count(batch).examples.sum() == sum(group.examples.values())
    assert np.all(batch.memory.memory_to <= 64)
    assert ROWS["encoder_decoder"] == manifest.row_format.shape


def test_a_copy_elsewhere_is_the_same_recording(recordings):
    folder, _ = recordings["mixed"]
    text = (folder / "manifest.json").read_text()
    assert str(folder) not in text and os.environ["SIGHTLINE_DATA_DIR"] not in text


def test_text_that_changes_before_it_is_tokenised_is_refused(tmp_path):
    texts, out = tmp_path / "texts", tmp_path / "out"
    texts.mkdir()
    for number in range(3):
        (texts / f"{number}.txt").write_text("A document of a folder. " * 9)
    mixture = Mixture(
        "m",
        {"text.causal": 1},
        vocabulary="policies",
        settings={"text": {"folder": str(texts)}},
    )

    def changing(make_maker, jobs):
        (texts / "0.txt").write_text("Another document. " * 9)
        yield from done_in_processes(make_maker, jobs, workers=1)

    recipe = Recipe(mixture, ROWS["decoder"], seed=0)
    with pytest.raises(UsageError, match="corpus text changed since the run began"):
        record(recipe, out, runner=changing, show=NoShow())
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize("found", ["by a worker", "at the end"])
def test_tokens_of_arrow_files_that_change_are_not_kept(tmp_path, monkeypatch, found):
    """They are mapped, so what is open changes with them."""
    pa = pytest.importorskip("pyarrow")
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    texts = pa.table({"text": ["The same old words of the text. " * 9] * 5})
    for split in ("train", "validation"):
        folder = tmp_path / "set" / split
        folder.mkdir(parents=True)
        with pa.OSFile(str(folder / "data.arrow"), "wb") as file:
            with pa.ipc.new_stream(file, texts.schema) as stream:
                stream.write_table(texts)
        state = '{"_data_files": [{"filename": "data.arrow"}], "_split": null}'
        (folder / "state.json").write_text(state)
    splits = '{"splits": ["train", "validation"]}'
    (tmp_path / "set" / "dataset_dict.json").write_text(splits)
    recipe = Recipe(
        Mixture(
            "m",
            {"hf_dataset.causal": 1},
            vocabulary="policies",
            settings={"hf_dataset": {"folder": str(tmp_path / "set")}},
        ),
        ROWS["decoder"],
        seed=0,
    )
    expected = make(recipe, tmp_path / "expected")
    file = tmp_path / "set" / "train" / "data.arrow"
    before = file.read_bytes()

    def rewrite(content):
        with file.open("r+b") as opened:  # in place, as the mapping sees it
            opened.write(content)

    def change_once_opened(mixture, identities):
        if found == "by a worker":
            require_unchanged(mixture, identities)
        rewrite(before.replace(b"old", b"new"))

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(parts, "require_unchanged", change_once_opened)
        with pytest.raises(UsageError, match="corpus hf_dataset changed since"):
            make(recipe, out)
    assert (out / WORK).is_dir() and not list((out / WORK).glob("*.npy"))
    rewrite(before)
    assert make(recipe, out) == expected
    assert checksums(out) == checksums(tmp_path / "expected")


@pytest.mark.parametrize("scope", ["größe", "x" * 174])
@pytest.mark.parametrize("layout", ["mixed", "per_objective"])
def test_a_name_that_no_manifest_may_hold_is_refused_at_once(scope, layout):
    variant = f"{scope}/causal"
    mixture = Mixture("m", {f"policies.{variant}": 1}, settings={variant: {}})
    with pytest.raises(UsageError, match=f"'policies.{variant}' cannot be recorded"):
        Recipe(mixture, ROWS["decoder"], seed=0, layout=layout)


@pytest.mark.parametrize("length", [1, 173])
def test_every_name_that_is_recorded_is_read(tmp_path, length):
    variant = f"{'x' * length}/causal"
    rates, settings = {f"policies.{variant}": 1}, {variant: {}}
    settings["policies"] = {"train_documents": 9, "validation_documents": 2}
    mixture = Mixture("m", rates, settings=settings, vocabulary="policies")
    made = make(Recipe(mixture, ROWS["decoder"], seed=0), tmp_path / "rows")
    assert read_manifest(tmp_path / "rows") == made
