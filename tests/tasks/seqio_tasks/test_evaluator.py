"""SeqIO's Evaluator in our vocabulary: what is asked, and metrics of known answers."""

import numpy as np
import pytest
import seqio
import tensorflow as tf
from t5.evaluation import metrics as t5_metrics

from sightline.objectives.errors import UsageError
from sightline.tasks.seqio_tasks.evaluator import evaluate_tasks
from sightline.tasks.tokens.vocabulary import vocabulary

VOCAB = vocabulary("bytes")
QUESTIONS = ["one and one", "two and two", "is it café?", ""]
ANSWERS = ["two", "four", "naïve", "a longer answer"]


def dataset(split, shuffle_files=False, seed=None):
    return tf.data.Dataset.from_tensor_slices({"inputs": QUESTIONS, "targets": ANSWERS})


def mean_score(targets, scores):
    return {"score": float(np.mean(scores)), "targets": float(len(targets))}


def add(name, *, metric_fns, preprocessors=None, source=None, **kwargs):
    features = {
        key: seqio.Feature(seqio.ByteVocabulary(), add_eos=True, required=False)
        for key in ("inputs", "targets")
    }
    seqio.TaskRegistry.remove(name)
    seqio.TaskRegistry.add(
        name,
        source=source or seqio.FunctionDataSource(dataset, splits=["validation"]),
        preprocessors=preprocessors
        or [seqio.preprocessors.tokenize, seqio.preprocessors.append_eos],
        output_features=features,
        metric_fns=metric_fns,
        **kwargs,
    )
    return name


def ids(text, *, eos=True):
    end = [VOCAB.special_ids.eos] if eos else []
    return [*VOCAB.encode(text).tolist(), *end]


def answer(inputs, most):
    """The right answers, but for the second."""
    assert [t.tolist() for t in inputs] == [ids(q, eos=False) for q in QUESTIONS]
    assert most == max(len(ids(text)) for text in ANSWERS)
    return [
        np.array(ids("five" if text == "four" else text), np.int32) for text in ANSWERS
    ]


def score(inputs, targets):
    assert [t.tolist() for t in inputs] == [ids(q, eos=False) for q in QUESTIONS]
    assert [t.tolist() for t in targets] == [ids(text) for text in ANSWERS]
    return [-1.0, -2.0, -3.0, -4.0]


def evaluate(*names, **kwargs):
    return evaluate_tasks(
        names,
        vocabulary=VOCAB,
        predict=answer,
        score=score,
        most_tokens=64,
        **kwargs,
    )


def test_metrics_of_predictions_and_of_scores():
    one = add("e_one", metric_fns=[t5_metrics.accuracy, mean_score])
    results = evaluate(one)
    assert results == {"e_one": {"accuracy": 75.0, "score": -2.5, "targets": 4.0}}


def test_a_mixture_stands_for_its_tasks_and_postprocessors_are_run():
    def first_letter(text, example=None, is_target=False):
        return text[:1]

    two = add("e_two", metric_fns=[t5_metrics.accuracy], postprocess_fn=first_letter)
    if "e_both" not in seqio.MixtureRegistry.names():
        seqio.MixtureRegistry.add("e_both", ["e_one", two], default_rate=1.0)
    results = evaluate("e_both")
    assert results["e_two"] == {"accuracy": 100.0}  # both begin with f
    assert set(results) == {"e_one", "e_two"}


def test_some_examples_only():
    seen = []

    def some(inputs, most):
        seen.append(len(inputs))
        return [np.array(ids(text), np.int32) for text in ANSWERS[: len(inputs)]]

    name = add("e_some", metric_fns=[t5_metrics.accuracy])
    results = evaluate_tasks(
        [name], vocabulary=VOCAB, predict=some, score=score, most_tokens=64, most=2
    )
    assert seen == [2] and results["e_some"] == {"accuracy": 100.0}


def test_preprocessors_that_want_lengths_get_those_of_the_model():
    wanted = []

    def measured(dataset, sequence_length):
        wanted.append(dict(sequence_length))
        return dataset

    steps = [seqio.preprocessors.tokenize, measured, seqio.preprocessors.append_eos]
    name = add("e_lengths", metric_fns=[t5_metrics.accuracy], preprocessors=steps)
    assert evaluate(name)["e_lengths"] == {"accuracy": 75.0}
    assert all(lengths == {"inputs": 64, "targets": 64} for lengths in wanted)


def test_what_cannot_be_measured_is_refused():
    def aux(targets, predictions, aux_values):
        return {}

    def without_inputs(dataset):
        return dataset.map(lambda x: {"targets": x["targets"]})

    def own(dataset):
        return dataset.map(lambda x: {"targets": tf.constant([5])})

    with pytest.raises(UsageError, match=r"no SeqIO Task or mixture 'e_nothing'"):
        evaluate("e_nothing")
    with pytest.raises(UsageError, match=r"has no split 'test'; valid: validation"):
        evaluate(add("e_one", metric_fns=[t5_metrics.accuracy]), split="test")
    with pytest.raises(UsageError, match="has no metric_fns"):
        evaluate(add("e_bare", metric_fns=[]))
    with pytest.raises(UsageError, match="aux_values"):
        evaluate(add("e_aux", metric_fns=[aux]))
    with pytest.raises(UsageError, match=r"output feature 'inputs', and .* targets;"):
        steps = [without_inputs, seqio.preprocessors.tokenize]
        evaluate(add("e_lacks", metric_fns=[mean_score], preprocessors=steps))
    with pytest.raises(UsageError, match=r"does not tokenise with seqio\.preproc"):
        name = add("e_own", metric_fns=[t5_metrics.accuracy], preprocessors=[own])
        evaluate(name)


def test_a_split_without_examples_is_refused_before_a_model_is_asked():
    def none(dataset):
        return dataset.filter(lambda x: tf.strings.length(x["inputs"]) > 1000)

    def short(dataset):
        return dataset.filter(lambda x: tf.size(x["targets"]) > 1000)

    def asked(*_):
        raise AssertionError("a model was asked")

    tokenize = seqio.preprocessors.tokenize
    full = add("e_full", metric_fns=[mean_score])
    for name, steps in (("e_none", [none, tokenize]), ("e_short", [tokenize, short])):
        add(name, metric_fns=[mean_score], preprocessors=steps)
        if f"{name}_mixed" not in seqio.MixtureRegistry.names():
            seqio.MixtureRegistry.add(f"{name}_mixed", [full, name], default_rate=1.0)
        for names in ([name], [full, name], [f"{name}_mixed"]):
            with pytest.raises(
                UsageError, match=f"'{name}' has no examples in the split 'validation'"
            ):
                evaluate_tasks(
                    names,
                    vocabulary=VOCAB,
                    predict=asked,
                    score=asked,
                    most_tokens=64,
                )


def test_files_that_are_missing_or_damaged_are_one_line(tmp_path):
    def both(dataset):
        return dataset.map(lambda record: {"inputs": record, "targets": record})

    def of_files(name, pattern):
        steps = [both, seqio.preprocessors.tokenize]
        source = seqio.FileDataSource(tf.data.TFRecordDataset, {"validation": pattern})
        return add(name, metric_fns=[mean_score], preprocessors=steps, source=source)

    with pytest.raises(UsageError, match="'e_no_files' has no files in the split"):
        evaluate(of_files("e_no_files", str(tmp_path / "nowhere-*")))
    with pytest.raises(UsageError, match=r"'e_gone' reads .* does not exist"):
        evaluate(of_files("e_gone", str(tmp_path / "nowhere")))
    path = tmp_path / "records"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"a text")
        writer.write(b"more text")
    path.write_bytes(path.read_bytes().replace(b"more", b"less"))
    with pytest.raises(UsageError, match=r"the files of .* 'e_torn' .* are damaged"):
        evaluate(of_files("e_torn", str(path)))
