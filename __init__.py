"""Sightline: pre-training on a mixture of objectives, in one run, in one row.

Floors, from the ground up: `objectives` (NumPy), `models` (JAX), `tasks` (SeqIO),
`diagnosis` (what a model fails at, and why), `launch` (everything that runs). Imports
only go down.
"""

from typing import TYPE_CHECKING

from .objectives.public import lazy

if TYPE_CHECKING:
    from .launch.inference.drawing import picture
    from .launch.inference.loaded import LoadedRun, load
    from .launch.training.steps import Training, batches, training

__version__ = "0.1.0"

__all__ = ["LoadedRun", "Training", "batches", "load", "picture", "training"]

_MODULES = {
    "LoadedRun": "launch.inference.loaded",
    "Training": "launch.training.steps",
    "batches": "launch.training.steps",
    "load": "launch.inference.loaded",
    "picture": "launch.inference.drawing",
    "training": "launch.training.steps",
}

__getattr__ = lazy(__name__, _MODULES)
