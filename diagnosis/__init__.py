"""Diagnosis: what a model sees, does and lacks, and what follows for a mixture.

What `__all__` names is public (docs/api.md).
"""

from typing import TYPE_CHECKING

from ..objectives.public import lazy

if TYPE_CHECKING:
    from .failures.failure import Failure, Figure, Flaw, Need, Remedy
    from .failures.registry import register
    from .probes.asking.scored import score_of
    from .probes.battery import NotApplicable
    from .probes.choices.items import Item
    from .probes.choices.preferences import preference_scores
    from .probes.prepare import choices, of_texts
    from .scores.score import Mean, Score

_MODULES = {
    "Failure": "failures.failure",
    "Figure": "failures.failure",
    "Flaw": "failures.failure",
    "Item": "probes.choices.items",
    "Mean": "scores.score",
    "Need": "failures.failure",
    "NotApplicable": "probes.battery",
    "Remedy": "failures.failure",
    "Score": "scores.score",
    "choices": "probes.prepare",
    "of_texts": "probes.prepare",
    "preference_scores": "probes.choices.preferences",
    "register": "failures.registry",
    "score_of": "probes.asking.scored",
}

__all__ = [
    "Failure",
    "Figure",
    "Flaw",
    "Item",
    "Mean",
    "Need",
    "NotApplicable",
    "Remedy",
    "Score",
    "choices",
    "of_texts",
    "preference_scores",
    "register",
    "score_of",
]

__getattr__ = lazy(__name__, _MODULES)
