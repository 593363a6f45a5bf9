"""A corpus as probes use it: texts to test on, and others to fit baselines to."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...objectives.errors import UsageError
from ...tasks.corpora import Corpus
from ...tasks.tokens.vocabulary import Vocabulary
from .asking.subject import Subject
from .reconstruction.corruptions import RATES

LEAST = 20
"""Documents that a probe must have items of, for an interval to mean something."""

UNKNOWN = 0.01
"""Most of a corpus's tokens that a vocabulary may not know: by convention. Above it the
probes would ask for what no model of that vocabulary can say."""


class Plan(NamedTuple):
    """How much is measured.

    Attributes:
      documents: of the validation split, that items are made of.
      fitted: of the train split, that shallow baselines are fitted to.
      written: texts that are written freely.
      restored: excerpts that are restored, for each corruption.
      rates: at which they are corrupted.
      seed: of items, corruptions, samples and intervals.
    """

    documents: int = 300
    fitted: int = 600
    written: int = 64
    restored: int = 64
    rates: tuple[float, ...] = RATES
    seed: int = 0


class Material(NamedTuple):
    """A corpus as probes use it.

    Attributes:
      corpus: it.
      tested: texts of the validation split.
      fitted: texts of the train split, for baselines.
      most_words: that fit a row of the model.
      plan: how much is measured.
    """

    corpus: Corpus
    tested: Sequence[str]
    fitted: Sequence[str]
    most_words: int
    plan: Plan

    def texts(self, split: str) -> Sequence[str]:
        """Those that are read of a split."""
        return self.tested if split == "validation" else self.fitted


def material(subject: Subject, corpus: Corpus, plan: Plan) -> Material:
    """Reads what the probes need of a corpus.

    Raises:
      ValueError: the corpus is none to probe the model on (`require_documents`).
    """
    require_documents(corpus, subject.vocab)
    tested = _first(corpus.documents("validation"), plan.documents)
    fitted = _first(corpus.documents("train"), plan.fitted)
    sample = tested[:LEAST]
    tokens = sum(len(subject.vocab.encode(text)) for text in sample)
    each = tokens / sum(len(text.split()) for text in sample)
    return Material(corpus, tested, fitted, int(subject.slots / each), plan)


def require_documents(corpus: Corpus, vocab: Vocabulary) -> None:
    """Refuses a corpus on which no score would mean anything, before any is taken.

    Raises:
      ValueError: it has too few documents for an interval, or the vocabulary cannot
        spell them.
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
