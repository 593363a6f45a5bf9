"""Evaluation against sums by hand, and the baseline against known entropies."""

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.launch.training.evaluate import evaluate, target_counts, unigram_entropy
from sightline.models.vocabulary_loss import logits
from sightline.objectives import registry


def test_loss_and_accuracy_of_each_objective(make_program, make_batches):
    program = make_program("encoder_decoder")
    # Block diffusion predicts more in place than these rows hold.
    every = tuple(n for n in registry.objectives() if n != "block_diffusion")
    batches = make_batches("encoder_decoder", every, count=2)
    params = program.initial_state().params
    found = evaluate(program, program.compile_eval_step(), params, batches)

    model = nnx.merge(nnx.graphdef(program.fresh_model()), params)
    totals = {name: [0.0, 0, 0] for name in every}
    names = list(registry.objectives())
    for batch in batches:
        hidden = model(jax.tree.map(np.asarray, batch))
        for stream, states in zip(
            (batch.decoder, batch.encoder),
            (hidden.decoder, hidden.encoder),
            strict=True,
        ):
            scores = jax.nn.log_softmax(logits(states, model.projection()))
            for row, place in np.argwhere(stream.loss_weights > 0):
                at = scores[row, stream.prediction_slots[row, place]]
                target = stream.targets[row, place]
                total = totals[names[stream.objective_ids[row, place]]]
                total[0] -= float(at[target])
                total[1] += int(at.argmax() == target)
                total[2] += 1
    for name, (nll, correct, weight) in totals.items():
        number = registry.get(name).id
        np.testing.assert_allclose(found.loss[number], nll / weight, rtol=1e-4)
        np.testing.assert_allclose(found.accuracy[number], correct / weight, atol=1e-6)
        assert found.predictions[number] == weight
    assert np.isnan(found.loss[len(totals) :]).all()


def entropy_of(batch, *, vocabulary_size):
    return unigram_entropy(target_counts([batch], vocabulary_size=vocabulary_size))


def test_the_baseline_counts_predictions_and_not_their_weights(make_batches):
    batch = batch_of([5, 6] * 100, make_batches)
    weights = batch.decoder.loss_weights * np.linspace(1, 9, 64)
    weighed = batch._replace(
        decoder=batch.decoder._replace(loss_weights=weights.astype(np.float32))
    )
    found = entropy_of(weighed, vocabulary_size=100)[0]
    assert found == pytest.approx(np.log(2), abs=1e-6)


def test_the_baseline_is_never_above_that_of_guessing():
    counts = np.zeros((registry.CAPACITY, 1000))
    counts[0, :100] = 1
    assert unigram_entropy(counts)[0] == pytest.approx(np.log(1000))


@pytest.mark.filterwarnings("error")
def test_the_baseline_of_one_answer_is_nothing():
    counts = np.zeros((registry.CAPACITY, 8))
    counts[0, 3] = 9
    found = unigram_entropy(counts)
    assert found[0] == 0 and np.isnan(found[1:]).all()


def batch_of(targets, make_batches):
    """One batch whose causal targets are these, and no others."""
    (batch,) = make_batches("decoder", ("causal",))
    stream = batch.decoder
    size = stream.targets.size
    weights = np.zeros(size, np.float32)
    weights[: len(targets)] = 1
    padded = np.zeros(size, np.int32)
    padded[: len(targets)] = targets
    return batch._replace(
        decoder=stream._replace(
            targets=padded.reshape(stream.targets.shape),
            loss_weights=weights.reshape(stream.targets.shape),
        )
    )


def test_two_labels_alike_have_ln_2(make_batches):
    batch = batch_of([5, 6] * 100, make_batches)
    entropy = entropy_of(batch, vocabulary_size=100)
    assert entropy[0] == pytest.approx(np.log(2), abs=1e-6)
    assert np.isnan(entropy[1:]).all()


def test_the_baseline_allows_for_tokens_that_the_sample_has_not_shown(make_batches):
    """450 draws from 1,000 tokens, p ∝ 1/rank: counting alone falls short by 0.8."""
    rank = 1 / np.arange(1, 1001)
    p = rank / rank.sum()
    drawn = np.random.default_rng(0).choice(1000, 450, p=p)
    found = entropy_of(batch_of(drawn, make_batches), vocabulary_size=1000)[0]
    counts = np.bincount(drawn)[np.bincount(drawn) > 0] / 450
    counted = -np.sum(counts * np.log(counts))
    true = -np.sum(p * np.log(p))
    assert counted < true - 0.5
    assert abs(found - true) < 0.2


def test_targets_all_different_have_a_finite_baseline(make_batches):
    batch = batch_of(np.arange(50), make_batches)
    found = entropy_of(batch, vocabulary_size=100)[0]
    assert np.log(50) <= found < np.inf
