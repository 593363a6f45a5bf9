"""Minimal pairs of the corpus `policies`, whose documents say what they state where."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ....tasks.corpora.policies import Policies, restated
from ..choices.items import Item
from ..choices.paragraphs import word_count
from .swaps import Swap, sentence_at, sentences_of


def fact_pairs(
    corpus: Policies,
    split: str,
    *,
    indices: Sequence[int],
    rng: np.random.Generator,
    each: int = 8,
    most_words: int = 400,
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

    Returns:
      Items as of `minimal_pairs`; their `document` is a place in `indices`.
    """
    items: list[Item] = []
    for number, index in enumerate(indices):
        policy = corpus.policy(split, index)
        text, sentences = policy.text, sentences_of(policy.text)
        swaps_by_place: dict[int, list[Swap]] = defaultdict(list)
        for again in restated(policy):
            start, earlier = again.start, again.earlier
            evidence = sentence_at(sentences, min(earlier, again.rival))
            if word_count(text[evidence.start : start]) <= most_words:
                true, own = text[start : again.stop], sentence_at(sentences, start)
                swap = Swap(
                    again.kind, start, true, again.false, earlier, evidence, own
                )
                swaps_by_place[start].append(swap)
        swaps = list(swaps_by_place.values())
        for at in rng.permutation(len(swaps))[:each]:
            swap = swaps[at][int(rng.integers(len(swaps[at])))]
            items.append(swap.item(number, text, most_words=most_words))
    return items
