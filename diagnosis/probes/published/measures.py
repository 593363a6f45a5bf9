"""What is measured of a test's questions: a choice between texts, or a last word."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from ..asking.forms import Pair
from ..asking.pseudo_likelihood import Masks
from ..asking.subject import Subject
from ..choices.paragraphs import sentences
from .likelihoods import (
    Tokenised,
    cut_to_fit,
    guessed,
    log_likelihoods,
    tokenised,
)
from .published_test import AskedMode, Measured, Question


def whole_texts(
    subject: Subject, questions: Sequence[Question], mode: AskedMode, masks: Masks
) -> list[Measured]:
    """The share of questions whose right candidate is the likeliest whole text.

    By the label of a pair, the one whose second text follows most surely.
    """
    scores = _candidate_scores(subject, questions, mode, masks, whole=mode != "pair")
    return [_accuracy("accuracy", scores, questions)]


def long_texts(
    subject: Subject, questions: Sequence[Question], mode: AskedMode, masks: Masks
) -> list[Measured]:
    """As `whole_texts`; masked modes hide every sixth token at a time.

    With masks of a word at a time, a text of N tokens would take N Examples.
    """
    return whole_texts(subject, questions, mode, "stride")


def endings(
    subject: Subject, questions: Sequence[Question], mode: AskedMode, masks: Masks
) -> list[Measured]:
    """The share of questions whose right ending is the likeliest after its beginning.

    Also with the prior of each ending removed, `s(after | before) - s(after)`.
    """
    places, texts = _that_fit(subject, questions, mode, masks, whole=False)
    found = log_likelihoods(subject, mode, texts, masks=masks)
    after = _by_question(questions, places, found)
    if mode == "pair":
        return [_accuracy("accuracy", after, questions)]
    # The same tokens: a text that begins with the ending may have others.
    alone = [text._replace(before=text.before[:0]) for text in texts]
    found = log_likelihoods(subject, mode, alone, masks=masks)
    prior = _by_question(questions, places, found)
    gains = [a - p for a, p in zip(after, prior, strict=True)]
    return [
        _accuracy("accuracy", after, questions),
        _accuracy("accuracy, prior removed", gains, questions),
    ]


def last_words(
    subject: Subject, questions: Sequence[Question], mode: AskedMode, masks: Masks
) -> list[Measured]:
    """The last word: greedy accuracy and bits per byte, and both from less text.

    "Last sentence alone" shows only the sentence that the word ends. A model that uses
    the text before it does better with the whole passage.
    """
    measured: list[Measured] = []
    for name, pairs in (
        ("", [question.candidates[0] for question in questions]),
        (
            ", last sentence alone",
            [
                (sentences(before)[-1].lstrip(), after)
                for before, after in (q.candidates[0] for q in questions)
            ],
        ),
    ):
        fits = _fitted(subject, mode, pairs, masks, whole=False)
        asked = [n for n, text in enumerate(fits) if text is not None]
        texts = [text for text in fits if text is not None]
        right, bits = np.full((2, len(pairs)), np.nan)
        right[asked] = guessed(subject, mode, texts, masks=masks)
        bits[asked] = -log_likelihoods(subject, mode, texts, masks=masks) / math.log(2)
        size = np.array([float(len(after.encode())) for _, after in pairs])
        measured += [
            Measured(f"accuracy{name}", right, np.ones(len(pairs))),
            Measured(f"bits per byte{name}", bits, size, "lower"),
        ]
    return measured


def share_right(scores: Sequence[float], answer: int) -> float:
    """1 where the answer's score is the highest alone, 1/n among n highest, else 0."""
    highest = max(scores)
    if math.isnan(highest) or scores[answer] < highest:
        return 0.0
    return 1.0 / sum(score == highest for score in scores)


def _fitted(
    subject: Subject,
    mode: AskedMode,
    pairs: Sequence[Pair],
    masks: Masks,
    *,
    whole: bool,
) -> list[Tokenised | None]:
    """The tokens of pairs, cut to fit rows; None where one cannot."""
    texts = (tokenised(subject, pair, whole=whole) for pair in pairs)
    return [cut_to_fit(subject, mode, text, masks=masks) for text in texts]


def _accuracy(
    metric: str,
    scores: Sequence[Float64[np.ndarray, " _"]],
    questions: Sequence[Question],
) -> Measured:
    amounts = [
        math.nan if np.isnan(own).any() else share_right(own.tolist(), question.answer)
        for own, question in zip(scores, questions, strict=True)
    ]
    return Measured(metric, np.array(amounts), np.ones(len(amounts)))


def _candidate_scores(
    subject: Subject,
    questions: Sequence[Question],
    mode: AskedMode,
    masks: Masks,
    *,
    whole: bool,
) -> list[Float64[np.ndarray, " _"]]:
    """The scores of each question's candidates; NaN where one does not fit rows."""
    places, texts = _that_fit(subject, questions, mode, masks, whole=whole)
    found = log_likelihoods(subject, mode, texts, masks=masks)
    return _by_question(questions, places, found)


def _that_fit(
    subject: Subject,
    questions: Sequence[Question],
    mode: AskedMode,
    masks: Masks,
    *,
    whole: bool,
) -> tuple[list[tuple[int, int]], list[Tokenised]]:
    """The candidates of the questions all of whose candidates fit rows.

    Returns:
      the question and the candidate of each text, by number; and its tokens.
    """
    places: list[tuple[int, int]] = []
    texts: list[Tokenised] = []
    for number, question in enumerate(questions):
        fits = _fitted(subject, mode, question.candidates, masks, whole=whole)
        complete = [text for text in fits if text is not None]
        if len(complete) == len(fits):
            places += [(number, at) for at in range(len(complete))]
            texts += complete
    return places, texts


def _by_question(
    questions: Sequence[Question],
    places: Sequence[tuple[int, int]],
    found: Float64[np.ndarray, " n"],
) -> list[Float64[np.ndarray, " _"]]:
    """The scores of each question's candidates; NaN where there is none."""
    scores = [np.full(len(q.candidates), np.nan) for q in questions]
    for (number, at), score in zip(places, found.tolist(), strict=True):
        scores[number][at] = score
    return scores
