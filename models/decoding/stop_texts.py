"""Texts that end a generation, however they are cut into tokens."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ...objectives.errors import UsageError

Tokens = Int[np.ndarray, " _"]
Decode = Callable[[Tokens], str]
"""The text of tokens. More tokens only add to it, but for a character of several
bytes, which is UNFINISHED until its last byte is there."""

UNFINISHED = "\N{REPLACEMENT CHARACTER}"


class Cut(NamedTuple):
    """Where a generated text ends.

    Attributes:
      tokens: the fewest generated tokens whose text holds a stop text.
      text: what stands before that stop text, the first of them.
    """

    tokens: int
    text: str


class StopTexts:
    """Ends each row of a batch at the first text of a list that it generates.

    A stop text may begin and end inside tokens. It counts where all of it was
    generated: not where it began in what was given. The object is an `Ends` of
    `generate.make_stream`, for one batch, in which the tokens of a row only grow.

    Worked example: tokens `Yes` `.\\n\\nQ` `:` with the stop text `\\n\\n`, asked about
    all three at once, keep 2 of them, and their text is `Yes.`.

    Args:
      decode: the text of tokens.
      stops: the texts; none may be empty.
      before: of each row, tokens that stand before the generated ones in the same
        text; they may be none.

    Raises:
      ValueError: a stop text is empty.
    """

    def __init__(
        self, decode: Decode, stops: Sequence[str], *, before: Sequence[Tokens]
    ):
        if "" in stops:
            raise UsageError(
                "a stop text is empty, which would end every text before it begins; "
                "give texts of at least one character."
            )
        self._decode, self._stops, self._before = decode, tuple(stops), before
        # Characters that are given; one whose last byte is still to come is not.
        self._given = [len(decode(tokens).rstrip(UNFINISHED)) for tokens in before]
        self._searched = [0] * len(before)  # tokens known to hold no stop text

    def __call__(self, row: int, generated: Tokens) -> int | None:
        """How many generated tokens the row keeps; None if it goes on."""
        if self._first(self._text(row, generated)) is None:
            self._searched[row] = len(generated)
            return None
        return self.cut(row, generated).tokens

    def cut(self, row: int, generated: Tokens) -> Cut:
        """The row's text, up to the first stop text if there is one."""
        whole = self._text(row, generated)
        if self._first(whole) is None:
            return Cut(len(generated), whole)
        for size in range(self._searched[row], len(generated) + 1):
            text = self._text(row, generated[:size])
            place = self._first(text)
            if place is not None:
                return Cut(size, text[:place])
        raise AssertionError("the last of these texts is the whole")

    def settled(self, row: int, generated: Tokens) -> str:
        """The part of a row's text that no later token takes back, for streaming.

        Without an unfinished character, and without an end that may become a stop.
        """
        cut = self.cut(row, generated)
        if cut.text != self._text(row, generated):
            return cut.text
        text = cut.text.rstrip(UNFINISHED)
        held = (
            size
            for stop in self._stops
            for size in range(1, len(stop))
            if text.endswith(stop[:size])
        )
        return text[: len(text) - max(held, default=0)]

    def _text(self, row: int, generated: Tokens) -> str:
        tokens = np.concatenate([self._before[row], generated]).astype(np.int32)
        return self._decode(tokens)[self._given[row] :]

    def _first(self, text: str) -> int | None:
        """Where the first stop text begins."""
        places = [text.find(stop) for stop in self._stops]
        return min((place for place in places if place >= 0), default=None)
