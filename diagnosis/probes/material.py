"""The part of a corpus that probes read: texts to test on, and to fit baselines to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...objectives.errors import UsageError
from ...tasks.corpora import Corpus
from ...tasks.tokens.vocabulary import Vocabulary
from .asking.subject import Subject
from .reconstruction.corruptions import RATES

LEAST = 20
"""Least documents with items of a probe, for a meaningful interval."""

UNKNOWN = 0.01
"""Highest share of unknown tokens in a corpus: a convention. Above it the probes would
ask for texts that no model of the vocabulary can produce."""


class Plan(NamedTuple):
    """The extent of the measurements.

    Attributes:
      documents: of the validation split, to make items from.
      fitted: documents of the train split, to fit shallow baselines to.
      written: texts to generate freely.
      restored: excerpts to restore, for each corruption.
      rates: of corruption.
      seed: of items, corruptions, samples and intervals.
    """

    documents: int = 300
    fitted: int = 600
    written: int = 64
    restored: int = 64
    rates: tuple[float, ...] = RATES
    seed: int = 0


class Material(NamedTuple):
    """The part of a corpus that probes read.

    Attributes:
      corpus: the corpus.
      tested: texts of the validation split.
      fitted: texts of the train split, for baselines.
      most_words: number of words that fit a row of the model.
      plan: the extent of the measurements.
    """

    corpus: Corpus
    tested: Sequence[str]
    fitted: Sequence[str]
    most_words: int
    plan: Plan

    def texts(self, split: str) -> Sequence[str]:
        """The texts that are read of a split."""
        return self.tested if split == "validation" else self.fitted


def material(subject: Subject, corpus: Corpus, plan: Plan) -> Material:
    """Reads what the probes need of a corpus.

    Raises:
      UsageError: the corpus does not allow any probe (`require_documents`).
    """
    require_documents(corpus, subject.vocab)
    tested = _first(corpus.documents("validation"), plan.documents)
    fitted = _first(corpus.documents("train"), plan.fitted)
    sample = tested[:LEAST]
    tokens = sum(len(subject.vocab.encode(text)) for text in sample)
    each = tokens / sum(len(text.split()) for text in sample)
    return Material(corpus, tested, fitted, int(subject.slots / each), plan)


def require_documents(corpus: Corpus, vocab: Vocabulary) -> None:
    """Refuses a corpus on which no score would be meaningful.

    Raises:
      UsageError: it has too few documents for an interval, or the vocabulary cannot
        encode them.
    """
    tested, fitted = (corpus.documents(split) for split in ("validation", "train"))
    if min(len(tested), len(fitted)) < LEAST:
        raise UsageError(
            f"the probes need {LEAST} documents of each split, but corpus "
            f"{corpus.name!r} has {len(tested)} in 'validation' and {len(fitted)} in "
            "'train'; give a larger corpus (--corpus)."
        )
    if vocab.unk is None:
        return
    tokens = np.concatenate([vocab.encode(text) for text in _first(tested, LEAST)])
    unknown = float((tokens == vocab.unk).mean())
    if unknown > UNKNOWN:
        raise UsageError(
            f"vocabulary {vocab.name!r} cannot spell corpus {corpus.name!r}: "
            f"{100 * unknown:.1f} % of its tokens are unknown to it, and at most "
            f"{100 * UNKNOWN:g} % may be. Give a corpus of its own language (--corpus)."
        )


def _first(documents: Sequence[str], limit: int) -> list[str]:
    return [documents[n] for n in range(min(limit, len(documents)))]
