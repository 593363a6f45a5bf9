"""Minimal pairs of the corpus `policies`, whose documents say what they state where."""

from collections.abc import Sequence

import numpy as np

from ....tasks.corpora.policies import Policies, Restated, restated
from ..choices.items import Item
from ..choices.paragraphs import word_count
from .minimal_pairs import BANDS, swapped_item
from .restatements import Swap
from .stated_values import Sentence, sentences_of


def fact_pairs(
    corpus: Policies,
    split: str,
    *,
    indices: Sequence[int],
    rng: np.random.Generator,
    each: int = 8,
    most_words: int = 400,
    most_after: int = 24,
    bands: Sequence[int] = BANDS,
) -> list[Item]:
    """As `minimal_pairs`, of every fact that a document restates, and exact.

    The false value is one that another fact of the document has (`swaps.restated`),
    stated before. The generator draws values apart from all else, so neither value is
    likelier to be the true one.

    Args:
      corpus: the documents.
      split: of the corpus.
      indices: of documents of the split.
      rng: of which mentions and values are taken.
      each: most items of a document.
      most_words: of what is before, cut from the left where a sentence begins; both
        values are stated in what is left.
      most_after: words of the sentence from the value on.
      bands: of distances.

    Returns:
      Items as of `minimal_pairs`; their `document` is a place in `indices`.
    """
    items: list[Item] = []
    for number, index in enumerate(indices):
        policy = corpus.policy(split, index)
        sentences = sentences_of(policy.text, ())
        places: dict[int, list[Swap]] = {}
        for found in restated(policy):
            swap = _swap(policy.text, sentences, found, most_words)
            if swap is not None:
                places.setdefault(found.start, []).append(swap)
        swaps = list(places.values())
        for at in rng.permutation(len(swaps))[:each]:
            swap = swaps[at][int(rng.integers(len(swaps[at])))]
            items.append(
                swapped_item(
                    number,
                    policy.text,
                    swap,
                    most_words=most_words,
                    most_after=most_after,
                    bands=bands,
                )
            )
    return items


def _swap(
    text: str, sentences: Sequence[Sentence], found: Restated, most_words: int
) -> Swap | None:
    """None where a value is stated further back than `most_words`."""
    first = min(found.earlier, found.rival)
    own = next(s for s in sentences if s.start <= found.start < s.stop)
    told = next(s for s in sentences if s.start <= first < s.stop)
    if word_count(text[told.start : found.start]) > most_words:
        return None
    return Swap(
        found.kind,
        found.start,
        found.stop,
        found.false,
        found.earlier,
        told.start,
        own.start,
        own.stop,
    )
