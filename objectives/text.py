"""What an objective is given: a window of a document, and a way to other documents."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

Tokens = Int32[np.ndarray, " _"]


class Text(NamedTuple):
    """The window `[start, stop)` of a tokenised document.

    Attributes:
      document: ids of the whole document; the last one is EOS, no other is special.
      start: first token of the window.
      stop: one past the last token of the window.
      other: draws the tokens (EOS included) of another document of the corpus; EOS
        alone where there is no other one.
    """

    document: Tokens
    start: int
    stop: int
    other: Callable[[np.random.Generator], Tokens]

    @property
    def tokens(self) -> Tokens:
        """The window's own tokens; they end in EOS exactly where the document ends."""
        return self.document[self.start : self.stop]

    @property
    def ends_document(self) -> bool:
        return self.stop == len(self.document)


def joined_in(documents: Iterable[Tokens], texts: Sequence[Tokens]) -> bool:
    """Whether a document has these texts one right after the other."""
    pattern = np.concatenate(texts).astype(np.int32).tobytes()
    for document in documents:
        text = np.ascontiguousarray(document, np.int32).tobytes()
        at = text.find(pattern)
        while at >= 0 and at % 4:  # across tokens
            at = text.find(pattern, at + 1)
        if at >= 0:
            return True
    return False
