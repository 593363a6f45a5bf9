"""Which recorded row is row n of a run: a pure function of the seed and n.

Rows of groups are interleaved by the groups' shares of the rows: row k of a group with
share q is due at time (k + 1/2) / q, and rows come as they are due. After any number m
of rows a group has had m · q of them, to within one or two. Where the shares change,
each group goes on where it was. Row k of a group is in epoch k // R of the group's R
rows, at place k % R of a permutation of its own, so that every row comes once an
epoch.
"""

import bisect
import functools
import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from ..examples.permutation import ROUNDS, permuted


class Places(NamedTuple):
    """Which rows come: number of the group, and row of the group.

    Attributes:
      group: of each row.
      row: in that group.
    """

    group: Int64[np.ndarray, " B"]
    row: Int64[np.ndarray, " B"]


class RowOrder:
    """The order of a run's rows.

    Args:
      phases: from the first row of each phase, 0 among them, to the groups' shares of
        the rows.
      sizes: rows of each group.
      seed: of the permutations.
      names: of the groups, which have permutations of their own.
    """

    def __init__(
        self,
        phases: Mapping[int, Sequence[float]],
        sizes: Sequence[int],
        *,
        seed: int,
        names: Sequence[str],
    ):
        self._sizes: Int64[np.ndarray, " G"] = np.array(sizes, np.int64)
        make_keys = functools.partial(_round_keys, seed, tuple(names))
        self._keys = functools.lru_cache(maxsize=4096)(make_keys)
        self._starts = sorted(phases)
        self._shares = [_normalised(phases[start]) for start in self._starts]
        had = np.zeros(len(sizes), np.int64)
        self._had = [had]
        for number, stop in enumerate(self._starts[1:]):
            length = stop - self._starts[number]
            had = had + _before(self._shares[number], length)
            self._had.append(had)

    def places(self, start: int, stop: int) -> Places:
        """The rows [start, stop) of the run, in constant time wherever they are."""
        found = [Places(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        while start < stop:
            phase = bisect.bisect_right(self._starts, start) - 1
            later = self._starts[phase + 1 : phase + 2]
            until = min([stop, *later])
            first = self._starts[phase]
            due = _due(self._shares[phase], start - first, until - first)
            found.append(self._shuffled(due, self._had[phase]))
            start = until
        groups, rows = zip(*found, strict=True)
        return Places(np.concatenate(groups), np.concatenate(rows))

    def _shuffled(self, due: Places, had: Int64[np.ndarray, " G"]) -> Places:
        rows = due.row + had[due.group]
        sizes = self._sizes[due.group]
        epochs, places = np.divmod(rows, sizes)
        keys = [
            self._keys(group, epoch)
            for group, epoch in zip(due.group.tolist(), epochs.tolist(), strict=True)
        ]
        shuffled = permuted(
            places, sizes, np.array(keys, np.uint64).reshape(-1, ROUNDS)
        )
        return Places(due.group, shuffled)


def row_shares(
    rates: Mapping[str, float], examples_a_row: Mapping[str, float]
) -> dict[str, float]:
    """The shares of rows that give shares of Examples; they sum to 1.

    Args:
      rates: relative number of Examples of each group.
      examples_a_row: of each group.
    """
    rows = {name: rate / examples_a_row[name] for name, rate in rates.items()}
    total = sum(rows.values())
    return {name: count / total for name, count in rows.items()}


def _normalised(shares: Sequence[float]) -> Float64[np.ndarray, " G"]:
    values = np.asarray(shares, np.float64)
    return values / values.sum()


def _due(shares: Float64[np.ndarray, " G"], start: int, stop: int) -> Places:
    """The rows [start, stop) of a phase: group, and row of the group in the phase."""
    skipped, due = _window(shares, start, stop)
    at = start - int(skipped.sum())
    return Places(*(values[at : at + stop - start] for values in due))


def _before(shares: Float64[np.ndarray, " G"], count: int) -> Int64[np.ndarray, " G"]:
    """How many rows of each group are among the first `count` of a phase."""
    skipped, due = _window(shares, count, count)
    groups = due.group[: count - int(skipped.sum())]
    return skipped + np.bincount(groups, minlength=len(shares))


def _window(
    shares: Float64[np.ndarray, " G"], start: int, stop: int
) -> tuple[Int64[np.ndarray, " G"], Places]:
    """The rows that are due around [start, stop), and how many of each were before.

    By time t, t · q rows of a group are due, to within one half; so all rows that are
    skipped are due before row `start`, and all up to `stop` are among those returned.
    """
    margin = len(shares) + 2
    first = np.floor(np.maximum(0, start - margin) * shares).astype(np.int64) - 1
    first = np.maximum(0, first)
    last = np.ceil((stop + margin) * shares).astype(np.int64) + 1
    last = np.where(shares > 0, last, first)
    groups = np.repeat(np.arange(len(shares)), last - first)
    rows = np.concatenate(
        [np.arange(a, b) for a, b in zip(first, last, strict=True)]
    ).astype(np.int64)
    with np.errstate(divide="ignore"):
        times = (rows + 0.5) / shares[groups]
    order = np.lexsort((groups, times))
    return first, Places(groups[order].astype(np.int64), rows[order])


def _round_keys(
    seed: int, names: Sequence[str], group: int, epoch: int
) -> tuple[int, ...]:
    """The keys of a group's permutation in an epoch."""
    text = f"{seed} {names[group]} {epoch}"
    return struct.unpack(f"<{ROUNDS}Q", hashlib.sha512(text.encode()).digest())
