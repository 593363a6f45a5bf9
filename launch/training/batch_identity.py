"""The identity of a batch, whatever the number of hosts that load it."""

import hashlib
from collections.abc import Iterable

import jax
import numpy as np
from jaxtyping import Bool

from ...models.rows import Batch
from ...objectives.errors import UsageError

_BITS = 128


def batch_digest(
    batch: Batch, *, first_row: int, counted: Bool[np.ndarray, " B"]
) -> int:
    """The sum of the digests of the rows of a batch that this host counts.

    A row's digest is of its number in the batch and its contents.

    Args:
      batch: the rows of this host, as NumPy arrays.
      first_row: the number of the first of them.
      counted: the rows of the whole batch that this host counts.
    """
    arrays = jax.tree.leaves(batch)
    total = 0
    for row in np.flatnonzero(counted):
        sha256 = hashlib.sha256(int(row).to_bytes(8, "little"))
        for array in arrays:
            sha256.update(np.ascontiguousarray(array[row - first_row]).tobytes())
        total += int.from_bytes(sha256.digest()[: _BITS // 8], "little")
    return total


def identity_of(digests: Iterable[int]) -> str:
    """The identity of a batch: the digests of all hosts, modulo 2¹²⁸; hexadecimal."""
    return f"{sum(digests) % 2**_BITS:032x}"


def check_same_batch(found: str, expected: str) -> None:
    """Refuses to continue with other data than the run has read so far.

    Args:
      found: the identity of the last batch before the checkpoint, read again.
      expected: when it was saved.

    Raises:
      UsageError: they differ.
    """
    if found != expected:
        raise UsageError(
            "the data is not what this run has read so far: the last batch before the "
            "checkpoint is different now. Another Python (python_docs is made from "
            "the running one), corpus or version of Sightline reads other text; go "
            "back to the previous one, or start a new --run_dir."
        )
