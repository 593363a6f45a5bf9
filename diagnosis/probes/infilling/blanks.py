"""Blanks that only the text to their right can fill, and items made of them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..choices.items import Item
from ..choices.paragraphs import ending, word_count
from ..drift.swaps import band


class Blank(NamedTuple):
    """A place of a text that states a value, and the text around it to be shown.

    The text shown before the blank states neither value; the text after it states each
    of them once, in the order that `first` tells. Only which of the two is said of what
    the blank is about tells them apart.

    Attributes:
      kind: "number", "entity" or "polarity".
      start: first character of the value in the document.
      true: its words.
      false: the words of the other value.
      left: first character of the text to show.
      right: one past its last character.
      evidence: first character of the place that states the true value again.
      first: whether the true value is stated before the other one.
    """

    kind: str
    start: int
    true: str
    false: str
    left: int
    right: int
    evidence: int
    first: bool

    def item(self, document: int, text: str, *, most_left: int) -> Item:
        """The text with the blank filled right, against the same filled wrong.

        Args:
          document: index of the text.
          text: the document.
          most_left: words before the blank, cut to whole sentences.

        Returns:
          An item whose texts part where `after` begins, of a kind such as "number, < 64
          words", which is how far on the true value is stated again.
        """
        left, stop = text[self.left : self.start], self.start + len(self.true)
        context = left.rstrip()
        gap, right = left[len(context) :], text[stop : self.right]
        before = ending(context.lstrip(), most_left) if context else ""
        true, false = (
            (before, gap + value + right) for value in (self.true, self.false)
        )
        kind = f"{self.kind}, {band(word_count(text[stop : self.evidence]))}"
        return Item(document, kind, true, false, right=len(right))


Located = tuple[int, Blank]
"""A blank and the index of its document."""


def balance_order(blanks: Sequence[Located], rng: np.random.Generator) -> list[Located]:
    """Drops blanks until the true value is stated first in half of each kind.

    Otherwise "what comes first after the blank" would fill it.
    """
    groups: dict[str, dict[bool, list[Located]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for located in blanks:
        groups[located[1].kind][located[1].first].append(located)
    kept: list[Located] = []
    for group in groups.values():
        size = min(len(group[True]), len(group[False]))
        for part in (group[True], group[False]):
            kept += [part[at] for at in sorted(rng.permutation(len(part))[:size])]
    return sorted(kept, key=lambda located: (located[0], located[1].start))
