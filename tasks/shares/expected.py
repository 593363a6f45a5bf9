"""Expected shares of a mixture: rate × mean size of an Example, for each objective.

Without the pipeline: documents of the corpus go through each objective, and the rates
weigh the outputs. The pipeline's own shares must agree. From which context tokens are
predicted is traced through coded text (`objectives.coded`) in windows of the same
lengths.
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ...models.rows import RowShape
from ...objectives.coded import MOST, coded_ids, coded_text, contexts
from ...objectives.registry import CAPACITY, Objective
from ...objectives.special_ids import SpecialIds
from ...objectives.text import Text
from ..examples.mixture import Mixture, split_task
from ..examples.windows import windows
from ..rows.layout import budget
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary
from .share_estimates import RESAMPLES

_COLUMNS = ("examples", "processed", "supervised", "past", "both", "permuted")


class Arithmetic(NamedTuple):
    """Shares computed from the rates, and their sampling errors, by objective id.

    Attributes:
      shares: of `examples`, `processed` and `supervised` tokens.
      errors: one standard error of each, by bootstrap over documents.
      contexts: share of an objective's supervised tokens predicted from `past`, `both`
        sides and `permuted` context; 0 for an objective that is not mixed.
    """

    shares: Mapping[str, Float[np.ndarray, " O"]]
    errors: Mapping[str, Float[np.ndarray, " O"]]
    contexts: Mapping[str, Float[np.ndarray, " O"]]


def arithmetic(
    mixture: Mixture, shape: RowShape, rng: np.random.Generator, *, documents: int
) -> Arithmetic:
    """The shares to expect of a mixture's rates on rows of this shape.

    Args:
      mixture: rates, settings, corpora.
      shape: of the rows.
      rng: for drawing documents, and for the objectives.
      documents: to read of each corpus.
    """
    vocab = vocabulary(mixture.vocabulary)
    tokenised = {
        corpus: TokenisedDocuments(mixture.corpus(corpus), "train", vocab)
        for corpus in sorted({split_task(t)[0] for t in mixture.positive_rates()})
    }
    indices = {
        corpus: rng.choice(
            len(corpus_documents), min(documents, len(corpus_documents)), replace=False
        )
        for corpus, corpus_documents in tokenised.items()
    }
    totals, resampled = np.zeros((CAPACITY, 6)), np.zeros((RESAMPLES, CAPACITY, 6))
    for task, rate in mixture.positive_rates().items():
        corpus, name = split_task(task)
        objective = mixture.objective(name)
        window = objective.window(budget(shape))
        make = functools.partial(_document_sums, objective, window, vocab.special_ids)
        document_sums = np.array(
            [make(tokenised[corpus], int(n), rng) for n in indices[corpus]]
        )
        totals[objective.id] += rate * _per_example(document_sums.sum(0))
        size = len(document_sums)
        weights = rng.multinomial(size, np.full(size, 1 / size), RESAMPLES)
        resampled[:, objective.id] += rate * _per_example(weights @ document_sums)
    sizes = _COLUMNS[:3]
    spread = _shares(resampled).std(0)
    kinds = totals[:, 3:] / np.maximum(totals[:, 3:].sum(1, keepdims=True), 1e-30)
    return Arithmetic(
        dict(zip(sizes, _shares(totals).T, strict=True)),
        dict(zip(sizes, spread.T, strict=True)),
        dict(zip(_COLUMNS[3:], kinds.T, strict=True)),
    )


def _document_sums(
    objective: Objective,
    window: int,
    ids: SpecialIds,
    documents: TokenisedDocuments,
    index: int,
    rng: np.random.Generator,
) -> Float[np.ndarray, " 6"]:
    """Totals over the Examples of a document, in the order of `_COLUMNS`."""
    sums = np.zeros(len(_COLUMNS))
    tokens, smallest = documents[index], objective.smallest()
    for start, stop in windows(len(tokens), window=window, smallest=smallest):
        text = Text(tokens, start, stop, documents.others(index))
        example = objective(text, rng, ids)
        slots = len(example.inputs) + len(example.targets)
        weights = np.concatenate([example.inputs_weights, example.targets_weights])
        supervised = (weights > 0).sum()
        after = 0 if text.ends_document else min(2 * window, MOST - (stop - start))
        coded = coded_text(stop - start + after, 0, stop - start)
        kinds = np.array(contexts(objective(coded, rng, coded_ids())))
        sums += (1, slots, supervised, *(supervised * kinds / kinds.sum()))
    return sums


def _per_example(sums: Float[np.ndarray, "*n 6"]) -> Float[np.ndarray, "*n 6"]:
    return sums / np.maximum(sums[..., :1], 1)


def _shares(sums: Float[np.ndarray, "*n O 6"]) -> Float[np.ndarray, "*n O 3"]:
    sizes = sums[..., :3]
    return sizes / sizes.sum(-2, keepdims=True)
