"""Where words and sentences begin in a run of tokens."""

import numpy as np
from jaxtyping import Bool, Int32

from .special_ids import SpecialIds
from .text import Tokens


def word_begins(tokens: Tokens, ids: SpecialIds) -> Bool[np.ndarray, " N"]:
    """Marks the tokens that begin a word; the first one always does."""
    begins = _among(tokens, ids.word_starts)
    begins[1:] |= _among(tokens, ids.word_ends)[:-1]
    begins[:1] = True
    return begins


def sentence_begins(tokens: Tokens, ids: SpecialIds) -> Bool[np.ndarray, " N"]:
    """Marks the tokens that begin a sentence; the first one always does.

    A sentence begins where a word does, after a token that a sentence can end in.
    """
    begins = word_begins(tokens, ids)
    begins[1:] &= _among(tokens, ids.sentence_ends)[:-1]
    begins[:1] = True
    return begins


def _among(
    tokens: Tokens, ascending: Int32[np.ndarray, " ids"]
) -> Bool[np.ndarray, " N"]:
    """Marks the tokens found among ascending ids."""
    if not len(ascending):
        return np.zeros(len(tokens), bool)
    places = np.searchsorted(ascending, tokens)
    return ascending[np.minimum(places, len(ascending) - 1)] == tokens
