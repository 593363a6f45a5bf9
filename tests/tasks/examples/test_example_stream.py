"""Examples without SeqIO: those that SeqIO's tasks make, in another order."""

import itertools
from collections import Counter

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.errors import UsageError
from sightline.tasks.examples import task_windows
from sightline.tasks.examples.example_stream import (
    mixed_examples,
    split_documents,
    task_examples,
)
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.sample_examples import draw

ROWS = decoder_rows(slots=48, predictions=48)
SMALL = {"train_documents": 6, "validation_documents": 3, "most_sections": 5}


def mixture(rates, **settings):
    return Mixture("m", rates, vocabulary="policies", settings={"policies": SMALL})


def as_bytes(example):
    return tuple(np.asarray(value).tobytes() for value in example)


@pytest.mark.parametrize("name", ["causal", "masked", "sentence_pair"])
def test_each_example_is_the_one_that_seqio_makes(name):
    from sightline.tasks.rows.layout import sequence_length
    from sightline.tasks.seqio_tasks.tasks import seqio_mixture, to_example

    mixed = mixture({f"policies.{name}": 1})
    (task,) = seqio_mixture(mixed).tasks
    dataset = task.get_dataset(
        sequence_length=sequence_length(ROWS), split="train", seed=5, num_epochs=2
    )
    theirs = map(to_example, dataset.as_numpy_iterator())
    documents = split_documents(mixed, "train")["policies"]
    ours = task_examples(
        mixed, f"policies.{name}", ROWS, documents=documents, seed=5, epochs=2
    )
    assert Counter(map(as_bytes, ours)) == Counter(map(as_bytes, theirs))


def test_epochs_come_in_orders_of_their_own():
    mixed = mixture({"policies.causal": 1})
    documents = split_documents(mixed, "train")["policies"]
    read = task_examples(
        mixed, "policies.causal", ROWS, documents=documents, seed=0, epochs=2
    )
    found = [as_bytes(example) for example in read]
    first, second = found[: len(found) // 2], found[len(found) // 2 :]
    assert Counter(first) == Counter(second) and first != second


def test_tasks_come_at_their_rates_and_again_the_same():
    mixed = mixture({"policies.causal": 3, "policies.masked": 1})
    found = list(itertools.islice(mixed_examples(mixed, ROWS, seed=1), 600))
    causal = sum(e.objective == registry.get("causal").id for e in found)
    assert abs(causal / 600 - 0.75) < 4 * (0.75 * 0.25 / 600) ** 0.5
    again = itertools.islice(mixed_examples(mixed, ROWS, seed=1), 600)
    assert [as_bytes(e) for e in again] == [as_bytes(e) for e in found]
    other = itertools.islice(mixed_examples(mixed, ROWS, seed=2), 600)
    assert [as_bytes(e) for e in other] != [as_bytes(e) for e in found]


def test_streams_that_share_documents_make_the_same_examples():
    mixed = mixture({"policies.causal": 1, "policies.sentence_pair": 1})
    documents = split_documents(mixed, "train")
    found = [
        [as_bytes(e) for e in itertools.islice(examples, 40)]
        for examples in (
            mixed_examples(mixed, ROWS, seed=1),
            mixed_examples(mixed, ROWS, seed=1, documents=documents),
            mixed_examples(mixed, ROWS, seed=1, documents=documents),
        )
    ]
    assert found[0] == found[1] == found[2]


def test_examples_fit_an_encoder_decoder_too():
    rows = encoder_decoder_rows(
        slots=32, predictions=32, memory_slots=40, memory_predictions=40
    )
    mixed = mixture({"policies.span_corruption": 1, "policies.masked": 1})
    for example in itertools.islice(mixed_examples(mixed, rows, seed=0), 60):
        assert len(example.inputs) <= 40 and len(example.targets) <= 32


def test_documents_that_are_all_too_short_are_refused(monkeypatch):
    monkeypatch.setattr(task_windows, "windows", lambda *args, **kwargs: [])
    mixed = mixture({"policies.causal": 1})
    with pytest.raises(ValueError, match="finds no text in policies:train"):
        next(mixed_examples(mixed, ROWS, seed=0))


def text_mixture(folder, texts, task="text.sentence_pair"):
    """A mixture of one task on a folder of those texts."""
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text)
    settings = {"text": {"folder": str(folder)}}
    return Mixture("m", {task: 1}, vocabulary="bytes", settings=settings)


def sampled(mixed, examples=1):
    tasks = list(mixed.positive_rates())
    return draw(mixed, ROWS, tasks=tasks, seed=0, examples=examples)


def test_samples_pass_over_windows_without_an_example(tmp_path):
    story = "Once a fox ran. It saw a crow! Then it sat down, and it slept. " * 2
    mixed = text_mixture(tmp_path, ["a" * 500] * 5 + ["a" * 99 + story])
    assert len(sampled(mixed)) == 1


def test_samples_of_text_that_repeats_itself_are_refused(tmp_path):
    mixed = text_mixture(tmp_path, ["a" * 500] * 5)
    with pytest.raises(UsageError, match="makes an Example of 0 of the documents of"):
        sampled(mixed)


def test_text_that_repeats_itself_is_not_called_short(tmp_path):
    mixed = text_mixture(tmp_path, ["a" * 500] * 3)
    with pytest.raises(UsageError, match="as where text repeats itself") as raised:
        next(mixed_examples(mixed, ROWS, seed=0))
    assert "the longest" not in str(raised.value)


def test_text_that_is_too_short_is_called_so(tmp_path):
    mixed = text_mixture(tmp_path, ["a"] * 3)
    with pytest.raises(UsageError, match="tokens or more, and the longest of the 2"):
        next(mixed_examples(mixed, ROWS, seed=0))
