"""A model asked by SeqIO's Evaluator: log-likelihoods and greedy text, recomputed."""

import jax
import numpy as np
import pytest
import seqio
import tensorflow as tf
from flax import nnx

from sightline.diagnosis.probes.asking.subject import subject
from sightline.launch.inference.open import TrainedModel
from sightline.launch.inference.seqio_metrics import Questions, seqio_metrics
from sightline.models.build import build
from sightline.models.config import ModelConfig
from sightline.models.decoding.prompt_rows import decoder_batch, encoder_decoder_batch
from sightline.models.decoding.prompts import prompts
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.models.vocabulary_loss import logits
from sightline.objectives.errors import UsageError
from sightline.objectives.example import sequential
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked

VOCAB = vocabulary("bytes")
PAIRS = [("one and one", "two"), ("x" * 60, "four"), ("", "none")]
ROWS = {
    "decoder": decoder_rows(slots=48, predictions=48),
    "encoder_decoder": encoder_decoder_rows(
        slots=48, predictions=48, memory_slots=48, memory_predictions=1
    ),
}
CONFIG = ModelConfig(
    layers=1,
    d_model=32,
    heads=2,
    kv_heads=2,
    head_dim=16,
    d_hidden=64,
    compute_dtype="float32",
)
seen: dict[str, list] = {}


def dataset(split, shuffle_files=False, seed=None):
    inputs, targets = map(list, zip(*PAIRS, strict=True))
    return tf.data.Dataset.from_tensor_slices({"inputs": inputs, "targets": targets})


def by_score(targets, scores):
    seen["scores"] = list(scores)
    return {"mean": float(np.mean(scores))}


def by_text(targets, predictions):
    seen["predictions"], seen["targets"] = list(predictions), list(targets)
    return {"count": len(predictions)}


@pytest.fixture(scope="module")
def task():
    features = {
        key: seqio.Feature(seqio.ByteVocabulary()) for key in ("inputs", "targets")
    }
    seqio.TaskRegistry.add(
        "m_pairs",
        source=seqio.FunctionDataSource(dataset, splits=["validation"]),
        preprocessors=[seqio.preprocessors.tokenize, seqio.preprocessors.append_eos],
        output_features=features,
        metric_fns=[by_score, by_text],
    )
    return "m_pairs"


def trained(architecture, rates):
    rows = ROWS[architecture]
    model = build(
        CONFIG, vocabulary_size=VOCAB.size, shape=rows, rngs=nnx.Rngs(params=3)
    )
    mixture = Mixture("m", rates, vocabulary="bytes")
    return TrainedModel(1, model, CONFIG, rows, mixture)


def log_p(run, inputs, targets):
    """Log-probabilities of all ids at each target, one Example alone in its row."""
    at = len(inputs) + (2 if len(inputs) else 1)
    if run.mixture.rates.keys() == {"policies.prefix"}:
        at = len(inputs) + 1
    example = sequential(
        0,
        inputs,
        targets,
        inputs_positions=1 + np.arange(len(inputs)),
        targets_positions=at + np.arange(len(targets)),
    )
    width = len(targets)
    asked = prompts([example], given=[width], inputs=len(inputs), targets=width)
    lay_out = encoder_decoder_batch if run.rows.encoder else decoder_batch
    batch = lay_out(asked, bos=VOCAB.special_ids.bos)
    hidden = run.model(batch).decoder
    first = 0 if run.rows.encoder else len(inputs)
    scores = jax.nn.log_softmax(logits(hidden, run.model.projection())[0])
    return np.asarray(scores)[first : first + width]


@pytest.mark.parametrize("architecture", list(ROWS))
@pytest.mark.parametrize("objective", ["causal", "prefix"])
def test_scores_and_predictions_are_those_of_the_model(architecture, objective, task):
    run = trained(architecture, {f"policies.{objective}": 1})
    results = seqio_metrics(run, [task])
    assert set(results) == {task} and set(results[task]) == {"mean", "count"}
    eos = VOCAB.special_ids.eos
    for (question, answer), score in zip(PAIRS, seen["scores"], strict=True):
        if len(question) > 48:
            assert score < 0  # it lost its beginning
            continue
        before = VOCAB.encode(question)
        after = np.append(VOCAB.encode(answer), eos).astype(np.int32)
        inputs, targets = before, after
        if objective == "causal":  # everything is a target
            inputs, targets = before[:0], np.concatenate([before, after])
        found = log_p(run, inputs, targets)[-len(after) :]
        wanted = found[np.arange(len(after)), after].sum()
        assert score == pytest.approx(wanted, rel=1e-4)
    assert seen["targets"] == [answer for _, answer in PAIRS]
    assert len(seen["predictions"]) == len(PAIRS)


def test_predictions_are_greedy(task):
    run = trained("decoder", {"policies.causal": 1})
    asked = subject(run.model, run.rows, VOCAB, trained={}, mode="causal")
    before = VOCAB.encode("one and")
    (written,) = Questions(asked).predict([before], 6)
    assert 1 <= len(written) <= 6
    found = log_p(run, before[:0], np.concatenate([before, written]).astype(np.int32))
    ids = VOCAB.special_ids
    allowed = np.zeros(VOCAB.size, bool)
    allowed[[*ids.text, ids.eos]] = True
    scores = np.where(allowed, found[len(before) :], -np.inf)
    assert np.argmax(scores, axis=-1).tolist() == written.tolist()


def test_a_model_of_masks_alone_writes_nothing(task):
    run = trained("decoder", {"policies.masked": 1})
    with pytest.raises(UsageError, match="only metrics of scores can be measured"):
        seqio_metrics(run, [task])


def test_targets_longer_than_a_row_are_refused(monkeypatch, task):
    run = trained("decoder", {"policies.causal": 1})
    monkeypatch.setitem(globals(), "PAIRS", [("a", "b" * 99)])
    with pytest.raises(UsageError, match="targets of 100 tokens do not fit"):
        seqio_metrics(run, [task])
