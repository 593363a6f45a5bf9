"""The batches that a study trains and measures its models on."""

import itertools
from collections.abc import Iterable, Iterator, Mapping

from ...models.rows import Batch
from ...objectives.example import Example
from ...tasks.examples.example_stream import mixed_examples, task_examples
from ...tasks.examples.mixture import Mixture
from ...tasks.rows.batches import batches
from ...tasks.shares.counts import count
from ...tasks.tokens.tokenised_documents import TokenisedDocuments
from ...tasks.tokens.vocabulary import vocabulary
from ..training.data import HELD_OUT_SEED
from .study import Study

SAMPLE = 64
"""Batches that measure how many tokens a step processes."""

Documents = Mapping[str, TokenisedDocuments]
"""Documents of a split, by corpus."""


def training_batches(
    study: Study, mixture: Mixture, *, seed: int, documents: Documents
) -> Iterator[Batch]:
    """A mixture's batches, without end."""
    stream = mixed_examples(mixture, study.rows, seed=seed, documents=documents)
    return _packed(study, stream)


def held_out_batches(
    study: Study, mixture: Mixture, task: str, *, documents: TokenisedDocuments
) -> list[Batch]:
    """The held-out batches of one task."""
    stream = task_examples(
        mixture, task, study.rows, documents=documents, seed=HELD_OUT_SEED, epochs=1
    )
    return list(itertools.islice(_packed(study, stream), study.held_out))


def steps_of(study: Study, stream: Iterator[Batch]) -> int:
    """Steps in which a stream processes the study's tokens, by its first batches."""
    first = itertools.islice(stream, SAMPLE)
    processed = [int(count(batch).processed.sum()) for batch in first]
    return round(study.tokens * len(processed) / sum(processed))


def _packed(study: Study, stream: Iterable[Example]) -> Iterator[Batch]:
    vocab = vocabulary(study.vocabulary)
    return batches(
        stream,
        study.rows,
        batch_rows=study.batch_rows,
        ids=vocab.special_ids,
        vocabulary_size=vocab.size,
    )
