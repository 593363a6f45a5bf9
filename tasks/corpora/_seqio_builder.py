"""Reads the texts of a SeqIO Task, once. Imports SeqIO."""

import contextlib
import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import seqio
import tensorflow as tf

from ...objectives.errors import UsageError, nearest
from .. import host_tensorflow, user_modules
from . import _prepared
from ._splits import Part, check_parts

host_tensorflow.load()

_TOKENISING = {"tokenize", "tokenize_and_append_eos", "tokenize_impl"}
_FEATURES = ("targets", "text")
_FORMAT = 2  # of prepared folders; a new one prepares every folder again
_SEED = 0
"""Of preprocessors that draw; the texts are read once."""


def check_task(corpus: str, name: str, read: Mapping[str, Part]) -> None:
    """Refuses a Task that is not registered, or lacks a split.

    Args:
      corpus: name of the corpus, for messages.
      name: of the Task.
      read: parts of its splits.

    Raises:
      UsageError: there is no such Task or split.
    """
    tasks = seqio.TaskRegistry.names()
    if name in seqio.MixtureRegistry.names() and name not in tasks:
        raise UsageError(
            f"{corpus}.task {name!r} is a SeqIO mixture; name one of its Tasks, and "
            "mix several as variants, as in a/seqio.task and b/seqio.task."
        )
    if name not in tasks:
        valid = [task for task in tasks if not _is_ours(task)]
        raise UsageError(
            f"{corpus}.task: no SeqIO Task {name!r}; {nearest(name, valid)} A module "
            "that registers it is named by --import."
        )
    task = seqio.TaskRegistry.get(name)
    check_parts(corpus, f"the SeqIO Task {name!r}", read, task.splits)


def prepare(name: str, feature: str, splits: Sequence[str], root: Path) -> Path:
    """The folder of a Task's texts, and how many are blank; made if missing.

    It is one for the Task's name and source and the user's modules as they are now: a
    preprocessor that changes has the texts read again.

    Args:
      name: of the Task.
      feature: whose text is read; empty for the first of `targets` and `text`.
      splits: of the Task.
      root: of prepared folders.

    Raises:
      UsageError: the Task has no such feature, or none that is text, or what it reads
        changed meanwhile.
    """
    task = seqio.TaskRegistry.get(name)

    def key() -> str:
        parts = (
            _FORMAT,
            name,
            feature,
            tuple(splits),
            _source(task, splits),
            user_modules.digest(),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    final = root / key()
    blank: Counter[str] = Counter()  # filled as the splits are read
    return _prepared.prepare(
        final,
        {
            split: functools.partial(_texts, task, feature, split, blank)
            for split in splits
        },
        where=f"the SeqIO Task {name!r}, or what it reads,",
        unchanged=lambda: key() == final.name,
        task=name,
        feature=feature,
        blank=blank,
    )


def _source(task: seqio.Task, splits: Sequence[str]) -> str:
    """What is known of where splits are read: TFDS's name, or files with their state.

    Raises:
      UsageError: a file is missing, or a split has none.
    """
    if isinstance(task.source, seqio.TfdsDataSource):
        return repr(task.source)
    if not isinstance(task.source, seqio.FileDataSource):
        return type(task.source).__name__
    return repr([state for split in splits for state in file_states(task, split)])


def file_states(task: seqio.Task, split: str) -> list[tuple[str, int, int]]:
    """The files of a split, each with its size and time; [] of a source without files.

    Raises:
      UsageError: a file is missing, or the split has none.
    """
    source: Any = task.source
    if not isinstance(source, seqio.FileDataSource):
        return []
    states = []
    for file in source.list_shards(split):
        try:
            state = tf.io.gfile.stat(file)
        except tf.errors.NotFoundError as error:
            raise UsageError(
                f"the SeqIO Task {task.name!r} reads {file} in the split {split!r}, "
                "which does not exist. Correct its name in the module that registers "
                "it, or put the file there."
            ) from error
        states.append((file, state.length, state.mtime_nsec))
    if not states:
        raise UsageError(
            f"the SeqIO Task {task.name!r} has no files in the split {split!r}: its "
            "pattern matches none. Correct the pattern in the module that registers "
            "it, or put files there."
        )
    return states


def _texts(
    task: seqio.Task, feature: str, split: str, blank: Counter[str]
) -> Iterator[str]:
    """The documents of a split, in the order of its source; counts blank texts."""
    steps: list[Any] = [
        step
        for step in task.preprocessors
        if not isinstance(step, seqio.CacheDatasetPlaceholder)
    ]
    first = next((n for n, s in enumerate(steps) if tokenises(s)), len(steps))
    dataset = task.source.get_dataset(split=split, shuffle=False, seed=_SEED)
    before = task.replace(preprocessors=steps[:first])
    try:
        dataset = before.preprocess_postcache(dataset, None, seed=_SEED)
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(
            f"the SeqIO Task {task.name!r} cannot be read before it is tokenised: "
            f"{str(error).splitlines()[0]}. It needs sequence lengths, or features "
            "that it does not have; make a Task of its text alone."
        ) from error
    feature = _feature(task, feature, dataset.element_spec)
    spec = dataset.element_spec[feature]
    text_of = _decoder(task, feature, spec)
    with reading(task, split):
        for number, example in enumerate(dataset.as_numpy_iterator()):
            try:
                text = text_of(example[feature])
            except UnicodeDecodeError as error:
                raise UsageError(
                    f"the SeqIO Task {task.name!r} gives bytes that are not UTF-8 in "
                    f"{feature!r} of example {number} of {split!r}: {error.reason}."
                ) from error
            if text.strip():
                yield text
            else:
                blank[split] += 1


@contextlib.contextmanager
def reading(task: seqio.Task, split: str) -> Iterator[None]:
    """What is damaged or gone, of the files that are read within, is one message."""
    try:
        yield
    except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
        raise UsageError(
            f"the files of the SeqIO Task {task.name!r} in the split {split!r} are "
            f"damaged or gone: {error.message.splitlines()[0]}. Copy or write them "
            "again."
        ) from error


def _feature(task: seqio.Task, feature: str, specs: Mapping[str, Any]) -> str:
    wanted = [feature] if feature else list(_FEATURES)
    for name in wanted:
        if name in specs:
            return name
    raise UsageError(
        f"the SeqIO Task {task.name!r} has no feature {' or '.join(map(repr, wanted))} "
        f"before it is tokenised; {nearest(wanted[0], specs)} Set seqio.feature."
    )


def _decoder(task: seqio.Task, feature: str, spec: Any) -> Callable[[Any], str]:
    """From a value of the feature to its text."""
    if spec.dtype == tf.string and spec.shape.rank == 0:
        return lambda value: value.decode()
    output = task.output_features.get(feature)
    vocabulary: Any = None if output is None else output.vocabulary
    passes = isinstance(vocabulary, seqio.PassThroughVocabulary | None)
    if spec.dtype.is_integer and spec.shape.rank == 1 and not passes:
        return lambda value: vocabulary.decode(value.tolist())
    raise UsageError(
        f"the feature {feature!r} of the SeqIO Task {task.name!r} is no text: it is "
        f"{spec.dtype.name} of shape {spec.shape}, and only a string, or ids of a "
        "vocabulary of the Task's, can be read. Set seqio.feature, or make a Task of "
        "its text alone."
    )


def tokenises(step: Any) -> bool:
    """Whether a preprocessor is one of SeqIO's that turn text into ids."""
    while isinstance(step, functools.partial):
        step = step.func
    function = getattr(step, "__wrapped__", step)
    module = getattr(function, "__module__", "") or ""
    return module.startswith("seqio.") and function.__name__ in _TOKENISING


def _is_ours(task: str) -> bool:
    """Whether a Task is a corpus read through an objective."""
    return type(seqio.TaskRegistry.get(task)).__name__ == "ObjectiveTask"
