"""Which windows of a task come when: documents in a new order each epoch.

The windows of a task are numbered without end: those of epoch 0 in its order of
documents, then those of epoch 1, and so on. Any range of numbers is found from the
documents' lengths alone, so that parts of a recording are made independently.
"""

import functools

import numpy as np
from jaxtyping import Int64

from ..examples.windows import windows


class WindowOrder:
    """The numbered windows of a task.

    Args:
      task: its name; tasks have orders of their own.
      lengths: tokens of each document.
      window: most tokens in a window.
      smallest: fewest tokens in a window.
      seed: of the orders of documents.

    Attributes:
      per_epoch: windows of a pass over the corpus.
    """

    def __init__(
        self,
        task: str,
        lengths: Int64[np.ndarray, " N"],
        *,
        window: int,
        smallest: int,
        seed: int,
    ):
        self._task, self._seed = task, seed
        self._lengths, self._window, self._smallest = lengths, window, smallest
        # As many as `windows` cuts.
        self._counts = np.where(lengths >= smallest, -(-lengths // window), 0)
        self.per_epoch = int(self._counts.sum())
        self._epoch = functools.lru_cache(maxsize=2)(self._order)

    def range(self, start: int, stop: int) -> Int64[np.ndarray, "W 5"]:
        """The windows numbered [start, stop).

        Returns:
          For each: epoch, document, its index there, start and stop in tokens.
        """
        found = [np.zeros((0, 5), np.int64)]
        while start < stop:
            epoch, at = divmod(start, self.per_epoch)
            until = min(self.per_epoch, at + stop - start)
            found.append(self._in_epoch(epoch, at, until))
            start += until - at
        return np.concatenate(found)

    def _in_epoch(self, epoch: int, start: int, stop: int) -> Int64[np.ndarray, "W 5"]:
        order, ends = self._epoch(epoch)
        first = int(np.searchsorted(ends, start, side="right"))
        last = int(np.searchsorted(ends, stop, side="left"))
        spans = [
            (epoch, document, number, *span)
            for document in order[first : last + 1].tolist()
            for number, span in enumerate(
                windows(
                    int(self._lengths[document]),
                    window=self._window,
                    smallest=self._smallest,
                )
            )
        ]
        before = int(ends[first] - self._counts[order[first]])
        return np.array(spans[start - before : stop - before], np.int64)

    def _order(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The documents of an epoch in order, and where the windows of each end."""
        words = [self._seed % 2**64, 1, epoch, *self._task.encode()]
        order = np.random.default_rng(words).permutation(len(self._lengths))
        return order, np.cumsum(self._counts[order])
