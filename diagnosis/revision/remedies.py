"""The objective that supplies what a failure needs."""

from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.registry import Objective
from ...tasks.tokens.vocabulary import vocabulary
from ..failures.registry import get
from ..traits.objective_traits import Traits


def supply(traits: Traits, failure: str) -> float:
    """The share of an objective or a mixture that acts on a failure, 0 to 1."""
    return get(failure).supplied_by(traits)


def remedy(failure: str, vocab: str, rows: RowShape) -> Objective:
    """The objective to add against a failure, with its settings.

    Args:
      failure: to act on.
      vocab: the name of the vocabulary.
      rows: that its Examples must fit.
    """
    first, *_ = get(failure).remedies
    slots = (rows.encoder or rows.decoder).slots
    settings = first.settings(vocabulary(vocab).special_ids, slots)
    return registry.get(first.objective).with_settings(**settings)
