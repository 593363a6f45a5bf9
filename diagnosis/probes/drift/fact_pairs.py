"""Minimal pairs of the corpus `policies`, whose documents list their facts."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ....tasks.corpora.policies import Policies, restated
from ..choices.items import Item
from ..choices.paragraphs import word_count
from .swaps import Swap, sentence_at, sentences_of, shared


def fact_pairs(
    corpus: Policies,
    split: str,
    *,
    indices: Sequence[int],
    rng: np.random.Generator,
    each: int = 8,
    most_words: int = 400,
) -> list[Item]:
    """As `minimal_pairs`, but exact, and for every fact that a document restates.

    The false value is that of another fact stated earlier in the document
    (`swaps.restated`). The generator draws values independently, so neither value is
    likelier a priori.

    Args:
      corpus: to make items from.
      split: of the corpus.
      indices: of documents of the split.
      rng: draws mentions and values.
      each: most items of a document.
      most_words: in `before`, which is cut to whole sentences and still states both
        values.

    Returns:
      Items as from `minimal_pairs`; their `document` is a place in `indices`.
    """
    items: list[Item] = []
    for number, index in enumerate(indices):
        policy = corpus.policy(split, index)
        text, sentences = policy.text, sentences_of(policy.text)
        swaps_by_place: dict[int, list[Swap]] = defaultdict(list)
        for again in restated(policy):
            start, earlier = again.start, again.earlier
            evidence = sentence_at(sentences, min(earlier, again.rival))
            true, own = text[start : again.stop], sentence_at(sentences, start)
            parting = start + shared(true, again.false)
            if word_count(text[evidence.start : parting]) <= most_words:
                swap = Swap(
                    again.kind, start, true, again.false, earlier, evidence, own
                )
                swaps_by_place[start].append(swap)
        swaps = list(swaps_by_place.values())
        for at in rng.permutation(len(swaps))[:each]:
            swap = swaps[at][int(rng.integers(len(swaps[at])))]
            items.append(swap.item(number, text, most_words=most_words))
    return items
