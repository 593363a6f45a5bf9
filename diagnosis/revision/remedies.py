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


def remedies(failure: str, vocab: str, rows: RowShape) -> list[Objective]:
    """The objectives that may be added against a failure, with their settings.

    Args:
      failure: to act on.
      vocab: the name of the vocabulary.
      rows: that their Examples must fit.

    Returns:
      The one to add first.
    """
    ids, slots = vocabulary(vocab).special_ids, (rows.encoder or rows.decoder).slots
    return [
        registry.get(remedy.objective).with_settings(**remedy.settings(ids, slots))
        for remedy in get(failure).remedies
    ]


def remedy(failure: str, vocab: str, rows: RowShape) -> Objective:
    """The objective to add against a failure; arguments as for `remedies`."""
    return remedies(failure, vocab, rows)[0]
