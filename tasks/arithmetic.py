"""What a mixture's rates come to: rate × mean size of an Example, for each objective.

DESIGN §2's arithmetic, without the pipeline: documents of the corpus give lengths,
coded text of those lengths (`objectives.coded`) goes through each objective, and the
rates weigh what comes out. The pipeline's own shares must agree with it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..models.rows import RowShape
from ..objectives.coded import coded_ids, coded_text, contexts
from ..objectives.registry import CAPACITY, Objective
from .layout import budget
from .measured import RESAMPLES
from .mixture import Mixture, split_task
from .vocabulary import vocabulary
from .windows import windows

_COLUMNS = ("examples", "processed", "supervised", "past", "both", "permuted")


class Arithmetic(NamedTuple):
    """Shares that the rates come to, and their sampling errors, by objective id.

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
    """The shares that a mixture's rates come to on rows of this shape.

    Args:
      mixture: rates, settings, corpora.
      shape: of the rows.
      rng: draws the documents, and what objectives draw.
      documents: of each corpus, whose lengths are read.
    """
    lengths = {
        corpus: _lengths(mixture, corpus, rng, documents=documents)
        for corpus in {split_task(task)[0] for task in mixture.positive_rates()}
    }
    plain, drawn = np.zeros((CAPACITY, 6)), np.zeros((RESAMPLES, CAPACITY, 6))
    for task, rate in mixture.positive_rates().items():
        corpus, name = split_task(task)
        objective = mixture.objective(name)
        sums = _document_sums(objective, lengths[corpus], shape, rng)  # [D 6]
        plain[objective.id] += rate * _per_example(sums.sum(0))
        size = len(sums)
        weights = rng.multinomial(size, np.full(size, 1 / size), RESAMPLES)
        drawn[:, objective.id] += rate * _per_example(weights @ sums)
    sizes = _COLUMNS[:3]
    spread = _shares(drawn).std(0)
    kinds = plain[:, 3:] / np.maximum(plain[:, 3:].sum(1, keepdims=True), 1e-30)
    return Arithmetic(
        dict(zip(sizes, _shares(plain).T, strict=True)),
        dict(zip(sizes, spread.T, strict=True)),
        dict(zip(_COLUMNS[3:], kinds.T, strict=True)),
    )


def _lengths(
    mixture: Mixture, corpus: str, rng: np.random.Generator, *, documents: int
) -> list[int]:
    """Lengths in tokens, EOS included, of documents drawn from the training split."""
    words = vocabulary(mixture.vocabulary)
    found = mixture.corpus(corpus).documents("train")
    chosen = rng.choice(len(found), min(documents, len(found)), replace=False)
    return [len(words.encode_document(found[int(index)])) for index in chosen]


def _document_sums(
    objective: Objective,
    lengths: Sequence[int],
    shape: RowShape,
    rng: np.random.Generator,
) -> Float[np.ndarray, "D 6"]:
    """What the Examples of each document take in all, in the order of `_COLUMNS`."""
    window, smallest = objective.window(budget(shape)), objective.smallest()
    ids = coded_ids()
    sums = np.zeros((len(lengths), len(_COLUMNS)))
    for row, length in enumerate(lengths):
        for start, stop in windows(length, window=window, smallest=smallest):
            example = objective(coded_text(length, start, stop), rng, ids)
            kinds = contexts(example)
            slots = len(example.inputs) + len(example.targets)
            sums[row] += (1, slots, sum(kinds), *kinds)
    return sums


def _per_example(sums: Float[np.ndarray, "*n 6"]) -> Float[np.ndarray, "*n 6"]:
    return sums / np.maximum(sums[..., :1], 1)


def _shares(sums: Float[np.ndarray, "*n O 6"]) -> Float[np.ndarray, "*n O 3"]:
    sizes = sums[..., :3]
    return sizes / sizes.sum(-2, keepdims=True)
