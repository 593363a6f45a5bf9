"""Policies of regulated companies, written by a seeded generator.

A document has 745 words on average (412 to 1,176 in 2,000 documents), in 10 paragraphs,
and mentions 8 facts 28 times. By the generator's own choices (`_policies/entropy.py`;
the same 2,000) that is 833 bits: 1.12 bits a word, 0.65 a token of its vocabulary:

    choices                                bits a document    bits a word
    values of facts                                     40          0.054
    subjects, departments, other words                 263          0.353
    wording of sentences                               301          0.405
    how much there is, and where                       229          0.308

A value costs its bits at its first mention, and none when it is restated. The surface
gives away neither order nor values: `_policies/baselines.py` has the figures.
"""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, overload

import numpy as np

from ...objectives.errors import UsageError, nearest
from . import EmptySplitError
from ._policies.checker import (
    ParsedMention as ParsedMention,
    Restatement as Restatement,
    contradictions as contradictions,
    mentions as mentions,
    restatements as restatements,
)
from ._policies.document import write_policy
from ._policies.domains import DOMAINS
from ._policies.handovers import Handover as Handover, handovers as handovers
from ._policies.policy import KINDS, Policy as Policy
from ._policies.size import Size, check
from ._policies.swaps import (
    Restated as Restated,
    restated as restated,
    value_words as value_words,
)

VERSION = "1"
"""Of the generator; raise it with any change that alters a document."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Policies:
    """Documents that state facts and restate each in other words; see `policy`.

    Document `i` of a split follows from `(seed, split, i)` and the settings, whatever
    the number of documents. It is written on demand and never stored.

    Attributes:
      seed: of all documents; from 0 to 2**32 - 1.
      train_documents: documents of the split `train`.
      validation_documents: documents of the split `validation`.
      fewest_sections: of a document; at most 9, as `most_sections`.
      most_sections: of a document.
      fewest_paragraphs: of a section.
      most_paragraphs: of a section.
      fewest_facts: of a document.
      most_facts: of a document.
      fewest_mentions: of a fact, each in another paragraph and in other words.
      most_mentions: of a fact; at most `wordings`.
      fewest_links: hand-overs in a paragraph.
      most_links: hand-overs in a paragraph.
      fewest_fillers: sentences of a paragraph that state no fact.
      most_fillers: sentences of a paragraph that state no fact.
      numbers: how many numbers a value may have: 11, 12, ...; at most 80.
      departments: how many pass the file around in a document; at least 4.
      kinds: kinds of facts that documents state.
      titled: share of paragraphs that open with their section's title.
      openers: share of sentences that open with words such as "as a rule".
      references: share of paragraphs that refer to what came before.
      second_forms: share of values written in their second form, as numbers in words.
      wordings: number of wordings of a kind of fact, and of hand-overs, to choose from;
        at most 8.

    Raises:
      ValueError: settings that no document can meet; the message names the fix.
    """

    seed: int = 0
    train_documents: int = 20_000
    validation_documents: int = 1_000
    fewest_sections: int = 5
    most_sections: int = 9
    fewest_paragraphs: int = 1
    most_paragraphs: int = 2
    fewest_facts: int = 6
    most_facts: int = 10
    fewest_mentions: int = 3
    most_mentions: int = 4
    fewest_links: int = 1
    most_links: int = 2
    fewest_fillers: int = 1
    most_fillers: int = 2
    numbers: int = 40
    departments: int = 6
    kinds: tuple[str, ...] = KINDS
    titled: float = 0.5
    openers: float = 0.3
    references: float = 0.35
    second_forms: float = 0.2
    wordings: int = 8

    name: ClassVar[str] = "policies"
    splits: ClassVar[tuple[str, ...]] = ("train", "validation")
    vocabulary: ClassVar[str] = "policies"

    def __post_init__(self):
        if not 0 <= self.seed < 2**32:
            raise UsageError(
                f"{self.name}.seed is {self.seed}; set it within [0, 2**32 - 1]."
            )
        for split in self.splits:
            least = int(split == "train")
            if not least <= self._count(split) < 2**32:
                raise UsageError(
                    f"{self.name}.{split}_documents is {self._count(split)}; set it "
                    f"within [{least}, 2**32 - 1]."
                )
        subjects = DOMAINS[0].subjects
        check(self._size(), subjects=min(map(len, subjects.values())))

    def check(self) -> None:
        """Never raises: the settings are checked on creation."""

    def identity(self) -> str:
        """The generator's version; with the settings it determines every document."""
        return VERSION

    def documents(self, split: str) -> Sequence[str]:
        """The texts of a split, each written on demand.

        Raises:
          EmptySplitError: it has none.
        """
        if not self._count(split):
            raise EmptySplitError(
                f"{self.name}.{split}_documents is 0; set it to 1 or more to have text "
                f"of the split {split!r}."
            )
        return _Texts(self, split, self._count(split))

    def policy(self, split: str, index: int) -> Policy:
        """Document `index` of a split with its facts and where each is mentioned.

        Raises:
          IndexError: the split has no such document.
          ValueError: there is no such split.
        """
        count = self._count(split)
        if not 0 <= index < count:
            raise IndexError(
                f"no document {index} in {split!r}; it has documents 0 to {count - 1}."
            )
        source = np.random.SeedSequence((self.seed, self.splits.index(split), index))
        return write_policy(np.random.default_rng(source), self._size())

    def _count(self, split: str) -> int:
        if split not in self.splits:
            raise UsageError(
                f"corpus {self.name!r} has no split {split!r}; "
                + nearest(split, self.splits)
            )
        return getattr(self, f"{split}_documents")

    def _size(self) -> Size:
        return Size(*(getattr(self, field) for field in Size._fields))


class _Texts(Sequence[str]):
    """The texts of a split by random access."""

    def __init__(self, corpus: Policies, split: str, count: int):
        self._corpus, self._split, self._indices = corpus, split, range(count)

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[i] for i in self._indices[index]]
        return self._corpus.policy(self._split, self._indices[index]).text


CORPUS = Policies
