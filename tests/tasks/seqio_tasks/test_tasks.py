import os
import subprocess
import sys

import numpy as np
import pytest
import seqio
import tensorflow as tf

from sightline.objectives import registry
from sightline.objectives.example import Example
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.seqio_tasks.tasks import (
    StrictMixture,
    objective_task,
    seqio_mixture,
    to_example,
)
from sightline.tasks.tokens import tokenised_documents
from sightline.tasks.tokens.tokenised_documents import CorpusTokens, TokenisedDocuments
from sightline.tasks.tokens.vocabulary import vocabulary

OBJECTIVES = tuple(registry.objectives())
LENGTHS = [3, 40, 11, 64, 65, 25, 90, 1, 33, 70, 18, 55, 47, 29]
SHORT = {"slots": 24}


@pytest.fixture(scope="module")
def corpus(small_corpus):
    return small_corpus(LENGTHS)


@pytest.fixture(scope="module")
def make_task(corpus):
    def make(name: str, **settings):
        bound = registry.get(name).with_settings(**settings)
        return objective_task(CorpusTokens(corpus, vocabulary("bytes")), bound)

    return make


def read(provider, **options):
    options = {"sequence_length": SHORT, "split": "train", "seed": 5, **options}
    return list(provider.get_dataset(**options).as_numpy_iterator())


def by_id(elements):
    """Elements as comparable tuples, by (epoch, document, window)."""
    found = {
        tuple(e["example_id"].tolist()): tuple(e[f].tobytes() for f in Example._fields)
        for e in elements
    }
    assert len(found) == len(elements)
    return found


def order(elements):
    return [tuple(e["example_id"][1:].tolist()) for e in elements]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_any_registered_task_gives_examples_of_its_objective(name):
    task = seqio.get_mixture_or_task(f"python_docs.{name}")
    dataset = task.get_dataset(
        sequence_length={"slots": 64}, split="validation", seed=0, num_epochs=1
    )
    for feature, spec in task.output_features.items():
        assert dataset.element_spec[feature].dtype == spec.dtype
        assert dataset.element_spec[feature].shape.rank == spec.rank == 1
    elements = list(dataset.take(50).as_numpy_iterator())
    for example in map(to_example, elements):
        assert example.objective == registry.get(name).id
        assert len(example.inputs) == len(example.inputs_weights)
        assert len(example.targets) == len(example.targets_positions)
        assert 0 < len(example.inputs) + len(example.targets) <= 64


@pytest.mark.parametrize("name", ["masked", "permuted", "sentence_pair"])
def test_examples_do_not_depend_on_order_or_shards(make_task, name):
    task = make_task(name)
    whole = by_id(read(task))
    assert by_id(read(task, shuffle=False)) == whole
    parts = [
        by_id(read(task, shard_info=seqio.ShardInfo(index=i, num_shards=3)))
        for i in range(3)
    ]
    documents = [{key[1] for key in part} for part in parts]
    assert sum(map(len, documents)) == len(set().union(*documents))
    assert {k: v for part in parts for k, v in part.items()} == whole


def test_every_token_of_every_document_is_used_once(make_task, corpus):
    words = vocabulary("bytes")
    elements = read(make_task("causal"), shuffle=False)
    texts: dict[int, list[int]] = {}
    for element in elements:
        assert len(element["targets"]) <= 24
        texts.setdefault(int(element["example_id"][1]), []).extend(element["targets"])
    for index, text in enumerate(corpus.documents("train")):
        assert texts[index] == words.encode_document(text).tolist()


def test_documents_too_short_for_an_objective_are_dropped(make_task):
    smallest = registry.get("sentence_pair").smallest()
    used = {document for document, _ in order(read(make_task("sentence_pair")))}
    assert used == {n for n, size in enumerate(LENGTHS) if size + 1 >= smallest}
    assert len(used) < len(LENGTHS)


def test_without_sequence_length_a_document_is_one_window(make_task):
    elements = read(make_task("causal"), sequence_length=None)
    assert sorted(len(e["targets"]) for e in elements) == sorted(
        size + 1 for size in LENGTHS
    )
    refusing = make_task("sentence_pair", max_tokens=50)
    with pytest.raises(ValueError, match="does not take a whole document of"):
        read(refusing, sequence_length=None)


def test_masks_and_order_renew_each_epoch_and_repeat_with_the_seed(make_task):
    task = make_task("masked")
    elements = read(task, num_epochs=2)
    half = len(elements) // 2
    first, second = elements[:half], elements[half:]
    assert {int(e["example_id"][0]) for e in first} == {0}
    assert {int(e["example_id"][0]) for e in second} == {1}
    assert sorted(order(first)) == sorted(order(second))
    assert order(first) != order(second)
    masks = {key[1:]: value for key, value in by_id(first).items()}
    again = {key[1:]: value for key, value in by_id(second).items()}
    renewed = [key for key in masks if masks[key] != again[key]]
    assert len(renewed) > len(masks) / 2

    repeated = read(task, num_epochs=2)
    assert order(repeated) == order(elements) and by_id(repeated) == by_id(elements)
    other = read(task, num_epochs=2, seed=6)
    assert order(other) != order(elements) and by_id(other) != by_id(elements)


def test_an_endless_dataset_goes_on_into_further_epochs(make_task):
    dataset = make_task("causal").get_dataset(
        sequence_length=SHORT, split="train", seed=1, num_epochs=None
    )
    size = len(read(make_task("causal")))
    epochs = [
        int(e["example_id"][0]) for e in dataset.take(3 * size).as_numpy_iterator()
    ]
    assert epochs == [0] * size + [1] * size + [2] * size


def test_windows_are_shuffled_over_the_whole_epoch(make_task):
    """Those of one document are as far apart as any, and no two tasks' are alike."""
    read_order = order(read(make_task("causal")))
    where = {key: place for place, key in enumerate(read_order)}
    pairs = [
        abs(where[document, window] - where[document, window + 1])
        for document, window in where
        if (document, window + 1) in where
    ]
    assert np.mean(pairs) > len(where) / 5  # a third in a random order
    assert sum(gap == 1 for gap in pairs) < len(pairs) / 3
    assert order(read(make_task("masked"))) != read_order
    with pytest.raises(ValueError, match="shuffle_buffer_size is 3, but the windows"):
        read(make_task("causal"), shuffle_buffer_size=3)


def test_in_the_order_of_the_text_nothing_is_shuffled(make_task):
    found = order(read(make_task("causal"), shuffle=False))
    assert found == sorted(found)


def test_two_tasks_read_documents_in_different_orders(make_task):
    causal, masked = (
        [document for document, _ in order(read(make_task(name)))]
        for name in ("causal", "masked")
    )
    assert list(dict.fromkeys(causal)) != list(dict.fromkeys(masked))


def test_document_order_is_uniform(make_task):
    source = make_task("causal").source
    seeds = tf.data.Dataset.range(400)
    firsts = seeds.flat_map(lambda seed: source.get_dataset("train", seed=seed).take(1))
    drawn = [int(first["document"]) for first in firsts.as_numpy_iterator()]
    counts = np.bincount(drawn, minlength=len(LENGTHS))
    assert counts.min() > 8 and counts.max() < 60  # 29 each are expected


def test_no_seed_is_a_fresh_seed(make_task):
    task = make_task("masked")
    assert by_id(read(task, seed=None)) != by_id(read(task, seed=None))


def test_another_document_is_never_the_same_one(small_corpus):
    words = vocabulary("bytes")
    documents = TokenisedDocuments(small_corpus([10, 20, 30]), "train", words)
    rng = np.random.default_rng(0)
    sizes = [len(documents.others(1)(rng)) for _ in range(60)]
    assert set(sizes) == {11, 31}
    assert 15 < sizes.count(11) < 45
    alone = TokenisedDocuments(small_corpus([10]), "train", words)
    np.testing.assert_array_equal(alone.others(0)(rng), [words.special_ids.eos])


def test_documents_are_kept_as_far_as_there_is_room(small_corpus, monkeypatch):
    monkeypatch.setattr(tokenised_documents, "CACHED_TOKENS", 35)
    documents = TokenisedDocuments(
        small_corpus([10, 20, 30]), "train", vocabulary("bytes")
    )
    first = [documents[n] for n in range(3)]
    again = [documents[n] for n in range(3)]
    assert [a is b for a, b in zip(first, again, strict=True)] == [True, True, False]
    np.testing.assert_array_equal(first[2], again[2])


def test_a_mixture_carries_settings_vocabulary_and_rates():
    mixture = Mixture(
        "m",
        {"python_docs.causal": 1, "python_docs.masked": 3, "python_docs.permuted": 0},
        settings={"masked": {"rate": 0.4}},
        vocabulary="bytes",
    )
    dataset = seqio_mixture(mixture).get_dataset({"slots": 64}, "validation", seed=0)
    elements = list(dataset.take(400).as_numpy_iterator())
    examples = [to_example(element) for element in elements]
    masked = [e for e in examples if e.objective == registry.get("masked").id]
    assert 0.65 < len(masked) / len(examples) < 0.85
    full = [e for e in masked if len(e.inputs) == 64]
    assert full and all(e.inputs_weights.sum() == round(0.4 * 64) for e in full)
    assert max(max(e.inputs, default=0) for e in examples) < vocabulary("bytes").size


def test_missing_splits_and_hopeless_lengths_are_errors(make_task):
    task = make_task("causal")
    with pytest.raises(ValueError, match="no split 'test'; valid: train, validation"):
        task.get_dataset(SHORT, split="test")
    mixture = StrictMixture("m", [(task, 1.0)])
    with pytest.raises(
        ValueError, match=r"'small.causal' .* 'test'; its splits: train"
    ):
        mixture.get_dataset(SHORT, split="test")
    with pytest.raises(ValueError, match="did you mean 'slots'"):
        task.get_dataset({"slot": 24})
    with pytest.raises(ValueError, match="no Example of 'span_corruption'"):
        make_task("span_corruption").get_dataset({"slots": 2})
    with pytest.raises(ValueError, match=r"a task changed by Task\.replace"):
        task.replace(name="copy").get_dataset(SHORT, split="train")


def test_seqio_sees_the_vocabulary_as_its_own():
    words = seqio.get_mixture_or_task("python_docs.causal").output_features["targets"]
    text = "Return the <mask> of 12 things.\n\nMore."
    ids = words.vocabulary.encode(text)
    assert words.vocabulary.encode_tf(tf.constant(text)).numpy().tolist() == ids
    assert words.vocabulary.decode([*ids, words.vocabulary.eos_id, 5]) == text + "<eos>"
    decoded = words.vocabulary.decode_tf(tf.constant([ids, ids])).numpy()
    assert [row.decode() for row in decoded] == [text, text]
    assert words.vocabulary.vocab_size == vocabulary("python_docs").size


def test_a_process_with_an_endless_dataset_under_way_ends_well(data_dir):
    code = (
        "import seqio, sightline.tasks.seqio_tasks.tasks\n"
        "task = seqio.get_mixture_or_task('python_docs.span_corruption')\n"
        "data = task.get_dataset({'slots': 64}, 'train', seed=0, num_epochs=None)\n"
        "iterator = data.as_numpy_iterator()\n"
        "for _ in range(700): next(iterator)\n"
    )
    environment = {**os.environ, "SIGHTLINE_DATA_DIR": str(data_dir)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, timeout=100)
    assert done.returncode == 0
