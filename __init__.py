"""Sightline: pre-training on a mixture of objectives, in one run, in one row.

Floors, from the ground up: `objectives` (NumPy), `models` (JAX), `tasks`
(SeqIO), `launch` (everything that runs). Imports only go down.
"""

from typing import TYPE_CHECKING

from .objectives.public import lazy

if TYPE_CHECKING:
    from .launch.inference.loaded import LoadedRun, load

__version__ = "0.1.0"

__all__ = ["LoadedRun", "load"]

__getattr__ = lazy(
    __name__,
    {"LoadedRun": "launch.inference.loaded", "load": "launch.inference.loaded"},
)
