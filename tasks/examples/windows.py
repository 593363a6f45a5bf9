"""From a document to its Examples: windows, their order, each Example's randomness."""

import hashlib
import struct
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


def window_examples(
    objective: Objective,
    documents: TokenisedDocuments,
    places: Iterable[tuple[int, Tokens, int, Span]],
    *,
    ids: SpecialIds,
    seed: int,
    epoch: int,
) -> Iterator[tuple[int, Example]]:
    """The Examples of some windows; those that give none are passed over.

    Args:
      objective: with its settings bound.
      documents: of the split; where other documents are drawn.
      places: for each window: index and tokens of its document, its index there, span.
      ids: reserved ids.
      seed: the run's.
      epoch: pass over the corpus.

    Yields:
      Number of the window among `places`, Example.
    """
    rngs = ExampleRngs(seed, documents.corpus, objective.name, epoch=epoch)
    for number, (document, tokens, window, span) in enumerate(places):
        text = Text(tokens, *span, documents.others(document))
        try:
            example = objective(text, rngs.at(document, window), ids)
        except NoExampleError:
            continue
        yield number, example


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

    All of them if that is about `SHUFFLED` windows or fewer. A larger epoch, whose
    documents come in a random order, is split into equal blocks: an order of all its
    windows needs all lengths, and so the tokens of the whole corpus.
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


class ExampleRngs:
    """The generators of the Examples of one objective in one epoch.

    Each is a function of the Example's identity, not of its order.

    Args:
      seed: the run's seed, any integer of 64 bits.
      corpus: its name.
      objective: the objective's name.
      epoch: pass over the corpus.
    """

    def __init__(self, seed: int, corpus: str, objective: str, *, epoch: int):
        # A name of its own length after its length: no two tuples give the same bytes.
        names = [part for name in (corpus, objective) for part in _counted(name)]
        self._common = hashlib.blake2b(
            b"".join([*names, struct.pack("<QQ", seed % 2**64, epoch)]),
            digest_size=32,
        )
        self._bits = np.random.PCG64(0)
        self._rng = np.random.Generator(self._bits)

    def at(self, document: int, window: int) -> np.random.Generator:
        """The generator of one Example, good until the next call.

        Making one costs several times what setting its state does.

        Args:
          document: index of the document in its split.
          window: index of the window in its document; -1 is the order of the windows of
            a block that begins with the document.
        """
        identity = self._common.copy()
        identity.update(struct.pack("<qq", document, window))
        digest = identity.digest()
        self._bits.state = {
            "bit_generator": "PCG64",
            "state": {
                "state": int.from_bytes(digest[:16], "little"),
                "inc": int.from_bytes(digest[16:], "little") | 1,
            },
            "has_uint32": 0,
            "uinteger": 0,
        }
        return self._rng


def example_rng(
    seed: int, corpus: str, objective: str, *, epoch: int, document: int, window: int
) -> np.random.Generator:
    """The generator of one Example by itself; see `ExampleRngs`."""
    return ExampleRngs(seed, corpus, objective, epoch=epoch).at(document, window)


def _counted(name: str) -> tuple[bytes, bytes]:
    content = name.encode()
    return struct.pack("<Q", len(content)), content
