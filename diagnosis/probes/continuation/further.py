"""What comes next against what comes further on, where the order can be known."""

from collections.abc import Sequence

import numpy as np

from ....tasks.corpora.policies import Policies, handovers
from ..choices.items import Item
from ..choices.overlap_balance import balance_overlap
from ..choices.paragraphs import beginning, ending, paragraphs, word_count
from ..material import Material
from .continuations import continuations

DISTANCES = ((2, 2), (3, 5), (6, 16), (17, 64))
"""Ranges of paragraphs from the end of A to the false B; the true one is 1 on."""

FEWEST = 4
"""Least paragraphs of a document; one of fewer has no order to speak of."""

LEAST_WORDS = 12
"""Least words of B."""

MOST_PARAGRAPHS = 200
"""Most paragraphs of a document that are read, from its start."""


def further_on(
    material: Material, split: str, rng: np.random.Generator, *, each: int = 1
) -> list[Item]:
    """The next paragraph against a later one of the same document, after the same text.

    A ends with a paragraph and both B begin with one, cut to the same number of words.
    Words that A and B share do not tell them apart (`balance_overlap`).

    In `policies` the file passes from department to department, and a paragraph is
    followed by the one whose first giver is its last receiver. Only places are taken
    where that decides: both hand-overs stand in what is shown of A and of B, and the
    false B's giver is another, which A names as well. `handover_margin`, which reads
    them, is always right. In other corpora nothing says that the order can be known,
    only that a document is long enough to have one.

    Args:
      material: the corpus.
      split: of it.
      rng: draws places and the items to drop.
      each: most items of a document for each distance.

    Returns:
      Items of kinds such as "further, 3-5 on".
    """
    most = material.most_words * 2 // 5
    decided = isinstance(material.corpus, Policies)
    items: list[Item] = []
    for document, text in enumerate(material.texts(split)):
        units = _units(text, decided=decided)
        if len(units) < FEWEST - decided:  # three paragraphs hand over twice
            continue
        for least, farthest in DISTANCES:
            places = [
                (at, at + k)
                for at in range(len(units) - least)
                for k in range(least, min(farthest, len(units) - 1 - at) + 1)
            ]
            kind = f"further, {_range(least, farthest)} on"
            found = 0
            for n in rng.permutation(len(places)):
                item = _item(document, kind, units, *places[n], most=most)
                if item and (not decided or _decides(item)):
                    items.append(item)
                    found += 1
                if found == each:
                    break
    return balance_overlap(items, rng)


def continuation_items(
    material: Material, split: str, rng: np.random.Generator
) -> list[Item]:
    """The items of the probe: of "other", of "swapped", and of `further_on`."""
    most = material.most_words * 2 // 5
    items = continuations(
        material.texts(split), rng, kinds=("other", "swapped"), most_words=most
    )
    items += further_on(material, split, rng)
    return sorted(items, key=lambda item: item.document)


def handover_margin(item: Item) -> int:
    """By how much hand-overs favour the true pair of an item: 1, 0 or -1.

    A pair is favoured if the last receiver of its first text is the first giver of its
    second; one without either is not.
    """
    follows = []
    for before, after in (item.true, item.false):
        passed, taken = handovers(before), handovers(after)
        if not (passed and taken):
            return 0
        follows.append(passed[-1].receiver == taken[0].giver)
    return int(follows[0]) - int(follows[1])


def _decides(item: Item) -> bool:
    """Whether hand-overs tell the true pair, and the names of departments do not."""
    before, after = item.false
    return handover_margin(item) > 0 and handovers(after)[0].giver in before


def _units(text: str, *, decided: bool) -> list[str]:
    """The paragraphs of a text; without its first and last, where those show."""
    units = paragraphs(text, fewest=2)[:MOST_PARAGRAPHS]
    return units if decided else units[1:-1]


def _item(
    document: int, kind: str, units: Sequence[str], at: int, later: int, *, most: int
) -> Item | None:
    following, further = units[at + 1], units[later]
    size = min(word_count(following), word_count(further), most)
    if size < LEAST_WORDS:
        return None
    before = ending("".join(units[: at + 1]).lstrip(), most)
    true, false = (beginning(unit, size) for unit in (following, further))
    return Item(document, kind, (before, true), (before, false))


def _range(least: int, farthest: int) -> str:
    return f"{least}" if least == farthest else f"{least}-{farthest}"
