"""The choices that test shallow baselines: a true text against a false one.

A choice has a true and a false pair of texts `(before, after)`. A guess is right half
the time.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .document import BREAK
from .policy import Policy
from .swaps import neighbouring_values, other_values, with_value

WORD = r"\s*\S+"
SENTENCE = r"\s*(?:\S+(?: \S+){0,2}\. )?[^.]+\."
"""Pieces that `windows` may keep whole: a word; a sentence with any title before it."""


class Choice(NamedTuple):
    """Two pairs of texts, of which the first is the true one."""

    true: tuple[str, str]
    false: tuple[str, str]


Maker = Callable[[Sequence[Policy], int, np.random.Generator], Choice | None]
"""Makes a choice from the document of that index; None if it allows none."""


def swapped(
    policies: Sequence[Policy], index: int, rng: np.random.Generator
) -> Choice | None:
    """Two consecutive paragraphs, or the same in the other order."""
    texts = paragraphs(policies[index])
    at = int(rng.integers(len(texts) - 1))
    first, second = texts[at : at + 2]
    return Choice((first, BREAK + second), (second, BREAK + first))


def further(
    policies: Sequence[Policy], index: int, rng: np.random.Generator
) -> Choice | None:
    """The next paragraph, or a later one."""
    texts = paragraphs(policies[index])
    if len(texts) < 3:
        return None
    at = int(rng.integers(len(texts) - 2))
    later = int(rng.integers(at + 2, len(texts)))
    return _after(texts[at], texts[at + 1], texts[later])


def other(
    policies: Sequence[Policy], index: int, rng: np.random.Generator
) -> Choice | None:
    """The next paragraph, or one of the next document of the same domain."""
    texts = paragraphs(policies[index])
    policy = _same_domain(policies, index)
    if policy is None:
        return None
    other_texts = paragraphs(policy)
    at = int(rng.integers(len(texts) - 1))
    instead = other_texts[int(rng.integers(1, len(other_texts)))]
    return _after(texts[at], texts[at + 1], instead)


def restated(
    policies: Sequence[Policy], index: int, rng: np.random.Generator
) -> Choice | None:
    """The paragraph of a later mention, or the same with any other value of the kind.

    The first text is everything before it.
    """
    later = _later_mentions(policies[index])
    mention = later[int(rng.integers(len(later)))]
    values = other_values(policies[index], mention)
    return _with(policies[index], mention, values[int(rng.integers(len(values)))])


def confused(
    policies: Sequence[Policy], index: int, rng: np.random.Generator
) -> Choice | None:
    """As `restated`, with the earlier value of another fact of the kind."""
    policy = policies[index]
    options: list[tuple[int, str]] = []
    for mention in _later_mentions(policy):
        near = neighbouring_values(policy, mention)
        options += [(mention, value) for value in near]
    if not options:
        return None
    return _with(policy, *options[int(rng.integers(len(options)))])


def windows(kind: str, pieces: str, *, size: int) -> Maker:
    """Makes choices of windows cut anywhere, as `sentence_pair` cuts them.

    Args:
      kind: `swapped`; or `further`, as many pieces from anywhere after the window.
      pieces: a regular expression for uncut pieces: `WORD` or `SENTENCE`.
      size: pieces of a window; a shorter document is one window.
    """
    expression = re.compile(pieces)

    def make(
        policies: Sequence[Policy], index: int, rng: np.random.Generator
    ) -> Choice | None:
        texts = expression.findall(policies[index].text)
        start = int(rng.integers(max(1, len(texts) - size + 1)))
        window = texts[start : start + size]
        quarter = max(1, len(window) // 4)
        cut = int(rng.integers(quarter, len(window) - quarter + 1))
        first, second = "".join(window[:cut]), "".join(window[cut:])
        if kind == "swapped":
            return Choice((first, second), (second, first))
        later = texts[start + size :]
        starts = len(later) - (len(window) - cut)
        if starts < 1:
            return None
        at = int(rng.integers(starts))
        return Choice(
            (first, second), (first, "".join(later[at : at + len(window) - cut]))
        )

    return make


def choices(
    make: Maker, policies: Sequence[Policy], rng: np.random.Generator
) -> list[Choice]:
    """One choice per document, from the documents that allow one."""
    attempts = (make(policies, index, rng) for index in range(len(policies)))
    return [choice for choice in attempts if choice is not None]


def paragraphs(policy: Policy) -> list[str]:
    """The texts of a document's paragraphs."""
    return [policy.text[p.start : p.stop] for p in policy.paragraphs]


def _same_domain(policies: Sequence[Policy], index: int) -> Policy | None:
    order = [*range(index + 1, len(policies)), *range(index)]
    domain = policies[index].domain
    return next((policies[i] for i in order if policies[i].domain == domain), None)


def _later_mentions(policy: Policy) -> list[int]:
    facts = [mention.fact for mention in policy.mentions]
    return [i for i, fact in enumerate(facts) if fact in facts[:i]]


def _after(first: str, second: str, instead: str) -> Choice:
    return Choice((first, BREAK + second), (first, BREAK + instead))


def _with(policy: Policy, mention: int, value: str) -> Choice:
    paragraph = policy.paragraphs[policy.mentions[mention].paragraph]
    false = with_value(policy, mention, value)
    stop = paragraph.stop + len(false) - len(policy.text)
    return _after(
        policy.text[: paragraph.start].removesuffix(BREAK),
        policy.text[paragraph.start : paragraph.stop],
        false[paragraph.start : stop],
    )
