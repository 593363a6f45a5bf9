"""What a preview says of a slot is what the objective says of it."""

import inspect

import numpy as np
import pytest

from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.text import Text
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.sample_examples import draw
from sightline.tasks.preview.reading import (
    by_position,
    context,
    stands_before,
    telling_slot,
)
from sightline.tasks.preview.scene import scene, token
from sightline.tasks.rows.layout import sequence_length
from sightline.tasks.tokens.vocabulary import vocabulary

SHAPES = {
    "decoder": decoder_rows(slots=128, predictions=128),
    "encoder_decoder": encoder_decoder_rows(
        slots=64, predictions=64, memory_slots=64, memory_predictions=64
    ),
}
WORDS = "A long draft must not contradict itself."
OTHER = "Nobody else is to know of it, nor of that, nor of anything else at all."
BYTES = vocabulary("bytes")

each_shape = pytest.mark.parametrize("name", SHAPES)
each_objective = pytest.mark.parametrize("objective", sorted(registry.objectives()))


def made(objective, shape, seed=0, **settings):
    """An Example of `WORDS`, and its scene."""
    bound = registry.get(objective).with_settings(**settings)
    document = BYTES.encode_document(WORDS)
    other = BYTES.encode_document(OTHER)
    text = Text(document, 0, len(document) - 1, lambda rng: other)
    example = bound(text, np.random.default_rng(seed), BYTES.special_ids)
    return example, scene(
        "small." + objective,
        example,
        objective=bound,
        shape=SHAPES[shape],
        vocabulary=BYTES,
    )


def shown(id_):
    return token(BYTES, int(id_))


@each_shape
@each_objective
def test_slots_hold_and_see_as_the_objective_says(name, objective):
    """From the Example's definition alone: inputs see inputs, targets what came."""
    example, found = made(objective, name)
    inputs, targets = len(example.inputs), len(example.targets)
    bos = BYTES.special_ids.bos
    held = [*example.inputs, *([bos, *example.targets[:-1]] if targets else [])]
    assert [slot.token for slot in found.slots] == [shown(id_) for id_ in held]
    for place, slot in enumerate(found.slots):
        assert found.place(slot.stream, slot.number) == place
        sees = [*example.inputs_sees] or [inputs] * inputs
        seen = range(sees[place] if place < inputs else place + 1)
        assert found.seen(slot) == tuple(seen)
        assert slot.part == ("inputs" if place < inputs else "targets")
        if name == "encoder_decoder":
            assert slot.stream == ("encoder" if place < inputs else "decoder")
    asks = [*example.inputs_positions, *(example.targets_positions - 1)]
    assert [slot.query_position for slot in found.slots] == asks


@each_shape
@each_objective
def test_slots_predict_as_the_objective_says(name, objective):
    example, found = made(objective, name)
    at = [p for slot in found.slots for p in slot.predictions]
    parts = [
        (example.inputs_targets, example.inputs_positions, example.inputs_weights),
        (example.targets, example.targets_positions, example.targets_weights),
    ]
    every = [each for part in parts for each in zip(*part, strict=True)]
    assert [(p.target, p.position, p.weight) for p in at] == [
        (shown(id_), position, weight) for id_, position, weight in every if weight > 0
    ]
    assert {p.objective for p in at} == {objective}
    assert telling_slot(found) in found.predicting


def test_a_block_beside_its_clean_past_is_read_as_one_text():
    """A slot of the second block: the clean first one, then its own, with one asked."""
    shape = "encoder_decoder"
    example, found = made("block_diffusion", shape, block=7, form="exact")
    inputs = len(example.inputs)
    assert context(found) == "its block and the clean text before it"
    for j in range(7, 14):
        slot = found.slots[inputs + j]
        assert found.seen(slot) == (*range(7), *range(inputs + 7, inputs + 14))
        for prediction in slot.predictions:
            assert prediction.position == slot.position == j + 1
            reads = [r for r in by_position(found, slot) if r.kind == "seen"]
            assert "".join(r.token.text for r in reads[:7]) == WORDS[:7]
    _, canvas = made("block_diffusion", shape, block=7)
    assert context(canvas) == "the inputs up to the end of its block"


@each_shape
def test_a_shifted_prediction_stands_behind_its_slot(name):
    example, found = made("masked", name, shift=True)
    for slot in found.predicting:
        (prediction,) = slot.predictions
        assert prediction.position == slot.position + 1 == slot.query_position + 1
        assert prediction.target.text == WORDS[slot.position]
    assert len(found.predicting) == (example.inputs_weights > 0).sum()


@each_shape
@pytest.mark.parametrize("selection", ["partial", "spans", "all"])
def test_a_permuted_text_is_whole_when_its_last_token_is_asked(name, selection):
    example, found = made("permuted", name, selection=selection)
    last = found.slots[-1]
    reads = [read for read in by_position(found, last) if read.token]
    assert "".join(r.token.text for r in reads if r.token.text != "<bos>") == WORDS
    first = next(slot for slot in found.slots if slot.part == "targets")
    missing = sum(read.kind == "unseen" for read in by_position(found, first))
    behind = len(WORDS) - max([*example.inputs_positions, example.targets_positions[0]])
    assert missing == len(example.targets) - 1 - behind


@each_shape
def test_a_causal_slot_reads_the_past_and_asks_for_the_next(name):
    _, found = made("causal", name)
    reads = by_position(found, found.slots[9])
    assert [read.kind for read in reads] == ["seen"] * 10 + ["asked"]
    assert "".join(read.token.text for read in reads[1:]) == WORDS[:10]
    assert stands_before(found, found.slots[9]) is found.slots[9]


@each_shape
def test_a_masked_slot_asks_where_it_stands(name):
    _, found = made("masked", name)
    slot = telling_slot(found)
    reads = by_position(found, slot)
    asked = next(n for n, read in enumerate(reads) if read.kind == "asked")
    assert reads[asked - 1].place == found.place(slot.stream, slot.number)
    assert reads[asked].token.text == WORDS[slot.position - 1]
    assert len(reads) == len(WORDS) + 1


@each_shape
def test_what_is_seen_in_words(name):
    expected = {
        "causal": "strictly the past",
        "fill_in_middle": "strictly the past",
        "masked": "the 40 inputs both ways",
        "permuted": "the 33 inputs both ways and the targets before them in a "
        "shuffled order",
        "sentence_pair": "the 41 inputs both ways",
    }
    for objective, phrase in expected.items():
        assert context(made(objective, name)[1]) == phrase


@pytest.mark.parametrize(
    "text, expected",
    [("\n", "⏎"), ("\t", "⇥"), ("\x1b", "\\u001b"), ("x", "x"), (" ", " "), ("<", "<")],
)
def test_nothing_invisible_reaches_a_terminal(text, expected):
    (id_,) = BYTES.encode(text)
    assert token(BYTES, int(id_)) == (expected, "text")


def test_parts_of_characters_and_reserved_ids_show():
    assert {token(BYTES, int(i)).text for i in BYTES.encode("é")} == {"\ufffd"}
    ids = BYTES.special_ids
    assert token(BYTES, ids.mask) == ("<mask>", "special")
    assert token(BYTES, ids.sentinels[7]) == ("<s7>", "special")
    assert "does not" in token(BYTES, ids.labels[0]).text
    piece = vocabulary("python_docs")
    texts = [token(piece, int(i)).text for i in piece.encode("the <mask> cat")]
    assert "".join(texts) == " the <mask> cat"


def five(vocabulary="python_docs", **settings):
    rates = {f"python_docs.{name}": 1 for name in registry.objectives()}
    return Mixture("five", rates, settings=settings, vocabulary=vocabulary)


def test_objectives_are_shown_on_the_same_text():
    tasks = ["python_docs.causal", "python_docs.prefix"]
    mixture, shape = five(), decoder_rows(slots=32, predictions=32)
    found = draw(mixture, shape, tasks=tasks, seed=3, examples=2)
    assert [task for task, _ in found] == [tasks[0]] * 2 + [tasks[1]] * 2
    texts = [[*example.inputs, *example.targets] for _, example in found]
    assert texts[:2] == texts[2:] and texts[0] != texts[1]
    again = draw(mixture, shape, tasks=tasks, seed=3, examples=2)
    np.testing.assert_equal(
        [e._asdict() for _, e in again], [e._asdict() for _, e in found]
    )
    (_, other), *_ = draw(mixture, shape, tasks=tasks, seed=4)
    assert [*other.targets] != texts[0]


def test_an_example_is_the_one_that_a_run_makes():
    """Of the first window of its document, in the first epoch, through SeqIO's step."""
    import tensorflow as tf

    from sightline.tasks.seqio_tasks.example_step import MakeExamples
    from sightline.tasks.tokens.tokenised_documents import CorpusTokens

    mixture, shape = five(), decoder_rows(slots=48, predictions=48)
    words, corpus = vocabulary("python_docs"), mixture.corpus("python_docs")
    tasks = ["python_docs.causal", "python_docs.permuted", "python_docs.sentence_pair"]
    found = draw(mixture, shape, tasks=tasks, seed=7)
    start = [*found[0][1].targets]
    documents = map(words.encode_document, corpus.documents("train"))
    index, tokens = next(
        (n, d) for n, d in enumerate(documents) if [*d[: len(start)]] == start
    )
    for task, ours in found:
        step = MakeExamples(
            CorpusTokens(corpus, words),
            mixture.objective(task.partition(".")[2]),
            seed=7,
            epoch=0,
            sequence_length=sequence_length(shape),
        )
        ragged = tf.ragged.constant([tokens.tolist()], tf.int32)
        document = {"document": [index], "tokens": ragged}
        documents = tf.data.Dataset.from_tensor_slices(document)
        theirs = next(step(documents).as_numpy_iterator())
        for name, value in ours._asdict().items():
            np.testing.assert_array_equal(np.ravel(value), theirs[name])


@pytest.mark.parametrize(
    "lengths, examples, message",
    [
        (
            [2, 1],
            1,
            "takes texts of 16 tokens or more, but document 0 of small:train",
        ),
        ([60, 70], 3, "3 examples of each task were asked for, but only 2 documents"),
    ],
)
def test_a_corpus_with_too_little_text(
    monkeypatch, small_corpus, lengths, examples, message
):
    monkeypatch.setattr(Mixture, "corpus", lambda self, name: small_corpus(lengths))
    pairs = {"other": 1.0, "further": 0.0, "swapped": 0.0}
    mixture = five("bytes", sentence_pair=pairs)
    with pytest.raises(ValueError, match=message):
        inspect.unwrap(draw)(
            mixture,
            decoder_rows(slots=32, predictions=32),
            tasks=["python_docs.sentence_pair"],
            seed=0,
            examples=examples,
        )
