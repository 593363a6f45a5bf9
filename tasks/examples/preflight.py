"""Checks the settings of a mixture before anything heavy starts."""

import numpy as np

from ...models.rows import RowShape
from ...objectives.text import Text
from ..rows.layout import budget, layout
from ..tokens.vocabulary import vocabulary
from .mixture import Mixture, split_task


def check_examples(mixture: Mixture, shape: RowShape) -> None:
    """Makes one Example of each objective, from its widest window, and lays it out.

    Corpora check that they have their documents.

    Args:
      mixture: its objectives and settings.
      shape: of the rows that the Examples must fit.

    Raises:
      ValueError: a setting is out of range, rows are too small for any Example, or
        the vocabulary has too few sentinels; a corpus's documents are missing.
    """
    for corpus in {split_task(task)[0] for task in mixture.positive_rates()}:
        mixture.corpus(corpus).check()
    ids = vocabulary(mixture.vocabulary).special_ids
    rng = np.random.default_rng(0)
    for objective in mixture.objectives().values():
        window = objective.window(budget(shape))
        document = np.append(np.resize(ids.text, window + 1), ids.eos).astype(np.int32)
        text = Text(document, 0, window, lambda rng, document=document: document)
        layout(shape, bos=ids.bos)(objective(text, rng, ids))
