"""A 5-gram language model: absolute discounting, interpolated.

`p(w|h) = max(c(hw) - d, 0) / c(h) + d * n(h) / c(h) * p(w|h')`, where `n(h)` is the
number of different words after `h` and `h'` is `h` without its first word (Ney, Essen
and Kneser 1994; Chen and Goodman 1999, §2.7). Below one word it is uniform.
"""

import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float64

ORDER = 5
DISCOUNT = 0.75

_Next = Mapping[tuple[str, ...], tuple[list[str], Float64[np.ndarray, " words"]]]


class Ngrams:
    """Counts of runs of up to five words."""

    def __init__(self, documents: Iterable[Sequence[str]]):
        self._counts: Counter[tuple[str, ...]] = Counter()
        for words in documents:
            for size in range(1, ORDER + 1):
                runs = zip(*(words[i:] for i in range(size)), strict=False)
                self._counts.update(runs)
        self._after: Counter[tuple[str, ...]] = Counter()
        self._different: Counter[tuple[str, ...]] = Counter()
        for run, count in self._counts.items():
            self._after[run[:-1]] += count
            self._different[run[:-1]] += 1

    def log_probability(self, words: Sequence[str], before: Sequence[str]) -> float:
        """`log p(words | before)` in nats."""
        text = [*before[-ORDER + 1 :], *words]
        first = len(text) - len(words)
        return sum(
            math.log(self._probability(text[i], tuple(text[max(0, i - ORDER + 1) : i])))
            for i in range(first, len(text))
        )

    def draw(self, before: Sequence[str], rng: np.random.Generator) -> str:
        """Draws the next word from `p(word | before)`."""
        for start in range(max(0, len(before) - ORDER + 1), len(before) + 1):
            history = tuple(before[start:])
            total = self._after[history]
            spared = DISCOUNT * self._different[history] / total if total else 1.0
            if rng.random() >= spared:
                words, weights = self._next[history]
                return words[int(rng.choice(len(words), p=weights))]
        # The rest, below one word, is uniform.
        words = self._next[()][0]
        return words[int(rng.integers(len(words)))]

    @functools.cached_property
    def _next(self) -> _Next:
        """For each history, the words after it and their discounted shares."""
        counts_after: dict[tuple[str, ...], tuple[list[str], list[float]]] = {}
        for run, count in self._counts.items():
            words, counts = counts_after.setdefault(run[:-1], ([], []))
            words.append(run[-1])
            counts.append(count - DISCOUNT)
        return {
            history: (words, np.array(counts) / sum(counts))
            for history, (words, counts) in counts_after.items()
        }

    def _probability(self, word: str, history: tuple[str, ...]) -> float:
        # From the shortest history up: each interpolates with the one below it.
        probability = 1 / (1 + self._different[()])
        for start in range(len(history), -1, -1):
            known = history[start:]
            total = self._after[known]
            if not total:
                break
            seen = max(self._counts[(*known, word)] - DISCOUNT, 0)
            rest = DISCOUNT * self._different[known] * probability
            probability = (seen + rest) / total
        return probability
