"""From a document to its Examples: windows, their order, each Example's randomness."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Int64

from ...objectives.errors import NoExampleError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds
from ...objectives.text import Text, Tokens
from ..tokens.tokenised_documents import TokenisedDocuments

SHUFFLED = 8192
"""About how many windows are shuffled together; a shorter epoch is shuffled whole."""

FEWEST_DOCUMENTS = 32
"""Least documents shuffled together, so that none keeps its windows in sequence."""

Span = tuple[int, int]
"""`[start, stop)` in a document's tokens."""

Cut = Callable[[int], list[Span]]
"""From a document's length to its windows."""


def window_example(
    objective: Objective,
    documents: TokenisedDocuments,
    tokens: Tokens,
    span: Span,
    *,
    ids: SpecialIds,
    seed: int,
    epoch: int,
    document: int,
    window: int,
) -> Example:
    """The Example of one window of a document.

    Args:
      objective: with its settings bound.
      documents: of the split; source of other documents.
      tokens: of the document.
      span: the window.
      ids: reserved ids.
      seed: the run's.
      epoch: pass over the corpus.
      document: index in its split.
      window: index in its document.

    Raises:
      NoExampleError: the objective makes none from this window.
    """
    rng = example_rng(
        seed,
        documents.corpus,
        objective.name,
        epoch=epoch,
        document=document,
        window=window,
    )
    return objective(Text(tokens, *span, documents.others(document)), rng, ids)


def window_examples(
    objective: Objective,
    documents: TokenisedDocuments,
    places: Iterable[tuple[int, Tokens, int, Span]],
    *,
    ids: SpecialIds,
    seed: int,
    epoch: int,
) -> Iterator[tuple[int, int, Example]]:
    """The Examples of some windows; those that give none are passed over.

    Args:
      objective: with its settings bound.
      documents: of the split; where other documents are drawn.
      places: for each window: index and tokens of its document, its index there, span.
      ids: reserved ids.
      seed: the run's.
      epoch: pass over the corpus.

    Yields:
      Index of the document, index of the window, Example.
    """
    for document, tokens, window, span in places:
        try:
            example = window_example(
                objective,
                documents,
                tokens,
                span,
                ids=ids,
                seed=seed,
                epoch=epoch,
                document=document,
                window=window,
            )
        except NoExampleError:
            continue
        yield document, window, example


def windows(length: int, *, window: int, smallest: int) -> list[Span]:
    """Cuts a document into consecutive windows `[start, stop)` that cover it.

    A tail shorter than `smallest` takes tokens from the window before it, which ends
    earlier; if that would make the window before too short, the two overlap.
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


def block_documents(documents: TokenisedDocuments, cut: Cut) -> int:
    """The number of documents whose windows are shuffled together.

    All of them if that is about `SHUFFLED` windows or fewer. A larger epoch is split
    into equal blocks of documents, whose order is shuffled too.
    """
    rng = np.random.default_rng(0)
    sample: list[int] = rng.integers(len(documents), size=64).tolist()
    mean = np.mean([len(cut(len(documents[index]))) for index in sample])
    blocks = max(1, round(float(mean) * len(documents) / SHUFFLED))
    return max(FEWEST_DOCUMENTS, -(-len(documents) // blocks))


def block_windows(lengths: Sequence[int], cut: Cut) -> Int64[np.ndarray, "W 4"]:
    """The windows of some documents, in the order of the text.

    Args:
      lengths: tokens of each document.
      cut: maps a document's length to its windows.

    Returns:
      For each window: the number of its document, its index there, start and stop.
    """
    spans = [
        (number, window, *span)
        for number, length in enumerate(lengths)
        for window, span in enumerate(cut(length))
    ]
    return np.array(spans, np.int64).reshape(-1, 4)


def shuffled_windows(
    lengths: Sequence[int], cut: Cut, rng: np.random.Generator
) -> Int64[np.ndarray, "W 4"]:
    """`block_windows` in a random order."""
    return rng.permutation(block_windows(lengths, cut))


def example_rng(
    seed: int, corpus: str, objective: str, *, epoch: int, document: int, window: int
) -> np.random.Generator:
    """The generator of one Example: a function of its identity, not of its order.

    Args:
      seed: the run's seed, any integer of 64 bits.
      corpus: its name.
      objective: the objective's name.
      epoch: pass over the corpus.
      document: index of the document in its split.
      window: index of the window in its document; -1 is the order of the windows of a
        block that begins with the document.
    """
    names = [_hash(name) for name in (corpus, objective)]
    parts = (seed, *names, epoch, document, window)
    # Two words for each part, so that no two tuples give the same words.
    words = np.array([part % 2**64 for part in parts], np.uint64).view(np.uint32)
    return np.random.default_rng(np.random.SeedSequence(words.tolist()))


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
