"""From a document to its Examples: windows, and each Example's own randomness."""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

from ...objectives.errors import NoExampleError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds
from ...objectives.text import Text, Tokens
from ..tokens.tokenised_documents import TokenisedDocuments


def document_examples(
    objective: Objective,
    documents: TokenisedDocuments,
    index: int,
    tokens: Tokens,
    spans: Iterable[tuple[int, int]],
    *,
    ids: SpecialIds,
    seed: int,
    epoch: int,
) -> Iterator[tuple[int, Example]]:
    """The Examples of a document, each with the number of its window.

    A window that the objective makes no Example of is passed over.

    Args:
      objective: with its settings bound.
      documents: of the split; where other documents are drawn.
      index: of the document.
      tokens: of the document.
      spans: its windows (`windows`).
      ids: reserved ids.
      seed: the run's.
      epoch: pass over the corpus.
    """
    for number, (start, stop) in enumerate(spans):
        rng = example_rng(
            seed, objective.name, epoch=epoch, document=index, window=number
        )
        text = Text(tokens, start, stop, documents.others(index))
        try:
            yield number, objective(text, rng, ids)
        except NoExampleError:
            continue


def windows(length: int, *, window: int, smallest: int) -> list[tuple[int, int]]:
    """Cuts a document into consecutive windows `[start, stop)` that use all of it.

    A tail that is shorter than `smallest` borrows from the window before it, which
    ends earlier; where that would make the window before too short, the two overlap.
    A document shorter than `smallest` has no windows.

    Args:
      length: tokens of the document, EOS included.
      window: most tokens in a window.
      smallest: fewest tokens in a window, at most `window`.
    """
    if length < smallest:
        return []
    starts = list(range(0, length, window))
    stops = [*starts[1:], length]
    if length - starts[-1] < smallest:
        starts[-1] = length - smallest
        if starts[-1] - starts[-2] >= smallest:
            stops[-2] = starts[-1]
    return list(zip(starts, stops, strict=True))


def example_rng(
    seed: int, objective: str, *, epoch: int, document: int, window: int
) -> np.random.Generator:
    """The generator of one Example: a function of what it is, not of when it comes.

    Args:
      seed: the run's seed, any integer of 64 bits.
      objective: the objective's name.
      epoch: pass over the corpus.
      document: index of the document in its split.
      window: index of the window in its document.
    """
    name = int.from_bytes(hashlib.sha256(objective.encode()).digest()[:8], "little")
    parts = (seed, name, epoch, document, window)
    # Two words for each part, so that no two tuples give the same words.
    words = np.array([part % 2**64 for part in parts], np.uint64).view(np.uint32)
    return np.random.default_rng(np.random.SeedSequence(words.tolist()))
