"""Sightline: pre-training on a mixture of objectives, in one run, in one row.

Floors, from the ground up: `objectives` (NumPy), `models` (JAX), `tasks`
(SeqIO), `launch` (everything that runs). Imports only go down.
"""

__version__ = "0.1.0"
