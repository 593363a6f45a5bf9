"""The tokens of a split's documents, by random access; SeqIO is not needed."""

import functools
from collections.abc import Callable

import numpy as np
from jaxtyping import Int32

from .corpora import Corpus
from .vocabulary import Vocabulary


class TokenisedDocuments:
    """The tokens of a split's documents, EOS included."""

    def __init__(self, corpus: Corpus, split: str, vocabulary: Vocabulary):
        self.name = f"{corpus.name}:{split}"
        self._documents = corpus.documents(split)
        self._vocabulary = vocabulary
        self._read = functools.lru_cache(maxsize=1024)(self._tokenise)

    def __len__(self) -> int:
        return len(self._documents)

    def __getitem__(self, index: int) -> Int32[np.ndarray, " N"]:
        return self._read(index)

    def others(
        self, document: int
    ) -> Callable[[np.random.Generator], Int32[np.ndarray, " N"]]:
        """What draws a document that is not this one (`objectives.text.Text.other`)."""
        return functools.partial(self._other, document)

    def _tokenise(self, index: int) -> Int32[np.ndarray, " N"]:
        return self._vocabulary.encode_document(self._documents[index])

    def _other(
        self, document: int, rng: np.random.Generator
    ) -> Int32[np.ndarray, " N"]:
        """Every other document is equally likely."""
        others = len(self) - 1
        if others < 1:
            raise ValueError(
                f"{self.name} has one document only, so there is no other one to "
                "draw; use a corpus with more, or no objective of pairs."
            )
        drawn = int(rng.integers(others))
        return self[drawn + (drawn >= document)]
