"""Shallow baselines of published tests: what length, words and their order give away.

They are measured on the questions that were drawn, whether they fit a model or not.
"""

import functools
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64

from ....tasks.shallow.bags import bag_of_words, both_bags, second_bag, words
from ....tasks.shallow.ngram import Ngrams
from ..asking.forms import Pair
from ..choices.items import Item
from ..choices.shallow import LEAST
from .measures import share_right
from .published_test import Baselines, Question

FITTED_WORDS = 300_000
"""Words that language models are fitted to: a few seconds' worth."""

_Score = Callable[[Pair], float]


def of_choices(questions: Sequence[Question], texts: Sequence[str]) -> Baselines:
    """The shorter text (in characters), and likelier words and 5-grams of whole texts.

    Args:
      questions: with several candidates each.
      texts: to fit the language model to; without any, length alone is measured.
    """
    baselines = {"shorter": _by(lambda pair: -len("".join(pair)), questions)}
    if texts:
        language = _language(tuple(texts))
        whole = functools.partial(_log_likelihood, language)
        baselines["unigram"] = _by(functools.partial(_unigram, language), questions)
        baselines["5-gram"] = _by(whole, questions)
    return baselines


def of_choices_and_words(
    questions: Sequence[Question], texts: Sequence[str]
) -> Baselines:
    """As `of_choices`, with a bag of words fitted to the other half of the questions.

    It knows right answers of the test, which no model is shown: it tells what a test
    gives away without its order, or without what stands before.
    """
    baselines = dict(of_choices(questions, texts))
    if len(questions) >= 2 * LEAST:
        baselines["bag of words"] = _bags(questions)
    return baselines


def of_last_words(questions: Sequence[Question], texts: Sequence[str]) -> Baselines:
    """A random word of the passage, and a random capitalised one: expected accuracies.

    As in Paperno et al. 2016, table 1. Args as in `of_choices`; `texts` are not read.
    """
    del texts
    shares = np.zeros((2, len(questions)))
    for number, question in enumerate(questions):
        before, after = question.candidates[0]
        passage = [word.strip(_MARKS) for word in before.split()]
        passage = [word for word in passage if word]
        for row, drawn in enumerate([passage, [w for w in passage if w[0].isupper()]]):
            if drawn:
                shares[row, number] = drawn.count(after.strip()) / len(drawn)
    return {"random word": shares[0], "random capitalised word": shares[1]}


_MARKS = "\"'`.,;:!?()[]“”‘’—–-*…"


def _by(score: _Score, questions: Sequence[Question]) -> Float64[np.ndarray, " N"]:
    return np.array(
        [share_right([*map(score, q.candidates)], q.answer) for q in questions]
    )


@functools.lru_cache(maxsize=1)
def _language(texts: tuple[str, ...]) -> Ngrams:
    documents, count = [], 0
    for text in texts:
        documents.append(words(text))
        count += len(documents[-1])
        if count >= FITTED_WORDS:
            break
    return Ngrams(documents)


def _log_likelihood(language: Ngrams, pair: Pair) -> float:
    return language.log_probability(words("".join(pair)), [])


def _unigram(language: Ngrams, pair: Pair) -> float:
    return sum(language.log_probability([word], []) for word in words("".join(pair)))


def _bags(questions: Sequence[Question]) -> Float64[np.ndarray, " N"]:
    """By a linear model of words, fitted to the questions of the other parity."""
    alike = all(not pair[0] for q in questions for pair in q.candidates)
    shares = np.zeros(len(questions))
    for half in (0, 1):
        fitted = [
            Item(0, "", question.candidates[question.answer], other)
            for question in questions[1 - half :: 2]
            for at, other in enumerate(question.candidates)
            if at != question.answer
        ]
        score = bag_of_words(fitted, features=second_bag if alike else both_bags)
        shares[half::2] = _by(score, questions[half::2])
    return shares
