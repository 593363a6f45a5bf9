"""Bags of words, and a linear model that picks true pairs of texts by them."""

import re
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

Pair = tuple[str, str]
"""A text and its continuation."""

Score = Callable[[Pair], float]
"""How well the second text follows the first."""


@runtime_checkable
class Choice(Protocol):
    """Two pairs of texts, one of them true."""

    @property
    def true(self) -> Pair:
        """The pair to be preferred."""
        ...

    @property
    def false(self) -> Pair:
        """The pair that it is compared with."""
        ...


_WORD = re.compile(r"\n\n|\w+(?:[-,]\w+)*|[^\w\s]")
_STRENGTHS = (0.001, 0.01, 0.1, 1.0)


def words(text: str) -> list[str]:
    """Words, numbers, marks and breaks between paragraphs, in lower case."""
    return _WORD.findall(text.lower())


def text_of(tokens: Sequence[str]) -> str:
    """Joins words to a text: no space before a mark, all in lower case."""
    return re.sub(r" (?=[.,;:!?])", "", " ".join(tokens))


def both_bags(pair: Pair) -> dict[str, float]:
    """Counts of words, separately for the first text and the second.

    A linear model of them covers every model of their sum or difference.
    """
    first, second = (_bag(text) for text in pair)
    return {f"1 {w}": n for w, n in first.items()} | {
        f"2 {w}": n for w, n in second.items()
    }


def second_bag(pair: Pair) -> dict[str, float]:
    """Counts of words in the second text only."""
    return _bag(pair[1])


def one_bag(pair: Pair) -> dict[str, float]:
    """Counts of words in the two texts as one."""
    return _bag(" ".join(pair))


def shared(pair: Pair) -> dict[str, float]:
    """Which words the texts share, and their share of the second text's words.

    More than a bag of words: it matches the texts, though not who does what in them.
    """
    first, second = (_bag(text) for text in pair)
    # In the text's order: that of a set would change sums from process to process.
    common = {word: 1.0 for word in second if word in first}
    return common | {"": 10.0 * len(common) / max(1, len(second))}


def bag_of_words(
    fitted: Sequence[Choice], *, features: Callable[[Pair], dict[str, float]]
) -> Score:
    """Logistic regression on a pair's features, L2-regularised.

    The strength, one of four, is the one that scores best on every fourth choice after
    a fit to the others.
    """
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = DictVectorizer()
    # Which of a choice's pairs is true shows in the difference of their features.
    rows = [features(pair) for choice in fitted for pair in (choice.true, choice.false)]
    table = vectorizer.fit_transform(rows)
    differences = table[0::2] - table[1::2]  # [choices features]
    signs = np.where(np.arange(len(fitted)) % 2, 1, -1)
    examples = differences.multiply(signs[:, None]).tocsr()
    held_out = np.arange(len(fitted)) // 2 % 4 == 0

    def fit(strength: float, use: np.ndarray) -> LogisticRegression:
        model = LogisticRegression(C=strength, fit_intercept=False, max_iter=300)
        return model.fit(examples[use], signs[use])

    trials = {
        strength: fit(strength, ~held_out).score(examples[held_out], signs[held_out])
        for strength in _STRENGTHS
    }
    weights = fit(max(trials, key=trials.__getitem__), np.ones_like(held_out)).coef_[0]
    index = vectorizer.vocabulary_
    return lambda pair: sum(
        weights[index[name]] * value
        for name, value in features(pair).items()
        if name in index
    )


def _bag(text: str) -> dict[str, float]:
    bag: dict[str, float] = {}
    for word in words(text):
        bag[word] = bag.get(word, 0.0) + 1.0
    return bag
