"""Checks the settings of a mixture before anything heavy starts."""

import numpy as np

from ...models.rows import Normalisation, RowShape
from ...objectives.errors import NoExampleError, UsageError, require_acting
from ...objectives.registry import Objective
from ...objectives.special_ids import MissingIdError, PartialIds, SpecialIds
from ...objectives.text import Text
from ..rows.layout import budget, layout
from ..tokens.vocabulary import vocabulary
from .mixture import Mixture

DRAWS = 16
"""Examples that are made to see which reserved ids an objective takes."""


def check_ids(objective: Objective, ids: SpecialIds) -> None:
    """Checks that a vocabulary has every reserved id that an objective takes.

    Raises:
      UsageError: it lacks one; the message names the objective.
    """
    if not isinstance(ids, PartialIds):
        return
    length = max(objective.smallest(), 32)
    document = np.append(np.resize(ids.text, length), ids.eos).astype(np.int32)
    text = Text(document, 0, length, lambda _: document)
    for seed in range(DRAWS):
        try:
            objective(text, np.random.default_rng(seed), ids)
        except MissingIdError as error:
            raise UsageError(f"objective {objective.name!r}: {error}") from error
        except NoExampleError:
            continue


def check_loss_shares(mixture: Mixture, normalisation: Normalisation) -> None:
    """Refuses shares of the loss that its normalisation does not read.

    Raises:
      UsageError: the mixture has some at any time, and every token counts the same.
    """
    for phase in mixture.phases().values():
        require_acting(
            "Mixture.loss_shares",
            phase.loss_shares,
            default=None,
            acts=normalisation != "token_sum",
            with_="train.normalisation='objective'",
        )


def check_examples(mixture: Mixture, shape: RowShape) -> None:
    """`check_objectives`, and corpora check that they have their documents.

    Raises:
      ValueError: as `check_objectives`; or a corpus's documents are missing.
    """
    for corpus in mixture.corpus_names():
        mixture.corpus(corpus).check()
    check_objectives(mixture, shape)


def check_objectives(mixture: Mixture, shape: RowShape) -> None:
    """Makes one Example of each objective, from its widest window, and lays it out.

    No corpus is read.

    Args:
      mixture: its objectives and settings.
      shape: of the rows that the Examples must fit.

    Raises:
      ValueError: a setting is out of range, rows are too small for any Example, or
        the vocabulary has too few sentinels.
    """
    ids = vocabulary(mixture.vocabulary).special_ids
    rng = np.random.default_rng(0)
    for objective in mixture.objectives().values():
        check_ids(objective, ids)
        window = objective.window(budget(shape))
        document = np.append(np.resize(ids.text, window + 1), ids.eos).astype(np.int32)
        text = Text(document, 0, window, lambda rng, document=document: document)
        layout(shape, bos=ids.bos)(objective(text, rng, ids))
