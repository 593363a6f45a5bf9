"""Answers of packed rows against those of an Example alone, of both architectures."""

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.diagnosis.probes.asking.forms import MODES, going_on, pair
from sightline.diagnosis.probes.asking.scoring import make_answers
from sightline.models.build import build
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives.example import Example
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate

SHAPES = {
    "decoder": decoder_rows(slots=48, predictions=48),
    "encoder_decoder": encoder_decoder_rows(
        slots=32, predictions=32, memory_slots=32, memory_predictions=32
    ),
}


@pytest.fixture(scope="module", params=SHAPES)
def made(request, toy, config):
    shape = SHAPES[request.param]
    rngs = nnx.Rngs(params=1)
    return build(config, vocabulary_size=toy.vocab.size, shape=shape, rngs=rngs), shape


@pytest.fixture(scope="module")
def answers(made, toy):
    model, shape = made
    bos = toy.vocab.special_ids.bos
    return {
        answer: make_answers(model, shape, answer=answer, bos=bos, batch_rows=3)
        for answer in ("log-probability", "guess")
    }


@pytest.fixture(scope="module")
def asked(toy):
    """Examples of every mode and of odd sizes, and one that asks in both parts."""
    rng = np.random.default_rng(0)
    ids = toy.vocab.special_ids

    def text(most):
        return rng.choice(ids.text, int(rng.integers(1, most))).astype(np.int32)

    found = [
        example
        for mode in MODES
        for _ in range(4)
        for example in going_on(mode, text(9), text(9), ids)
    ]
    found += [pair(text(9), text(9), ids, label=label) for label in (0, 1)]
    both = found[-1]._replace(
        inputs_targets=np.full_like(found[-1].inputs, ids.text[0]),
        inputs_weights=(np.arange(len(found[-1].inputs)) % 2).astype(np.float32),
    )
    order = rng.permutation(len(found) + 2)
    return [[*found, both, found[0]][n] for n in order]


@pytest.fixture(scope="module")
def directly(made, toy):
    """Log-probabilities of the whole vocabulary, [p V], of an Example by itself."""
    model, shape = made
    graph, params = nnx.split(model)
    place = layout(shape, bos=toy.vocab.special_ids.bos)

    @jax.jit
    def run(batch):
        own = nnx.merge(graph, params)
        hidden, table = own(batch), own.projection()
        states = [h for h in (hidden.encoder, hidden.decoder) if h is not None]
        return [jax.nn.log_softmax(state @ table.T) for state in states]

    def scores(example: Example):
        placed = place(example)
        said = [np.asarray(x)[0] for x in run(collate([[placed]], shape))]
        streams = [s for s in (placed.encoder, placed.decoder) if s is not None]
        return np.concatenate(
            [x[s.prediction_slots] for x, s in zip(said, streams, strict=True)]
        )

    return scores


def _targets(example: Example):
    inside, behind = example.inputs_weights > 0, example.targets_weights > 0
    return np.concatenate([example.inputs_targets[inside], example.targets[behind]])


def test_answers_are_those_of_each_example_alone(asked, answers, directly):
    said, guessed = (answers[a](asked) for a in ("log-probability", "guess"))
    assert len(said) == len(guessed) == len(asked)
    for example, log_p, guess in zip(asked, said, guessed, strict=True):
        every, targets = directly(example), _targets(example)
        assert len(log_p) == len(guess) == len(targets) > 0
        expected = every[np.arange(len(targets)), targets]
        np.testing.assert_allclose(log_p, expected, atol=2e-5)
        best = every[np.arange(len(targets)), guess]
        np.testing.assert_allclose(best, every.max(-1), atol=2e-5)


def test_answers_come_in_the_order_of_the_examples(asked, answers):
    score = answers["log-probability"]
    forwards, backwards = score(asked), score(asked[::-1])[::-1]
    for one, other in zip(forwards, backwards, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_nothing_asked_is_nothing_answered(answers):
    assert answers["guess"]([]) == []


def test_an_example_that_fits_no_row_is_refused(toy, answers):
    ids = toy.vocab.special_ids
    long = np.tile(ids.text, 2)
    with pytest.raises(
        ValueError, match="it must not be empty, nor larger than the row"
    ):
        answers["guess"](going_on("causal", long, long[:1], ids))
