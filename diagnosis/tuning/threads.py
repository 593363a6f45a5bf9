"""Fits on one thread, which is what tables of mixtures are large enough for.

A thousand small steps each wake and await the threads of OpenMP or of BLAS. Where other
processes use the cores, that takes ten times as long as the arithmetic, and more.
"""

import contextlib
from collections.abc import Iterator

from threadpoolctl import threadpool_limits


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """OpenMP and BLAS use one thread inside, and as many as before afterwards."""
    with threadpool_limits(limits=1):
        yield
