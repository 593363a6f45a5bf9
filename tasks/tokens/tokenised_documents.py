"""The tokens of a split's documents, by random access; without SeqIO."""

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Int32

from ..corpora import Corpus
from .vocabulary import Vocabulary

CACHED_TOKENS = 2**24
"""Most tokens kept in memory: 64 MiB."""


class TokenisedDocuments:
    """The tokens of a split's documents, EOS included.

    The first `CACHED_TOKENS` tokens read are kept. Documents are read in random order,
    so the first ones are as likely to be read again as any.
    """

    def __init__(self, corpus: Corpus, split: str, vocabulary: Vocabulary):
        self.corpus = corpus.name
        self.name = f"{corpus.name}:{split}"
        self._documents = corpus.documents(split)
        self._vocabulary = vocabulary
        self._cache: dict[int, Int32[np.ndarray, " N"]] = {}
        self._room = CACHED_TOKENS

    def __len__(self) -> int:
        return len(self._documents)

    def __getitem__(self, index: int) -> Int32[np.ndarray, " N"]:
        tokens = self._cache.get(index)
        if tokens is None:
            tokens = self._vocabulary.encode_document(self._documents[index])
            if len(tokens) <= self._room:
                self._cache[index] = tokens
                self._room -= len(tokens)
        return tokens

    def others(
        self, document: int
    ) -> Callable[[np.random.Generator], Int32[np.ndarray, " N"]]:
        """A function that draws another document (`objectives.text.Text.other`)."""
        return functools.partial(self._other, document)

    def _other(
        self, document: int, rng: np.random.Generator
    ) -> Int32[np.ndarray, " N"]:
        """Draws any other document, all equally likely; an empty one if none is."""
        others = len(self) - 1
        if not others:
            # As is often so of the held-out part of a small corpus.
            return self[document][-1:]
        index = int(rng.integers(others))
        return self[index + (index >= document)]


class CorpusTokens:
    """A corpus in a vocabulary: the tokens of each split, opened when first read.

    All its readers share the cached tokens, so that a document is tokenised once,
    however many objectives are mixed.
    """

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary):
        self.corpus = corpus
        self.vocabulary = vocabulary
        self.split = functools.cache(self._open)

    def _open(self, split: str) -> TokenisedDocuments:
        return TokenisedDocuments(self.corpus, split, self.vocabulary)
