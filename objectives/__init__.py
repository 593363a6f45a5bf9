"""Objectives: pure functions from a window of text to an Example. NumPy only.

What `__all__` names is public (docs/api.md).
"""

from typing import TYPE_CHECKING

from .public import lazy

if TYPE_CHECKING:
    from .budget import Budget
    from .errors import NoExampleError, UsageError
    from .example import Example
    from .registry import Objective, get, objective, objectives
    from .special_ids import SpecialIds
    from .text import Text

_MODULES = {
    "Budget": "budget",
    "Example": "example",
    "NoExampleError": "errors",
    "Objective": "registry",
    "SpecialIds": "special_ids",
    "Text": "text",
    "UsageError": "errors",
    "get": "registry",
    "objective": "registry",
    "objectives": "registry",
}

__all__ = [
    "Budget",
    "Example",
    "NoExampleError",
    "Objective",
    "SpecialIds",
    "Text",
    "UsageError",
    "get",
    "objective",
    "objectives",
]

__getattr__ = lazy(__name__, _MODULES)
