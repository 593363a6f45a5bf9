"""Every corpus and objective as a SeqIO task; importing it registers them all.

TensorFlow stays in this folder and in `corpora/`.
"""

from .tasks import seqio_mixture, to_example

__all__ = ["seqio_mixture", "to_example"]
