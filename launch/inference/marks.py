"""Text with marks, `<blank>` or `<mask>`, to tokens and back."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from jaxtyping import Int, Int32

from ...objectives.errors import UsageError
from ...objectives.special_ids import reserved_ids
from ...tasks.tokens.vocabulary import Vocabulary

BLANK = "<blank>"
MASK = "<mask>"

Tokens = Int32[np.ndarray, " _"]

_NAME = re.compile(r"<[A-Za-z]\w*>")
_NEAR = 0.85
"""How alike a name is to the mark that was meant: `<msk>` is, `<task>` is not."""

_RESERVED = re.compile(
    r"<(?:pad|bos|eos|mask|blank|sep|(?:label|mode|fill|sentinel|unused)_\w+)>"
)
_ANCHORS = ("\n", ".", "a")
"""Texts that a piece is encoded behind, so that it does not begin a text."""


def encode_pieces(vocab: Vocabulary, text: str, mark: str | None) -> list[Tokens]:
    """The tokens between the marks of a text, one piece more than there are marks.

    A mark takes the spaces before it: a word's token begins with its space, and so
    does what stands in its place. (Where a vocabulary writes the space behind a word,
    those behind it.)

    Args:
      vocab: the vocabulary.
      text: may hold the mark, and no other reserved name.
      mark: `<blank>`, `<mask>` or None for no mark at all.

    Raises:
      UsageError: the text holds the name of another reserved id, or of none.
    """
    _check_names(vocab, text, mark)
    parts = text.split(mark) if mark else [text]
    behind = len(vocab.special_ids.word_ends) > len(vocab.special_ids.word_starts)
    last = len(parts) - 1
    pieces = []
    for number, part in enumerate(parts):
        if behind:
            part = part.lstrip(" ") if number else part
        elif number < last:
            part = part.rstrip(" ")
        pieces.append(encode_inside(vocab, part) if number else vocab.encode(part))
    return pieces


def encode_inside(vocab: Vocabulary, text: str) -> Tokens:
    """The tokens of a text that other text stands before.

    Tokenisers of SentencePiece put a space before a text; here is none to be put.
    """
    if not text:
        return np.zeros(0, np.int32)
    marks = _reserved_ids(vocab)
    for anchor in _ANCHORS:
        before, both = vocab.encode(anchor), vocab.encode(anchor + text)
        rest = both[len(before) :]
        if not np.array_equal(both[: len(before)], before):
            continue
        mark = marks[:1] if len(marks) else before
        if vocab.decode(np.append(mark, rest)) == vocab.decode(mark) + text:
            return rest
    return vocab.encode(text)


def _reserved_ids(vocab: Vocabulary) -> Tokens:
    """The reserved ids that there are, the mask first: a model may lack any."""
    known = reserved_ids(vocab.special_ids)
    first = {name: known[name] for name in ("mask", "eos")}
    ids = [id_ for group in (first | known).values() for id_ in group]
    return np.array(ids, np.int32)


def text_of_pieces(pieces: Sequence[Tokens], id_: int) -> Tokens:
    """Pieces with an id between each two."""
    mark = np.array([id_], np.int32)
    parts = [part for piece in pieces for part in (piece, mark)][:-1]
    return np.concatenate(parts).astype(np.int32)


def text_after(
    vocab: Vocabulary, before: Int[np.ndarray, " n"], tokens: Sequence[int] | Tokens
) -> str:
    """The text of tokens that others stand before."""
    whole = vocab.decode(np.concatenate([before, np.asarray(tokens, np.int32)]))
    return whole[len(vocab.decode(before)) :]


def _check_names(vocab: Vocabulary, text: str, mark: str | None) -> None:
    """Refuses reserved names but the mark; `<b>` and the like are plain text."""
    for name in _NAME.findall(text):
        if name == mark:
            continue
        if _RESERVED.fullmatch(name):
            valid = f"here only {mark} is one" if mark else "this mode has no mark"
            raise UsageError(
                f"the text holds {name}, the name of a reserved token or like one, and "
                f"{valid}; take it out, or write it apart (`< {name[1:]}`)."
            )
        if mark and SequenceMatcher(None, name.lower(), mark).ratio() >= _NEAR:
            raise UsageError(
                f"the text holds {name}, which is no mark; did you mean {mark}? Write "
                f"other text in angle brackets apart (`< {name[1:]}`)."
            )
