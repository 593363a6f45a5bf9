"""False pairs of a window that is cut anywhere: where their B comes from."""

from collections.abc import Mapping

import numpy as np

from .sentence_cuts import DRAWS, TOO_SHORT, Kind, Pair
from .tally import count
from .text import Text, Tokens


def false_pair(
    text: Text,
    first: Tokens,
    second: Tokens,
    rng: np.random.Generator,
    *,
    rates: Mapping[Kind, float],
    distance: int | None,
) -> Pair:
    """A pair that does not continue, of a kind that the documents allow.

    Nothing but what the texts say may tell it from a true one (`sentence_pair`).

    Args:
      text: the window; where other documents are drawn.
      first: A, the window's tokens before the cut.
      second: the true B, those behind it.
      rng: source of all randomness.
      rates: of each kind; the kind is drawn in proportion to them.
      distance: as of `sentence_pair`.
    """
    size = len(second)
    pairs: dict[Kind, Pair] = {"swapped": (second, first)}
    if rates["other"] and (elsewhere := _other(text, size, rng)) is not None:
        pairs["other"] = (first, elsewhere)
    if rates["further"]:
        later = _further(text, len(first), size, rng, distance=distance)
        if later is not None:
            pairs["further"] = (first, later)
    kinds: list[Kind] = [kind for kind in pairs if rates[kind]]
    if not kinds:
        count("negatives swapped instead")
        kinds = ["swapped"]
    weights = np.array([rates[kind] or 1.0 for kind in kinds])
    return pairs[kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]]


def _further(
    text: Text,
    cut: int,
    size: int,
    rng: np.random.Generator,
    *,
    distance: int | None,
) -> Tokens | None:
    """`size` later tokens of the document that do not end it; None if too short."""
    if distance is None:
        return _slice(text.document[text.stop : -1], size, rng)
    later = text.document[text.start + cut + distance : -1]
    return later[:size] if len(later) > size else None


def _slice(tokens: Tokens, size: int, rng: np.random.Generator) -> Tokens | None:
    """`size` tokens that do not end the text, every start alike; None if too short."""
    starts = len(tokens) - size
    if starts < 1:
        return None
    start = int(rng.integers(starts))
    return tokens[start : start + size]


def _other(text: Text, size: int, rng: np.random.Generator) -> Tokens | None:
    """`size` tokens of another document: of its end if the window ends its own.

    Else, of the documents drawn, one is chosen with a probability in proportion to
    the number of places where such a text can start in it.
    """
    # Without the first token: a true B never begins its document.
    documents = [text.other(rng)[1:-1] for _ in range(DRAWS)]
    if text.ends_document:
        ends = (d[-size:] for d in documents if len(d) >= size)
        if (end := next(ends, None)) is None:
            count(TOO_SHORT)
        return end
    starts = np.array([max(0, len(document) - size) for document in documents])
    if not starts.any():
        count(TOO_SHORT)
        return None
    chosen = documents[int(rng.choice(DRAWS, p=starts / starts.sum()))]
    return _slice(chosen, size, rng)
