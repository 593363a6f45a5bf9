"""The pseudo-likelihood of a text: each token predicted from both sides."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from ....objectives.errors import UsageError
from ....objectives.example import Example, in_place
from ....objectives.special_ids import SpecialIds
from ....objectives.words import word_begins
from ....tasks.tokens.vocabulary import Vocabulary
from .forms import Tokens

Masks = Literal["word", "token", "stride"]
"""What is hidden when a token is predicted in masked mode.

"word": the token and those after it in its word (PLL-word-l2r, Kauf & Ivanova 2023).
"token": the token alone (PLL, Salazar et al. 2020). The rest of a word of several
tokens then gives each of them away, so that rare words, which a small vocabulary cuts
in pieces, look likely.
"stride": every sixth token at a time (`forms.STRIDE`): six Examples for a text of any
length, where the others take one a token.
"""


def pseudo_likelihood(
    before: Tokens,
    after: Tokens,
    ids: SpecialIds,
    *,
    begins: Bool[np.ndarray, " _"],
    ahead: bool = False,
) -> list[Example]:
    """An Example for each token of `after`, which alone is predicted.

    Hidden are the token and what follows it up to the next place where one begins.

    Args:
      before: the context; may be empty.
      after: the text to score.
      ids: reserved ids.
      begins: where a unit of both texts together begins: a word (`word_places`), or
        everywhere for a token at a time.
      ahead: whether a token is predicted at the slot before it, as `masked.shift`.
    """
    text = np.concatenate([before, after]).astype(np.int32)
    size = len(text)
    places = np.append(np.flatnonzero(begins), size)
    ends = places[np.searchsorted(places, np.arange(size), side="right")]
    positions = np.arange(1 - ahead, size + 1)
    examples = []
    for at in range(len(before), size):
        inputs = np.empty(size + ahead, np.int32)
        inputs[:ahead] = ids.bos
        inputs[ahead:] = text
        inputs[ahead + at : ahead + ends[at]] = ids.mask
        targets, weights = np.zeros(size + ahead), np.zeros(size + ahead)
        targets[at], weights[at] = text[at], 1.0
        examples.append(
            in_place(0, inputs, positions=positions, targets=targets, weights=weights)
        )
    return examples


def word_places(
    tokens: Int[np.ndarray, " N"], vocab: Vocabulary, marks: Bool[np.ndarray, " V"]
) -> Bool[np.ndarray, " N"]:
    """Where a word begins; a mark of punctuation is a word of its own.

    Args:
      tokens: of a text.
      vocab: its vocabulary.
      marks: ids without a letter or digit (`marks_of`).

    Raises:
      UsageError: the vocabulary does not tell where words begin.
    """
    ids = vocab.special_ids
    if not (len(ids.word_starts) or len(ids.word_ends)):
        raise UsageError(
            f"vocabulary {vocab.name!r} does not tell where words begin, so a masked "
            "mode cannot hide the rest of one; hide tokens instead (--masks=token)."
        )
    begins = word_begins(np.asarray(tokens, np.int32), ids)
    is_mark = marks[tokens]
    begins |= is_mark
    begins[1:] |= is_mark[:-1]
    return begins


def marks_of(vocab: Vocabulary) -> Bool[np.ndarray, " V"]:
    """The ids of text that spell no letter and no digit, and at least something."""
    marks = np.zeros(vocab.size, bool)
    for id_ in vocab.special_ids.text.tolist():
        spelt = vocab.spell(id_).strip()
        marks[id_] = bool(spelt) and not any(map(str.isalnum, spelt))
    return marks
