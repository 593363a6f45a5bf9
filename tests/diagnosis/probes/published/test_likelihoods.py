"""Packed scores against a slow reference: one text at a time, token by token."""

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.diagnosis.probes.asking.forms import going_on
from sightline.diagnosis.probes.asking.pseudo_likelihood import (
    marks_of,
    pseudo_likelihood,
    word_places,
)
from sightline.diagnosis.probes.published.likelihoods import (
    Tokenised,
    cut_to_fit,
    guessed,
    log_likelihoods,
    tokenised,
)
from sightline.models.rows import Batch, Stream
from sightline.tasks.tokens.vocabulary import vocabulary

TEXTS = ["A A0 A1 A2.", "B B0 B1.", "C C5 C6 C0. C C1 C2 C3.", "D."]


@pytest.fixture(scope="module")
def asked(untrained, probed):
    return probed(untrained, {"causal": 0.4, "masked": 0.3, "shifted": 0.3})


@pytest.fixture(scope="module")
def slow(untrained):
    """Log-probabilities of the whole vocabulary at each slot of one unpacked row."""
    graph, params = nnx.split(untrained)

    @jax.jit
    def run(batch):
        model = nnx.merge(graph, params)
        return jax.nn.log_softmax(model(batch).decoder[0] @ model.projection().T)

    def scores(tokens, positions, *, causal):
        size = len(tokens)
        row = np.zeros((1, 32), np.int32)

        def filled(values):
            out = row.copy()
            out[0, :size] = values
            return out

        slots = np.arange(size)
        stream = Stream(
            tokens=filled(tokens),
            positions=filled(positions),
            query_positions=filled(positions),
            segment_ids=filled(1),
            visible_from=row,
            visible_to=filled(slots + 1 if causal else size),
            prediction_slots=row,
            targets=row,
            loss_weights=row.astype(np.float32),
            objective_ids=row,
        )
        return np.asarray(run(Batch(stream)))[:size]

    return scores


def reference(mode, tokens, ids, slow):
    """The sum over tokens, each from a pass of its own."""
    total, best = 0.0, True
    for at, token in enumerate(tokens):
        if mode == "causal":
            shown, positions, slot = [ids.bos, *tokens[:at]], range(at + 1), at
        else:
            shown, positions, slot = list(tokens), range(1, len(tokens) + 1), at
            shown[at] = ids.mask
            if mode == "shifted":
                shown, positions = [ids.bos, *shown], range(len(tokens) + 1)
        p = slow(shown, list(positions), causal=mode == "causal")[slot]
        total, best = total + float(p[token]), best and int(p.argmax()) == token
    return total, best


@pytest.mark.parametrize("mode", ["causal", "masked", "shifted"])
def test_packed_scores_are_those_of_a_loop_over_tokens(mode, asked, toy, slow):
    texts = [tokenised(asked, ("", text), whole=True) for text in TEXTS]
    scores = log_likelihoods(asked, mode, texts, masks="token")
    right = guessed(asked, mode, texts, masks="token")
    for text, score, guess in zip(texts, scores, right, strict=True):
        expected, best = reference(mode, text.after, toy.vocab.special_ids, slow)
        assert score == pytest.approx(expected, abs=1e-4)
        assert bool(guess) == best


@pytest.mark.parametrize("mode", ["causal", "masked"])
def test_guesses_are_what_is_most_probable(mode, asked, toy, slow):
    before = toy.vocab.encode("A A0 A1")
    ids = toy.vocab.special_ids
    if mode == "causal":
        p = slow([ids.bos, *before], range(4), causal=True)[3]
    else:
        p = slow([*before, ids.mask], range(1, 5), causal=False)[3]
    best, other = np.argsort(p)[[-1, -2]].astype(np.int32)
    texts = [Tokenised(before, np.array([token])) for token in (best, other)]
    assert guessed(asked, mode, texts, masks="token").tolist() == [True, False]


def test_a_word_is_hidden_from_a_token_on():
    vocab = vocabulary("english")
    ids = vocab.special_ids
    tokens = vocab.encode("Unquestionably, he went.")
    begins = word_places(tokens, vocab, marks_of(vocab))
    pieces = [vocab.spell(token) for token in tokens.tolist()]
    parts = zip(begins, pieces, strict=True)
    words = "".join("|" * int(start) + piece for start, piece in parts)
    assert [w.strip() for w in words.split("|")[1:]] == [
        *("Unquestionably", ",", "he", "went", ".")
    ]
    assert begins.sum() < len(tokens)  # a word of several tokens is among them
    examples = pseudo_likelihood(tokens[:0], tokens, ids, begins=begins)
    ends = [*np.flatnonzero(begins)[1:], len(tokens)]
    for at, example in enumerate(examples):
        end = min(end for end in ends if end > at)
        hidden = np.flatnonzero(example.inputs == ids.mask)
        assert hidden.tolist() == list(range(at, end))
        assert np.flatnonzero(example.inputs_weights).tolist() == [at]
        assert example.inputs_targets[at] == tokens[at]


def test_a_token_at_a_time_is_the_objective_of_one_mask(toy):
    ids, text = toy.vocab.special_ids, toy.vocab.encode("A A0 A1 A2.")
    every = np.ones(len(text), bool)
    for mode in ("masked", "shifted"):
        ours = pseudo_likelihood(
            text[:2], text[2:], ids, begins=every, ahead=mode == "shifted"
        )
        # Of so few tokens a stride hides each by itself, too.
        theirs = going_on(mode, text[:2], text[2:], ids)
        for one, other in zip(ours, theirs, strict=True):
            for field in one._fields:
                np.testing.assert_array_equal(
                    getattr(one, field), getattr(other, field)
                )


def test_a_long_text_loses_its_beginning_or_is_left_out(asked, toy):
    long = toy.vocab.encode(" ".join(["A0"] * 80))
    kept = cut_to_fit(asked, "causal", Tokenised(long, long[:4]), masks="word")
    assert kept is not None and len(kept.before) + 4 == asked.slots
    assert cut_to_fit(asked, "causal", Tokenised(long[:0], long), masks="word") is None
