"""A mixture's Examples straight from its corpora, without SeqIO.

For many short runs in one process, where starting TensorFlow and its threads would cost
more than the runs. Every Example is the one that SeqIO's tasks make of that window with
that seed; only their order differs.
"""

import functools
import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ..rows.layout import budget
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary
from .mixture import Mixture, split_task
from .windows import block_documents, shuffled_windows, window_examples, windows


def split_documents(mixture: Mixture, split: str) -> dict[str, TokenisedDocuments]:
    """The documents of each corpus of a mixture; tokens are cached once read."""
    vocab = vocabulary(mixture.vocabulary)
    corpora = dict.fromkeys(split_task(task)[0] for task in mixture.positive_rates())
    return {
        name: TokenisedDocuments(mixture.corpus(name), split, vocab) for name in corpora
    }


def mixed_examples(
    mixture: Mixture,
    shape: RowShape,
    *,
    seed: int,
    documents: Mapping[str, TokenisedDocuments] | None = None,
) -> Iterator[Example]:
    """Training Examples without end, their tasks drawn by the rates.

    Args:
      mixture: rates, corpora, settings and vocabulary.
      shape: of the rows that every Example fits.
      seed: of the order of documents, of the mixing and of every Example.
      documents: of the train split (`split_documents`), to share with other streams;
        None opens them.

    Raises:
      ValueError: an objective fits no row, or finds no document long enough.
    """
    rates = mixture.positive_rates()
    documents = documents or split_documents(mixture, "train")
    streams = [
        task_examples(
            mixture, task, shape, documents=documents[split_task(task)[0]], seed=seed
        )
        for task in rates
    ]
    shares = np.array(list(mixture.task_shares().values()))
    rng = np.random.default_rng([seed % 2**64, 0])
    while True:
        yield next(streams[int(rng.choice(len(streams), p=shares))])


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
    name = split_task(task)[1]
    ids = vocabulary(mixture.vocabulary).special_ids
    objective = mixture.objective(name)
    window, smallest = objective.window(budget(shape)), objective.smallest()
    cut = functools.partial(windows, window=window, smallest=smallest)
    size = block_documents(documents, cut)
    for epoch in itertools.count() if epochs is None else range(epochs):
        # One for each task, or all would read the same documents at the same time.
        rng = np.random.default_rng([seed % 2**64, 1, epoch, *task.encode()])
        order: list[int] = rng.permutation(len(documents)).tolist()
        count = 0
        for block in (order[at : at + size] for at in range(0, len(order), size)):
            tokens = [documents[index] for index in block]
            lengths = [len(document) for document in tokens]
            places = (
                (block[number], tokens[number], window, (start, stop))
                for number, window, start, stop in shuffled_windows(
                    lengths, cut, rng
                ).tolist()
            )
            for _, _, example in window_examples(
                objective, documents, places, ids=ids, seed=seed, epoch=epoch
            ):
                count += 1
                yield example
        if not count:
            raise too_short(objective, documents)


def too_short(objective: Objective, documents: TokenisedDocuments) -> UsageError:
    """The error that no document is long enough for an objective."""
    longest = max(len(documents[index]) for index in range(len(documents)))
    return UsageError(
        f"{objective.name!r} finds no text in {documents.name}: it takes "
        f"{objective.smallest()} tokens or more, and the longest of the "
        f"{len(documents):,} documents has {longest}. Give longer documents, fewer "
        "shards, or the objective a rate of 0."
    )
