"""Gives one mention of a document another value: minimal pairs, and faults to find.

The words around the value, and its form, stay the same, so that only the fact's other
mentions tell the true text from the false one.
"""

from typing import Literal, NamedTuple

import numpy as np

from .phrases import PHRASES
from .policy import Fact, Policy
from .values import POLES, UNITS, parts, write


class Restated(NamedTuple):
    """A later mention of a fact, and another value possible there.

    Attributes:
      kind: of the value: a number, an office, or yes or no.
      start: first character of the value in the document's text.
      stop: one past its last character.
      earlier: first character of the nearest earlier mention of the fact.
      false: the words of the other value.
      rival: first character of an earlier mention of that value, or `earlier` for the
        opposite pole.
    """

    kind: Literal["number", "entity", "polarity"]
    start: int
    stop: int
    earlier: int
    false: str
    rival: int


def restated(policy: Policy) -> list[Restated]:
    """Every later mention with each hard alternative value.

    That is a value of another fact of the kind, stated before the mention's paragraph
    and not yet in it. If there is none, it is the number of a fact of another kind,
    with the unit of this one. What is permitted or required has its opposite.
    """
    restatements: list[Restated] = []
    last_start: dict[int, int] = {}
    for index, mention in enumerate(policy.mentions):
        earlier = last_start.get(mention.fact)
        last_start[mention.fact] = mention.start
        if earlier is None:
            continue
        fact = policy.facts[mention.fact]
        kind = "entity" if fact.kind == "approval" else "number"
        if fact.value in POLES:
            opposite = POLES[fact.value == POLES[0]]
            rivals, kind = {opposite: earlier}, "polarity"
        else:
            near = neighbouring_values(policy, index, shown="before")
            near = near or _other_numbers(policy, index)
            rivals = {value: _rival(policy, index, value) for value in near}
        for value, rival in rivals.items():
            words = value_words(policy, index, value)
            restatements.append(
                Restated(kind, mention.start, mention.stop, earlier, words, rival)
            )
    return restatements


def other_values(policy: Policy, mention: int, *, numbers: int = 40) -> list[str]:
    """Every other value that the mentioned fact could have.

    Args:
      policy: the document.
      mention: index of the mention.
      numbers: the corpus's setting of that name.
    """
    fact = policy.facts[policy.mentions[mention].fact]
    values = [""]
    for part in parts(fact.kind, numbers):
        values = [f"{left} {right}".strip() for left in values for right in part]
    return [value for value in values if value != fact.value]


def neighbouring_values(
    policy: Policy, mention: int, *, shown: Literal["paragraph", "before"] = "paragraph"
) -> list[str]:
    """Values of other facts of the kind before the mention: hard alternatives.

    They occur in the text before the mention, as the true value does, so that looking
    for the value itself does not help; only its subject does. Values in the mention's
    own paragraph are left out: stated twice there, they would show.

    Args:
      policy: the document.
      mention: index of the mention.
      shown: whether a reader sees the mention's whole paragraph, or only the part
        "before" the mention, so that a value stated after it does not show.
    """
    fact = policy.facts[policy.mentions[mention].fact]
    near = {f.value for f in _before(policy, mention) if f.kind == fact.kind}
    here = {fact.value for fact in _here(policy, mention, shown)}
    return sorted(near - here - {fact.value})


def with_value(policy: Policy, mention: int, value: str) -> str:
    """The document's text with this value at one mention.

    Args:
      policy: the document.
      mention: index of the mention.
      value: in the form of `Fact.value`.
    """
    at = policy.mentions[mention]
    words = value_words(policy, mention, value)
    return policy.text[: at.start] + words + policy.text[at.stop :]


def value_words(policy: Policy, mention: int, value: str) -> str:
    """The words for a value at that mention, as `with_value` writes them."""
    at = policy.mentions[mention]
    fact = policy.facts[at.fact]
    poles = PHRASES[fact.kind][at.phrase].poles
    if poles:
        words = poles[value == "no"]
    else:
        words = write(fact.kind, value, second=at.second)
    if policy.text[at.start].isupper():
        words = words[0].upper() + words[1:]
    return words


def swapped(
    policy: Policy, mention: int, rng: np.random.Generator, *, numbers: int = 40
) -> str:
    """The document's text with another value at one mention, uniformly drawn.

    Swaps a number, a sum, an office or a polarity, by the kind of the fact.

    Args:
      policy: the document.
      mention: index of the mention.
      rng: source of the choice.
      numbers: the corpus's setting of that name.
    """
    values = other_values(policy, mention, numbers=numbers)
    return with_value(policy, mention, values[int(rng.integers(len(values)))])


def _other_numbers(policy: Policy, mention: int) -> list[str]:
    """Numbers of earlier facts of other kinds, with the unit of this fact."""
    at = policy.mentions[mention]
    fact = policy.facts[at.fact]
    if fact.kind not in UNITS:
        return []
    number, unit = fact.value.split(" ", 1)
    here = {f.value.split(" ")[0] for f in _here(policy, mention, "before")}
    near = {f.value.split(" ")[0] for f in _before(policy, mention) if f.kind in UNITS}
    return [f"{other} {unit}" for other in sorted(near - here - {number})]


def _before(policy: Policy, mention: int) -> list[Fact]:
    """The facts stated before the mention's paragraph."""
    paragraph = policy.mentions[mention].paragraph
    return [policy.facts[m.fact] for m in policy.mentions if m.paragraph < paragraph]


def _here(
    policy: Policy, mention: int, shown: Literal["paragraph", "before"]
) -> list[Fact]:
    """The facts stated in the mention's paragraph, or before it there."""
    at = policy.mentions[mention]
    return [
        policy.facts[m.fact]
        for m in policy.mentions
        if m.paragraph == at.paragraph and (shown == "paragraph" or m.start < at.start)
    ]


def _rival(policy: Policy, mention: int, value: str) -> int:
    """The last place before the mention's paragraph that states the value's number."""
    paragraph = policy.mentions[mention].paragraph
    places = [
        (m.start, policy.facts[m.fact])
        for m in policy.mentions
        if m.paragraph < paragraph
    ]
    whole = [start for start, fact in places if fact.value == value]
    number = value.split(" ")[0]
    return max(whole or [s for s, f in places if f.value.split(" ")[0] == number])
