"""How likely texts are to a model in a mode, scored in compact rows."""

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from ....models.rows import Capacity, RowShape
from ....objectives.example import Example
from ....tasks.rows.layout import capacities
from ..asking.forms import Pair, Tokens, going_on, pair
from ..asking.pseudo_likelihood import (
    Masks,
    marks_of,
    pseudo_likelihood,
    word_places,
)
from ..asking.scoring import Answer, make_answers
from ..asking.subject import Subject, cut
from .published_test import AskedMode

_LEAST_SLOTS = 128
"""Slots of the shortest rows. Sentences fill them well, and attention costs little."""

_BATCH_SLOTS = 4096
"""Slots that are computed together."""

_CHUNK = 2048
"""Texts whose Examples are in memory at one time."""


class Tokenised(NamedTuple):
    """A text to score, and the text before it."""

    before: Tokens
    after: Tokens


def tokenised(subject: Subject, text: Pair, *, whole: bool) -> Tokenised:
    """The tokens of a pair; with `whole`, both texts are scored."""
    before, after = cut(subject.vocab, text)
    if whole:
        return Tokenised(before[:0], np.concatenate([before, after]))
    return Tokenised(before, after)


def cut_to_fit(
    subject: Subject, mode: AskedMode, text: Tokenised, *, masks: Masks
) -> Tokenised | None:
    """The text with `before` cut from the left to fit rows; None if it cannot."""
    before, after = text
    # At most twice the text, as reconstruction takes, and a few reserved ids.
    while 2 * (len(before) + len(after)) + 8 > min(capacities(subject.shape)):
        example = _examples(subject, mode, Tokenised(before, after), masks)[0]
        excess = subject.overflow(example)
        if excess <= 0:
            break
        if not len(before):
            return None
        before = before[max(1, excess // 2) :]
    return Tokenised(before, after)


def log_likelihoods(
    subject: Subject, mode: AskedMode, texts: Sequence[Tokenised], *, masks: Masks
) -> Float64[np.ndarray, " N"]:
    """`s(after | before)` of each text, in nats; all of them fit rows.

    In a masked mode it is a pseudo-likelihood (`masks`); in mode "pair" the log-odds of
    the label that says that the second text follows the first.

    Args:
      subject: the model.
      mode: in which it is asked.
      texts: to score.
      masks: what a masked mode hides.
    """
    sums = (
        [float(part.sum(dtype=np.float64)) for part in parts]
        for parts in _answers(subject, mode, texts, masks, "log-probability")
    )
    return np.array([s[0] - s[1] if mode == "pair" else sum(s) for s in sums])


def guessed(
    subject: Subject, mode: AskedMode, texts: Sequence[Tokenised], *, masks: Masks
) -> Bool[np.ndarray, " N"]:
    """Whether every token of `after` is the most probable one, those before it given.

    If so, it is what greedy decoding writes. In a masked mode each token of a word
    sees those before it in the word (`masks` of "word").
    """
    answers = _answers(subject, mode, texts, masks, "guess")
    return np.array(
        [
            bool(np.array_equal(np.concatenate(parts), text.after))
            for parts, text in zip(answers, texts, strict=True)
        ]
    )


def _examples(
    subject: Subject, mode: AskedMode, text: Tokenised, masks: Masks
) -> list[Example]:
    ids = subject.vocab.special_ids
    if mode == "pair":
        asked = [pair(*text, ids, label=label) for label in (1, 0)]
    elif mode in ("masked", "shifted") and masks != "stride":
        asked = pseudo_likelihood(
            *text,
            ids,
            begins=_places(subject, text, masks),
            ahead=mode == "shifted",
        )
    else:
        asked = going_on(mode, *text, ids)
    return [subject.with_mode_token(example, mode) for example in asked]


def _places(subject: Subject, text: Tokenised, masks: Masks) -> Bool[np.ndarray, " N"]:
    both = np.concatenate(text)
    if masks == "token":
        return np.ones(len(both), bool)
    return word_places(both, subject.vocab, _marks(subject.vocab))


_marks = functools.lru_cache(maxsize=4)(marks_of)


def _answers(
    subject: Subject,
    mode: AskedMode,
    texts: Sequence[Tokenised],
    masks: Masks,
    answer: Answer,
) -> Iterator[list[Shaped[np.ndarray, " _"]]]:
    """The answers to the Examples of each text."""
    if not texts:
        return
    # Which text takes most slots or predictions depends on the mode.
    sizes = np.array([(len(text.before), len(text.after)) for text in texts])
    largest = (sizes @ np.array([[1, 2, 0], [1, 1, 1]])).argmax(0)
    sample = [texts[n] for n in (*largest, *range(0, len(texts), -(-len(texts) // 64)))]
    shape = _compact(
        subject, [e for text in sample for e in _examples(subject, mode, text, masks)]
    )
    answers = make_answers(
        subject.model,
        shape,
        answer=answer,
        bos=subject.vocab.special_ids.bos,
        batch_rows=max(1, _BATCH_SLOTS // shape.decoder.slots),
    )
    for first in range(0, len(texts), _CHUNK):
        asked = [
            _examples(subject, mode, text, masks)
            for text in texts[first : first + _CHUNK]
        ]
        flat = iter(answers([example for group in asked for example in group]))
        for group in asked:
            yield list(itertools.islice(flat, len(group)))


def _compact(subject: Subject, sample: Sequence[Example]) -> RowShape:
    """Rows about as long as the longest Example, with few predictions to spare.

    A masked mode predicts one token an Example: logits of every slot would cost more
    than the model itself.

    Args:
      subject: the model; no row is longer than its own.
      sample: of the Examples, the longest among them.
    """
    slots = max(len(e.inputs) + len(e.targets) for e in sample)
    weights = (np.append(e.inputs_weights, e.targets_weights) for e in sample)
    predictions = [int((each > 0).sum()) for each in weights]
    dense = sum(predictions) / sum(len(e.inputs) + len(e.targets) for e in sample)

    def row(own: Capacity) -> Capacity:
        size = min(max(_LEAST_SLOTS, _power_of_two(slots)), own.slots)
        most = max(max(predictions), int(1.2 * dense * size) + 1)
        return Capacity(size, min(_power_of_two(most), size))

    own = subject.shape
    return RowShape(row(own.decoder), row(own.encoder) if own.encoder else None)


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
