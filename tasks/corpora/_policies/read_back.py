"""The fact checker tested on the generator: what it reads, misses and finds."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .checker import contradictions, mentions
from .policy import Policy
from .swaps import swapped


class ReadBack(NamedTuple):
    """Counts over documents.

    Attributes:
      documents: how many were read.
      mentions: mentions of facts that the generator wrote.
      misread: those not read back with their value and place, and spurious ones.
      contradicting: documents whose unchanged text seems contradictory: mistakes.
      planted: documents with a value swapped at one mention.
      found: of those, documents in which a contradiction is found at that mention.
    """

    documents: int
    mentions: int
    misread: int
    contradicting: int
    planted: int
    found: int


def read_back(
    policies: Iterable[Policy], rng: np.random.Generator, *, numbers: int = 40
) -> ReadBack:
    """Reads documents unchanged, and each with one value swapped.

    Args:
      policies: documents.
      rng: source of the mention that is swapped, and of its false value.
      numbers: the corpus's setting of that name.
    """
    counts = np.zeros(len(ReadBack._fields), int)
    for policy in policies:
        stated = {(*policy.facts[m.fact], m.start, m.stop) for m in policy.mentions}
        read = {tuple(mention) for mention in mentions(policy.text)}
        index = int(rng.integers(len(policy.mentions)))
        place = policy.mentions[index].start
        text = swapped(policy, index, rng, numbers=numbers)
        pairs = contradictions(text)
        at_place = any(place in (p.earlier.start, p.later.start) for p in pairs)
        contradicting = bool(contradictions(policy.text))
        counts += (1, len(stated), len(stated ^ read), contradicting, 1, at_place)
    return ReadBack(*counts.tolist())
