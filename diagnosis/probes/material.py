"""A corpus as probes use it: texts to test on, and others to fit baselines to."""

from collections.abc import Sequence
from typing import NamedTuple

from ...tasks.corpora import Corpus
from .corruptions import RATES
from .subject import Subject

LEAST = 20
"""Documents that a probe must have items of, for an interval to mean something."""


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


def material(subject: Subject, corpus: Corpus, plan: Plan) -> Material:
    """Reads what the probes need of a corpus.

    Raises:
      ValueError: it has too few documents for any interval to mean something.
    """
    tested = _first(corpus.documents("validation"), plan.documents)
    fitted = _first(corpus.documents("train"), plan.fitted)
    if min(len(tested), len(fitted)) < LEAST:
        raise ValueError(
            f"the probes need {LEAST} documents of each split, but corpus "
            f"{corpus.name!r} has {len(tested)} in 'validation' and {len(fitted)} in "
            "'train'; give a larger corpus (--corpus)."
        )
    sample = tested[:LEAST]
    tokens = sum(len(subject.words.encode(text)) for text in sample)
    each = tokens / sum(len(text.split()) for text in sample)
    slots = min(s.slots for s in (subject.shape.decoder, subject.shape.encoder) if s)
    return Material(corpus, tested, fitted, int(slots / each), plan)


def _first(documents: Sequence[str], most: int) -> list[str]:
    return [documents[n] for n in range(min(most, len(documents)))]
