"""Corpora, vocabularies, SeqIO tasks and mixtures, packing into rows, serving rows.

What `__all__` names is public (docs/api.md); none of it loads TensorFlow.
"""

from typing import TYPE_CHECKING

from ..objectives.public import lazy

if TYPE_CHECKING:
    from .corpora import Corpus
    from .examples.example_stream import mixed_examples, task_examples
    from .examples.mixture import Mixture
    from .rows.batches import batches
    from .rows.layout import layout
    from .rows.packing import collate, first_fit
    from .tokens.vocabulary import Vocabulary, vocabulary

_MODULES = {
    "Corpus": "corpora",
    "Mixture": "examples.mixture",
    "Vocabulary": "tokens.vocabulary",
    "batches": "rows.batches",
    "collate": "rows.packing",
    "first_fit": "rows.packing",
    "layout": "rows.layout",
    "mixed_examples": "examples.example_stream",
    "task_examples": "examples.example_stream",
    "vocabulary": "tokens.vocabulary",
}

__all__ = [
    "Corpus",
    "Mixture",
    "Vocabulary",
    "batches",
    "collate",
    "first_fit",
    "layout",
    "mixed_examples",
    "task_examples",
    "vocabulary",
]

__getattr__ = lazy(__name__, _MODULES)
