"""Gives one mention of a document another value: minimal pairs, and faults to find.

The words around the value stay, and so does the way it is written, so that nothing but
the fact's other mentions tells the true text from the false one.
"""

from typing import Literal, NamedTuple

import numpy as np

from .phrases import PHRASES
from .policy import Fact, Policy
from .values import POLES, UNITS, parts, write


class Restated(NamedTuple):
    """A later mention of a fact, and another value that could stand there.

    Attributes:
      kind: what the value is: a number, an office, or whether something is so.
      start: first character of the value in the document's text.
      stop: one past its last character.
      earlier: first character of the nearest earlier mention of the fact.
      false: the words of the other value.
      rival: first character of an earlier mention of that value, or `earlier` for the
        opposite of what is so.
    """

    kind: Literal["number", "entity", "polarity"]
    start: int
    stop: int
    earlier: int
    false: str
    rival: int


def restated(policy: Policy) -> list[Restated]:
    """Every later mention with every hard other value that it could have.

    That is a value of another fact of the kind which the text before the mention's
    paragraph states, and its paragraph has not stated up to there. Where there is none,
    it is the number of a fact of another kind, with the unit of this one. What is
    permitted or required has its opposite.
    """
    found: list[Restated] = []
    last: dict[int, int] = {}
    for index, mention in enumerate(policy.mentions):
        earlier = last.get(mention.fact)
        last[mention.fact] = mention.start
        if earlier is None:
            continue
        own = policy.facts[mention.fact]
        kind = "entity" if own.kind == "approval" else "number"
        if own.value in POLES:
            opposite = POLES[own.value == POLES[0]]
            rivals, kind = {opposite: earlier}, "polarity"
        else:
            near = neighbouring_values(policy, index, shown="before")
            near = near or _other_numbers(policy, index)
            rivals = {value: _rival(policy, index, value) for value in near}
        for value, rival in rivals.items():
            words = value_words(policy, index, value)
            found.append(
                Restated(kind, mention.start, mention.stop, earlier, words, rival)
            )
    return found


def other_values(policy: Policy, mention: int, *, numbers: int = 40) -> list[str]:
    """Every value that the mentioned fact could have and has not.

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
    """Values that other facts of the kind had before the mention: hard alternatives.

    They stand in the text before the mention as the true value does, so that looking
    for the value itself does not help; only the subject that it belongs to does. Values
    in the mention's own paragraph are left out: stated twice there, they would show.

    Args:
      policy: the document.
      mention: index of the mention.
      shown: whether a reader sees all of the mention's paragraph, or only what stands
        "before" the mention, so that a value stated behind it does not show.
    """
    own = policy.facts[policy.mentions[mention].fact]
    near = {f.value for f in _before(policy, mention) if f.kind == own.kind}
    here = {fact.value for fact in _here(policy, mention, shown)}
    return sorted(near - here - {own.value})


def with_value(policy: Policy, mention: int, value: str) -> str:
    """The document's text with this value at one mention.

    Args:
      policy: the document.
      mention: index of the mention.
      value: as `Fact.value` has it.
    """
    at = policy.mentions[mention]
    words = value_words(policy, mention, value)
    return policy.text[: at.start] + words + policy.text[at.stop :]


def value_words(policy: Policy, mention: int, value: str) -> str:
    """The words for a value where that mention stands, as `with_value` writes them."""
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
    """The document's text with another value at one mention, each value alike.

    A number, a sum, an office or a polarity is swapped, after the kind of the fact.

    Args:
      policy: the document.
      mention: index of the mention.
      rng: source of the choice.
      numbers: the corpus's setting of that name.
    """
    values = other_values(policy, mention, numbers=numbers)
    return with_value(policy, mention, values[int(rng.integers(len(values)))])


def _other_numbers(policy: Policy, mention: int) -> list[str]:
    """Numbers of facts of other kinds, stated before, with the unit of this fact."""
    at = policy.mentions[mention]
    own = policy.facts[at.fact]
    if own.kind not in UNITS:
        return []
    number, unit = own.value.split(" ", 1)
    here = {f.value.split(" ")[0] for f in _here(policy, mention, "before")}
    near = {f.value.split(" ")[0] for f in _before(policy, mention) if f.kind in UNITS}
    return [f"{other} {unit}" for other in sorted(near - here - {number})]


def _before(policy: Policy, mention: int) -> list[Fact]:
    """The facts that are stated before the mention's paragraph."""
    paragraph = policy.mentions[mention].paragraph
    return [policy.facts[m.fact] for m in policy.mentions if m.paragraph < paragraph]


def _here(
    policy: Policy, mention: int, shown: Literal["paragraph", "before"]
) -> list[Fact]:
    """The facts that are stated in the mention's paragraph, or in it before it."""
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
