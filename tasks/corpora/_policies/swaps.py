"""Gives one mention of a document another value: minimal pairs, and faults to find.

The words around the value stay, and so does the way it is written, so that nothing but
the fact's other mentions tells the true text from the false one.
"""

import numpy as np

from .phrases import PHRASES
from .policy import Policy
from .values import parts, write


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


def neighbouring_values(policy: Policy, mention: int) -> list[str]:
    """Values that other facts of the kind had before the mention: hard alternatives.

    They stand in the text before the mention as the true value does, so that looking
    for the value itself does not help; only the subject that it belongs to does. Values
    in the mention's own paragraph are left out: stated twice there, they would show.
    """
    at = policy.mentions[mention]
    own = policy.facts[at.fact]
    stated = [(m.paragraph, policy.facts[m.fact]) for m in policy.mentions]
    near = {
        f.value for place, f in stated if f.kind == own.kind and place < at.paragraph
    }
    here = {fact.value for place, fact in stated if place == at.paragraph}
    return sorted(near - here - {own.value})


def with_value(policy: Policy, mention: int, value: str) -> str:
    """The document's text with this value at one mention.

    Args:
      policy: the document.
      mention: index of the mention.
      value: as `Fact.value` has it.
    """
    at = policy.mentions[mention]
    fact = policy.facts[at.fact]
    poles = PHRASES[fact.kind][at.phrase].poles
    if poles:
        words = poles[value == "no"]
    else:
        words = write(fact.kind, value, second=at.second)
    if policy.text[at.start].isupper():
        words = words[0].upper() + words[1:]
    return policy.text[: at.start] + words + policy.text[at.stop :]


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
