"""The objective that supplies what each failure needs (`cause.NEEDS`).

That it acts on the failure is a hypothesis, which the study tests.
"""

from collections.abc import Mapping
from typing import Any

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.registry import Objective
from ...tasks.tokens.vocabulary import vocabulary
from ..causes.cause import NEEDS, amount
from ..scores.score import Failure
from ..traits.objective_traits import Traits

OBJECTIVES: Mapping[Failure, str] = {
    "drift": "causal",
    "continuation": "sentence_pair",
    "reconstruction": "reconstruction",
}
"""The objective to add if none of the mixture supplies the need."""

PAIR_TOKENS = 254
"""Most tokens of a pair: with SEP and label, half a row of 512."""


def supply(traits: Traits, failure: Failure) -> float:
    """The share of an objective or a mixture that acts on a failure, 0 to 1.

    Labels count in full if at least half of the negatives are from the same document
    (further on, or swapped), and in proportion below that: negatives from other
    documents only teach the topic (ALBERT, Lan et al. 2019, table 5).
    """
    share = amount(traits, NEEDS[failure])
    if failure != "continuation":
        return share
    same_document = traits.kinds["further"] + traits.kinds["swapped"]
    return share * min(1.0, 2 * same_document)


def remedy(failure: Failure, vocab: str, rows: RowShape) -> Objective:
    """The objective to add against a failure, with its settings.

    Settings are those of the recipe `revised.gin`; sentences are cut or permuted only
    if the vocabulary marks them.

    Args:
      failure: to act on.
      vocab: the name of the vocabulary.
      rows: that its Examples must fit.
    """
    ids = vocabulary(vocab).special_ids
    sentences = bool(len(ids.sentence_ends) and len(ids.word_starts))
    slots = (rows.encoder or rows.decoder).slots
    settings: Mapping[Failure, Mapping[str, Any]] = {
        "drift": {},
        "continuation": {
            "unit": "sentence" if sentences else "token",
            "other": 0.1,
            "further": 0.2,
            "swapped": 0.2,
            "max_tokens": min(PAIR_TOKENS, slots - 2),
        },
        "reconstruction": {
            "infill": 0.2,
            "delete": 0.1,
            "shuffle": 0.3 if sentences else 0.0,
        },
    }
    return registry.get(OBJECTIVES[failure]).with_settings(**settings[failure])
