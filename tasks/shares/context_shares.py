"""From which context a mixture's supervised tokens are predicted.

Traced through coded text (`objectives.coded`), in windows of the lengths that documents
of the corpora give.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from ...models.rows import RowShape
from ...objectives.coded import MOST, Contexts, coded_ids, coded_text, contexts
from ...objectives.registry import CAPACITY, Objective
from ..examples.mixture import Mixture, split_task
from ..examples.windows import windows
from ..rows.layout import budget
from ..tokens.tokenised_documents import CorpusTokens
from ..tokens.vocabulary import vocabulary


def context_shares(
    mixture: Mixture, shape: RowShape, rng: np.random.Generator, *, documents: int
) -> Mapping[str, Float[np.ndarray, " O"]]:
    """Share of each objective's supervised tokens predicted from each context.

    Args:
      mixture: rates, settings, corpora.
      shape: of the rows.
      rng: for drawing documents, and for the objectives.
      documents: to read of each corpus.

    Returns:
      By kind of context (`coded.Contexts`): `past`, `both` sides, `permuted`; 0 for an
      objective that is not mixed.
    """
    vocab = vocabulary(mixture.vocabulary)
    lengths: dict[str, list[int]] = {}
    for corpus in mixture.corpus_names():
        texts = CorpusTokens(mixture.corpus(corpus), vocab).split("train")
        indices = rng.choice(len(texts), min(documents, len(texts)), replace=False)
        lengths[corpus] = [len(texts[index]) for index in indices.tolist()]
    counts = np.zeros((CAPACITY, len(Contexts._fields)))
    for task, rate in mixture.task_shares().items():
        corpus, name = split_task(task)
        objective = mixture.objective(name)
        # What follows a window needs codes too, twice a window's worth (`_coded`).
        window = min(objective.window(budget(shape)), MOST // 3)
        counts[objective.id] += rate * _mean(objective, lengths[corpus], window, rng)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1e-30)
    return dict(zip(Contexts._fields, shares.T, strict=True))


def _mean(
    objective: Objective, lengths: list[int], window: int, rng: np.random.Generator
) -> Float[np.ndarray, " K"]:
    """Mean predictions of an Example, by context; 0 where no document has a window."""
    counts = [
        contexts(objective(_coded(*span, length, window), rng, coded_ids()))
        for length in lengths
        for span in windows(length, window=window, smallest=objective.smallest())
    ]
    total = np.array(counts, float).reshape(-1, len(Contexts._fields)).sum(0)
    return total / max(len(counts), 1)


def _coded(start: int, stop: int, length: int, window: int):
    """Coded text for a window, with two windows of text after it, if any."""
    size = stop - start
    after = 0 if stop == length else 2 * window
    return coded_text(size + after, 0, size)
