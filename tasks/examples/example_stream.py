"""A mixture's Examples straight from its corpora, without SeqIO.

Every Example is the one that SeqIO's tasks make of that window with that seed; only
their order differs.
"""

import bisect
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...models.rows import RowShape
from ...objectives.example import Example
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary
from .mixture import Mixture, split_task
from .task_windows import TaskWindows

_DRAWS = 4096


def split_documents(mixture: Mixture, split: str) -> dict[str, TokenisedDocuments]:
    """The documents of each corpus of a mixture; tokens are cached once read."""
    vocab = vocabulary(mixture.vocabulary)
    return {
        name: TokenisedDocuments(mixture.corpus(name), split, vocab)
        for name in mixture.corpus_names()
    }


def mixed_examples(
    mixture: Mixture,
    shape: RowShape,
    *,
    seed: int,
    documents: Mapping[str, TokenisedDocuments] | None = None,
) -> Iterator[Example]:
    """Training Examples without end, their tasks drawn by the rates.

    With a schedule, by those of step 0. Corpora are opened before it returns: some
    import TFDS, which replaces `__import__` meanwhile, so that no other thread, such as
    that of a progress bar around the stream, may import then.

    Args:
      mixture: rates, corpora, settings and vocabulary.
      shape: of the rows that every Example fits.
      seed: of the order of documents, of the mixing and of every Example.
      documents: of the train split (`split_documents`), to share with other streams;
        None opens them.

    Raises:
      ValueError: an objective fits no row, or finds no document long enough.
    """
    mixture = mixture.at(0)
    documents = documents or split_documents(mixture, "train")
    streams = [
        task_examples(
            mixture, task, shape, documents=documents[split_task(task)[0]], seed=seed
        )
        for task in mixture.positive_rates()
    ]
    limits = cumulative_shares(mixture, list(mixture.positive_rates()))
    return (next(streams[bisect.bisect_right(limits, draw)]) for draw in draws(seed))


def task_examples(
    mixture: Mixture,
    task: str,
    shape: RowShape,
    *,
    documents: TokenisedDocuments,
    seed: int,
    epochs: int | None = None,
) -> Iterator[Example]:
    """Examples of one task: all windows of all documents, in a new order each epoch.

    Args:
      mixture: of the task.
      task: corpus and objective.
      shape: of the rows that every Example fits.
      documents: of a split of its corpus, in the mixture's vocabulary.
      seed: of the order of documents and of every Example.
      epochs: passes over the corpus; None for no end.

    Raises:
      ValueError: the objective fits no row, or finds no document long enough.
    """
    source = TaskWindows(mixture, task, shape, documents=documents, seed=seed)
    for epoch in itertools.count() if epochs is None else range(epochs):
        count = 0
        for block in range(source.blocks):
            size = len(source.block(epoch, block).windows)
            for _, example in source.examples(epoch, block, 0, size):
                count += 1
                yield example
        if not count:
            raise source.too_short()


def cumulative_shares(mixture: Mixture, tasks: Sequence[str]) -> list[float]:
    """The draws below which each task, but the last, or one before it is taken.

    Args:
      mixture: its rates; without a schedule.
      tasks: in order, all that are mixed among them.
    """
    shares = mixture.task_shares()
    sums = np.cumsum([shares.get(task, 0.0) for task in tasks])
    # A task at the end that is not mixed must not catch a draw beyond a rounded sum.
    mixed = [place for place, task in enumerate(tasks) if task in shares]
    sums[mixed[-1] :] = 1.0
    return sums[:-1].tolist()


def draws(seed: int, *, skip: int = 0, shard: int = 0) -> Iterator[float]:
    """Numbers within [0, 1) without end that choose the task of each Example.

    Args:
      seed: the run's.
      skip: how many to leave out at the front, at no cost.
      shard: index of the shard that draws.
    """
    for block in itertools.count(skip // _DRAWS):
        rng = np.random.default_rng([seed % 2**64, 0, shard, block])
        numbers: list[float] = rng.random(_DRAWS).tolist()
        yield from numbers[skip - block * _DRAWS if block == skip // _DRAWS else 0 :]
