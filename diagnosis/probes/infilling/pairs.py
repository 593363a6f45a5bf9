"""Minimal pairs whose deciding fact stands to the right of the blank."""

import numpy as np

from ....tasks.corpora.policies import Policies
from ..choices.items import Item
from ..choices.paragraphs import beginning
from ..drift.stated_values import rare_words
from ..material import Material
from .blanks import Located, balance_order
from .fact_blanks import fact_blanks
from .text_blanks import text_blanks

EACH = 8
"""Most items of a document."""

MOST = 2000
"""Most words of a document that are read; a book has many more than are needed."""

LEFT, RIGHT = (1, 5), (2, 5)
"""Most words before and after a blank, as shares of those that fit a row. A model that
writes the whole text after it (reconstruction) needs room for it twice."""


def infilling_pairs(
    material: Material, split: str, rng: np.random.Generator
) -> list[Item]:
    """A blank filled right against the same with another value of the kind.

    As in `drift.minimal_pairs` the two texts differ only in the value, but nothing
    before the blank states either one, and the text after it states both, equally
    often, one of them about the same thing as the blank. So a text filled in from its
    left alone is right half of the time, as is one filled with the value that stands
    next, or is named most often. In half of the items of a kind the true value comes
    first.

    Of `policies` the items are exact (`fact_blanks`); of other corpora they are found
    by the words that sentences share (`text_blanks`).

    Args:
      material: the corpus.
      split: of it.
      rng: draws items where there are too many.

    Returns:
      Items whose `after` begins with the filling and ends with `Item.right` characters
      to the right of the blank.
    """
    corpus, texts = material.corpus, list(material.texts(split))
    most_left, most_right = (material.most_words * a // b for a, b in (LEFT, RIGHT))
    if isinstance(corpus, Policies):
        policies = (corpus.policy(split, number) for number in range(len(texts)))
        found = [fact_blanks(policy, most_right=most_right) for policy in policies]
    else:
        texts = [beginning(text, MOST) for text in texts]
        rare = rare_words(texts)
        found = [
            text_blanks(text, rare, rng, each=EACH, most_right=most_right)
            for text in texts
        ]
    chosen: list[Located] = []
    for number, blanks in enumerate(found):
        order = sorted(rng.permutation(len(blanks))[:EACH])
        chosen += [(number, blanks[at]) for at in order]
    return [
        blank.item(number, texts[number], most_left=most_left)
        for number, blank in balance_order(chosen, rng)
    ]
