"""A few Examples of each task of a mixture, for inspection; without SeqIO."""

import functools
from collections.abc import Sequence

import numpy as np

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds
from ...objectives.text import Text
from ..rows.layout import budget
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary
from .mixture import Mixture, split_task
from .windows import example_rng, windows

TRIES = 256
"""Most documents drawn to find those that fill a row."""


def draw(
    mixture: Mixture,
    shape: RowShape,
    *,
    tasks: Sequence[str],
    seed: int,
    examples: int = 1,
) -> list[tuple[str, Example]]:
    """Makes Examples of each task, from the first windows of documents.

    All objectives get the same documents of their corpus, so that they can be
    compared. The documents are drawn at random; those that are long enough to fill a
    row come first. Each Example is the one that a run with this seed and these rows
    makes of that window in its first pass.

    Args:
      mixture: its corpora, settings and vocabulary.
      shape: of the rows that the Examples must fit.
      tasks: of the mixture.
      seed: of the documents and the Examples.
      examples: of each task.

    Returns:
      Task and Example, corpus after corpus and task after task.

    Raises:
      ValueError: an objective fits no row, or no document of its corpus is long
        enough.
    """
    samples = []
    vocab = vocabulary(mixture.vocabulary)
    for name in dict.fromkeys(split_task(task)[0] for task in tasks):
        documents = TokenisedDocuments(mixture.corpus(name), "train", vocab)
        objectives = {
            task: mixture.objective(split_task(task)[1])
            for task in tasks
            if split_task(task)[0] == name
        }
        sizes = {task: o.window(budget(shape)) for task, o in objectives.items()}
        longest = max(sizes.values())
        indices = _draw_documents(documents, examples, longer_than=longest, seed=seed)
        make = functools.partial(_example, documents, seed=seed)
        samples += [
            (task, make(index, objective, vocab.special_ids, window=sizes[task]))
            for task, objective in objectives.items()
            for index in indices
        ]
    return samples


def _draw_documents(
    documents: TokenisedDocuments, count: int, *, longer_than: int, seed: int
) -> list[int]:
    """Draws documents of more than `longer_than` tokens, else the longest drawn."""
    rng = np.random.default_rng(seed % 2**64)
    sizes: dict[int, int] = {}
    long: list[int] = []
    for _ in range(TRIES):
        index = int(rng.integers(len(documents)))
        if index not in sizes:
            sizes[index] = len(documents[index])
            long += [index] if sizes[index] > longer_than else []
        if len(long) == count:
            return long
    short = [index for index in sizes if index not in long]
    indices = [*long, *sorted(short, key=lambda index: -sizes[index])][:count]
    if len(indices) < count:
        raise UsageError(
            f"{count} examples of each task were asked for, but only {len(indices)} "
            f"documents of {documents.name} were drawn; ask for {len(indices)}."
        )
    return indices


def _example(
    documents: TokenisedDocuments,
    index: int,
    objective: Objective,
    ids: SpecialIds,
    *,
    window: int,
    seed: int,
) -> Example:
    """The Example of a document's first window."""
    tokens, smallest = documents[index], objective.smallest()
    if len(tokens) < smallest:
        raise UsageError(
            f"{objective.name!r} takes texts of {smallest} tokens or more, but "
            f"document {index} of {documents.name}, one of the longest of {TRIES} "
            f"drawn, has {len(tokens)}; try another seed."
        )
    span = windows(len(tokens), window=window, smallest=smallest)[0]
    text = Text(tokens, *span, documents.others(index))
    rng = example_rng(
        seed, documents.corpus, objective.name, epoch=0, document=index, window=0
    )
    return objective(text, rng, ids)
