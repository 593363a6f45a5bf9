"""A few Examples of each task of a mixture, for inspection; without SeqIO."""

import functools
import itertools
from collections.abc import Sequence

import numpy as np

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds
from ..rows.layout import budget
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary
from .mixture import Mixture, split_task
from .windows import Cut, window_examples, windows

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
    """Makes Examples of each task, each from the first window of a document.

    All objectives get the same documents of their corpus, so that they can be
    compared. The documents are drawn at random; those that are long enough to fill a
    row come first. Where the text repeats itself a window gives no Example; then the
    next one that does is taken, of that document or of another. Each Example is the
    one that a run with this seed and these rows makes of its window in its first pass.

    Args:
      mixture: its corpora, settings and vocabulary.
      shape: of the rows that the Examples must fit.
      tasks: of the mixture.
      seed: of the documents and the Examples.
      examples: of each task.

    Returns:
      Task and Example, corpus after corpus and task after task.

    Raises:
      ValueError: an objective fits no row, no document of its corpus is long enough,
        or none gives an Example.
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
        make = functools.partial(_examples, documents, indices, vocab.special_ids)
        samples += [
            (task, example)
            for task, objective in objectives.items()
            for example in make(objective, window=sizes[task], seed=seed)
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


def _examples(
    documents: TokenisedDocuments,
    indices: Sequence[int],
    ids: SpecialIds,
    objective: Objective,
    *,
    window: int,
    seed: int,
) -> list[Example]:
    """As many Examples as documents: of theirs, or of others where they give none."""
    smallest = objective.smallest()
    for index in indices:
        if (length := len(documents[index])) < smallest:
            raise UsageError(
                f"{objective.name!r} takes texts of {smallest} tokens or more, but "
                f"document {index} of {documents.name}, one of the longest of {TRIES} "
                f"drawn, has {length}; try another seed."
            )
    cut = functools.partial(windows, window=window, smallest=smallest)
    others = (n for n in range(min(len(documents), TRIES)) if n not in indices)
    tried = itertools.chain(indices, others)
    made = (_example(documents, index, cut, ids, objective, seed) for index in tried)
    found = list(itertools.islice(filter(None, made), len(indices)))
    if len(found) < len(indices):
        raise UsageError(
            f"{objective.name!r} makes an Example of {len(found)} of the documents of "
            f"{documents.name} that were tried, and {len(indices)} were asked for: the "
            "text repeats itself. Ask for fewer, give other text, or the objective a "
            "rate of 0."
        )
    return found


def _example(
    documents: TokenisedDocuments,
    index: int,
    cut: Cut,
    ids: SpecialIds,
    objective: Objective,
    seed: int,
) -> Example | None:
    """The Example of the first window of a document that gives one."""
    tokens = documents[index]
    places = ((index, tokens, n, span) for n, span in enumerate(cut(len(tokens))))
    made = window_examples(objective, documents, places, ids=ids, seed=seed, epoch=0)
    return next((example for _, example in made), None)
