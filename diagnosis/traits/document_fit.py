"""How documents fit the windows of objectives, and how full rows are."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Int64

from ...models.rows import RowShape
from ...objectives.registry import Objective
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.examples.windows import windows
from ...tasks.rows.layout import budget
from ...tasks.tokens.tokenised_documents import TokenisedDocuments

DOCUMENTS = 500
"""Documents sampled for their length: a share of .5 has a standard error of .02."""


class DocumentFit(NamedTuple):
    """How the documents of an objective's corpora fit its windows.

    Attributes:
      objective: its name.
      window: most tokens in a window.
      documents: number measured.
      cut: share of documents that are cut into several windows.
      unseen: share of tokens in windows without the start of their document.
      dropped: share of documents that are too short for any window.
    """

    objective: str
    window: int
    documents: int
    cut: float
    unseen: float
    dropped: float


class Packing(NamedTuple):
    """How documents fit windows, and Examples rows.

    Attributes:
      fits: of each objective and variant.
      utilisation: share of slots that are filled; None if not measured.
      examples: number packed to measure it.
    """

    fits: tuple[DocumentFit, ...]
    utilisation: float | None = None
    examples: int = 0


def document_lengths(
    documents: TokenisedDocuments, rng: np.random.Generator, *, limit: int = DOCUMENTS
) -> Int64[np.ndarray, " D"]:
    """Tokens in each of at most `limit` documents, drawn at random."""
    count = min(limit, len(documents))
    chosen = rng.choice(len(documents), count, replace=False)
    return np.array([len(documents[int(n)]) for n in chosen], np.int64)


def document_fits(
    mixture: Mixture, rows: RowShape, lengths: Mapping[str, Int[np.ndarray, " D"]]
) -> tuple[DocumentFit, ...]:
    """How documents fit the windows of each objective of a mixture.

    Args:
      mixture: objectives, and the rates by which figures of corpora are weighted.
      rows: that the windows must fit.
      lengths: tokens in documents of each corpus.

    Raises:
      ValueError: an objective fits no window of the rows.
    """
    fits: list[DocumentFit] = []
    for name, objective in mixture.objectives().items():
        rates = {
            corpus: rate
            for task, rate in mixture.positive_rates().items()
            for corpus, mixed in [split_task(task)]
            if mixed == name
        }
        parts = [document_fit(objective, rows, lengths[corpus]) for corpus in rates]
        shares = np.array(list(rates.values())) / sum(rates.values())
        cut, unseen, dropped = (
            float(shares @ [getattr(f, field) for f in parts])
            for field in ("cut", "unseen", "dropped")
        )
        documents = sum(f.documents for f in parts)
        fits.append(DocumentFit(name, parts[0].window, documents, cut, unseen, dropped))
    return tuple(fits)


def document_fit(
    objective: Objective, rows: RowShape, lengths: Int[np.ndarray, " D"]
) -> DocumentFit:
    """How documents of some lengths fit an objective's windows.

    Raises:
      ValueError: the objective fits no window of the rows.
    """
    window, smallest = objective.window(budget(rows)), objective.smallest()
    cut = [windows(n, window=window, smallest=smallest) for n in lengths.tolist()]
    held = sum(stop - start for spans in cut for start, stop in spans)
    later = sum(stop - start for spans in cut for start, stop in spans if start)
    count = len(cut)
    return DocumentFit(
        objective.name,
        window,
        count,
        cut=sum(len(spans) > 1 for spans in cut) / max(count, 1),
        unseen=later / max(held, 1),
        dropped=sum(not spans for spans in cut) / max(count, 1),
    )
