"""SeqIO's Evaluator over Tasks, for a model of ours. Imports TensorFlow.

The model's vocabulary takes the place of the Task's: `inputs` and `targets` are
tokenised with it, and it decodes what the model writes. So a Task has to tokenise with
SeqIO's own steps, which ask its features for their vocabulary.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, SupportsInt

import numpy as np
import seqio
import tensorflow as tf
from jaxtyping import Int32

from ...objectives.errors import UsageError, nearest
from ..corpora._seqio_builder import file_states, reading, tokenises
from ..tokens.vocabulary import Vocabulary
from .vocabulary import SeqioVocabulary

Tokens = Int32[np.ndarray, " _"]

Predict = Callable[[Sequence[Tokens], int], Sequence[Tokens]]
"""From inputs, and the most tokens of a target, to what the model writes after each."""

Score = Callable[[Sequence[Tokens], Sequence[Tokens]], Sequence[float]]
"""From inputs and targets to the log-likelihood of the targets, in nats."""


class TextOnly(SeqioVocabulary):
    """A vocabulary that decodes text alone: up to EOS or padding, no reserved ids."""

    def decode(self, ids: Iterable[SupportsInt]) -> str:
        text: list[int] = []
        for token in (int(id_) for id_ in np.asarray(ids).tolist()):
            if token in (self.eos_id, self.pad_id):
                break
            if not self.vocabulary.is_reserved(token):
                text.append(token)
        return self.vocabulary.decode(text)


class _Unpacked(seqio.FeatureConverter):
    """Leaves the examples as they are; each is laid out by the model's own rules."""

    TASK_FEATURES = {  # noqa: RUF012 (SeqIO's own attribute)
        name: seqio.FeatureConverter.FeatureSpec(dtype=tf.int32)
        for name in ("inputs", "targets")
    }
    MODEL_FEATURES = TASK_FEATURES

    def __call__(
        self, ds: tf.data.Dataset, task_feature_lengths: Mapping[str, int]
    ) -> tf.data.Dataset:
        return self._convert_features(ds, task_feature_lengths)

    def _convert_features(
        self, ds: tf.data.Dataset, task_feature_lengths: Mapping[str, int]
    ) -> tf.data.Dataset:
        del task_feature_lengths
        return ds.map(lambda x: {k: x[k] for k in self.TASK_FEATURES if k in x})

    def get_model_feature_lengths(
        self, task_feature_lengths: Mapping[str, int]
    ) -> Mapping[str, int]:
        return task_feature_lengths


def evaluate_tasks(
    names: Sequence[str],
    *,
    vocabulary: Vocabulary,
    predict: Predict,
    score: Score,
    most_tokens: int,
    split: str = "validation",
    most: int | None = None,
) -> dict[str, dict[str, float]]:
    """The metrics of Tasks, each by its own `metric_fns`.

    Args:
      names: of SeqIO Tasks, or of mixtures, which stand for their Tasks.
      vocabulary: of the model.
      predict: greedy continuations, for metrics of (targets, predictions).
      score: log-likelihoods, for metrics of (targets, scores).
      most_tokens: of inputs and of targets, for preprocessors that want a length.
      split: of the Tasks.
      most: examples of a Task; None: all.

    Returns:
      The value of every metric, by Task.

    Raises:
      UsageError: a Task is not registered, lacks the split or metrics, has no examples
        there, or tokenises by itself.
    """
    tasks = _tasks(names)
    for task in tasks:
        _check(task, split)
    lengths = {task.name: _lengths(task, most_tokens) for task in tasks}
    for task in tasks:
        _check_examples(task, vocabulary, split=split, lengths=lengths[task.name])
    return {
        task.name: _evaluate(
            task,
            vocabulary,
            predict,
            score,
            split=split,
            most=most,
            lengths=lengths[task.name],
        )
        for task in tasks
    }


def _evaluate(
    task: seqio.Task,
    vocabulary: Vocabulary,
    predict: Predict,
    score: Score,
    *,
    split: str,
    most: int | None,
    lengths: Mapping[str, int] | None,
) -> dict[str, float]:
    with reading(task, split):
        evaluator = seqio.Evaluator(
            _in_vocabulary(task, vocabulary),
            feature_converter=_Unpacked(pack=False),
            eval_split=split,
            num_examples=most,
            sequence_length=lengths,
            async_compute_metrics=False,
        )

    def columns(
        dataset: tf.data.Dataset,
    ) -> tuple[list[int], list[Tokens], list[Tokens]]:
        numbers, inputs, targets = [], [], []
        none = np.zeros(0, np.int32)
        for number, example in dataset.as_numpy_iterator():
            numbers.append(int(number))
            inputs.append(_text_of(example.get("inputs", none), vocabulary))
            targets.append(np.asarray(example["targets"], np.int32))
        return numbers, inputs, targets

    def predict_fn(dataset: tf.data.Dataset) -> list[tuple[int, list[int]]]:
        numbers, inputs, targets = columns(dataset)
        longest = max(map(len, targets), default=1)
        written = predict(inputs, longest)
        # SeqIO makes one array of them all.
        width = max(map(len, written), default=0)
        pad = vocabulary.special_ids.pad
        padded = [[*t.tolist(), *[pad] * (width - len(t))] for t in written]
        return list(zip(numbers, padded, strict=True))

    def score_fn(dataset: tf.data.Dataset) -> list[tuple[int, float]]:
        numbers, inputs, targets = columns(dataset)
        return list(zip(numbers, score(inputs, targets), strict=True))

    # SeqIO's annotation of them has a second parameter, which it does not pass.
    functions: dict[str, Any] = {"predict_fn": predict_fn, "score_fn": score_fn}
    future, _ = evaluator.evaluate(compute_metrics=True, **functions)
    (metrics,) = future.result().values()
    return {name: _number(value) for name, value in metrics.items()}


def _tasks(names: Sequence[str]) -> list[seqio.Task]:
    known = [*seqio.TaskRegistry.names(), *seqio.MixtureRegistry.names()]
    tasks: dict[str, seqio.Task] = {}
    for name in names:
        if name not in known:
            raise UsageError(
                f"no SeqIO Task or mixture {name!r}; {nearest(name, known)} A module "
                "that registers it is named by --import."
            )
        for task in seqio.get_subtasks(seqio.get_mixture_or_task(name)):
            tasks[task.name] = task
    return list(tasks.values())


def _check(task: seqio.Task, split: str) -> None:
    if split not in task.splits:
        raise UsageError(
            f"the SeqIO Task {task.name!r} has no split {split!r}; "
            f"{nearest(split, task.splits)} Give one with --split."
        )
    if not task.metric_fns:
        raise UsageError(
            f"the SeqIO Task {task.name!r} has no metric_fns, so there is nothing to "
            "measure; register it with some, such as t5.evaluation.metrics.accuracy."
        )
    if task.predict_with_aux_metric_fns:
        raise UsageError(
            f"the SeqIO Task {task.name!r} has a metric of (targets, predictions, "
            "aux_values); only (targets, predictions) and (targets, scores) are "
            "measured."
        )
    if "targets" not in task.output_features:
        raise UsageError(
            f"the SeqIO Task {task.name!r} has no output feature 'targets'; it has "
            f"{', '.join(task.output_features)}."
        )
    if not any(map(tokenises, task.preprocessors)):
        raise UsageError(
            f"the SeqIO Task {task.name!r} does not tokenise with "
            "seqio.preprocessors.tokenize, so its ids are not of the model's "
            "vocabulary; add that step."
        )


def _check_examples(
    task: seqio.Task,
    vocabulary: Vocabulary,
    *,
    split: str,
    lengths: Mapping[str, int] | None,
) -> None:
    """Refuses examples of which SeqIO's Evaluator can make nothing, and none at all."""
    file_states(task, split)
    ours = seqio.TaskRegistry.get(_in_vocabulary(task, vocabulary))
    with reading(task, split):
        dataset = ours.get_dataset(lengths, split, shuffle=False).take(1)
        some = bool(list(dataset.as_numpy_iterator()))
    for name in ours.output_features:
        if name not in dataset.element_spec:
            raise UsageError(
                f"the SeqIO Task {task.name!r} has the output feature {name!r}, and "
                f"its examples have only {', '.join(dataset.element_spec)}; take it "
                "out of output_features, or make it in a preprocessor."
            )
    if some:
        return
    raise UsageError(
        f"the SeqIO Task {task.name!r} has no examples in the split {split!r}: nothing "
        "is there, or its preprocessors leave nothing. Give another with --split, of "
        f"{', '.join(task.splits)}, or leave the Task out of --tasks."
    )


def _lengths(task: seqio.Task, most_tokens: int) -> dict[str, int] | None:
    """Lengths of features, if a preprocessor cannot do without."""
    parameters = (inspect.signature(p).parameters for p in task.preprocessors)
    wanted = (p["sequence_length"] for p in parameters if "sequence_length" in p)
    if all(parameter.default is not parameter.empty for parameter in wanted):
        return None
    return {"inputs": most_tokens, "targets": most_tokens}


def _in_vocabulary(task: seqio.Task, vocabulary: Vocabulary) -> str:
    """The name of the Task with the model's vocabulary, registered if it is not yet."""
    name = f"{task.name}:{vocabulary.digest[:12]}"
    if name in seqio.TaskRegistry.names():
        return name
    features = {
        key: feature
        if isinstance(feature.vocabulary, seqio.PassThroughVocabulary)
        else dataclasses.replace(feature, vocabulary=TextOnly(vocabulary))
        for key, feature in task.output_features.items()
    }
    ours = task.replace(name=name, output_features=features)
    seqio.TaskRegistry.add_provider(name, ours)
    return name


def _text_of(tokens: Any, vocabulary: Vocabulary) -> Tokens:
    """The inputs without the EOS that SeqIO ends them with."""
    tokens = np.asarray(tokens, np.int32)
    ends = len(tokens) and tokens[-1] == vocabulary.special_ids.eos
    return tokens[:-1] if ends else tokens


def _number(value: Any) -> float:
    """A metric as a plain number."""
    return float(getattr(value, "value", value))
