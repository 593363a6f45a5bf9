"""The objective that supplies what each failure needs of a mixture (`cause.NEEDS`).

That it acts on the failure is a hypothesis, which the study tests (OBJECTIVES §4–6).
"""

from collections.abc import Mapping
from typing import Any

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.registry import Objective
from ...tasks.tokens.vocabulary import vocabulary
from ..causes.cause import NEEDS, amount, named
from ..scores.score import Failure
from ..traits.objective_traits import Traits

OBJECTIVES: Mapping[Failure, str] = {
    "drift": "causal",
    "continuation": "sentence_pair",
    "reconstruction": "reconstruction",
}
"""The objective that is added where no objective of the mixture supplies it."""

title = named
"""`Long-form drift`."""

PAIR_TOKENS = 254
"""Most tokens of a pair: with SEP and label they take half a row of 512."""


def supply(traits: Traits, failure: Failure) -> float:
    """How much of an objective, or of a mixture, acts on a failure: 0 to 1.

    Labels count in full where at least half of the negatives are of the same document
    (further on, or swapped), and in proportion below: a label that only another
    document makes negative is learnt from the topic (ALBERT, Lan et al. 2019, Table 5).
    """
    found = amount(traits, NEEDS[failure])
    if failure != "continuation":
        return found
    same = traits.kinds["further"] + traits.kinds["swapped"]
    return found * min(1.0, 2 * same)


def remedy(failure: Failure, words: str, rows: RowShape) -> Objective:
    """The objective to add against a failure, with its settings.

    Settings are those of the recipe `revised.gin`; sentences are only cut or permuted
    where the vocabulary has any.

    Args:
      failure: to act on.
      words: the name of the vocabulary.
      rows: that its Examples fill.
    """
    ids = vocabulary(words).special_ids
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
