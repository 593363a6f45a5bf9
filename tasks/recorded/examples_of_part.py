"""The Examples of one part of a recording, in their order."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Int64

from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds
from ..examples.windows import window_examples
from ..tokens.tokenised_documents import TokenisedDocuments
from .recipe import Part
from .window_order import WindowOrder

CHUNK = 512
"""Windows whose Examples are made at a time; their order does not depend on it."""

_AGAIN = 2**32
"""Added to the epoch of a window that is used again, so that its Example is another."""

Chosen = Int64[np.ndarray, "W 6"]
"""For each window: number of its task, epoch, document, window, start, stop."""


class PartExamples:
    """Examples of a part: each task's share of them, shuffled together.

    Task t has the windows numbered from `round(share * start)` to
    `round(share * stop)`, so that over a group every task has its share to the Example.
    Of a group with several tasks, a window without an Example is replaced by another
    Example of the part's other windows of that task; the group of one task has each
    window once a pass.

    Args:
      part: of the group.
      objectives: of each task, with settings.
      windows: of each task.
      documents: of each task.
      ids: reserved ids.

    Attributes:
      without_example: windows so far of which the objective made none.
    """

    def __init__(
        self,
        part: Part,
        *,
        objectives: Mapping[str, Objective],
        windows: Mapping[str, WindowOrder],
        documents: Mapping[str, TokenisedDocuments],
        ids: SpecialIds,
    ):
        self.without_example = 0
        self._part = part
        self._tasks = list(part.group.shares)
        self._objectives, self._documents = objectives, documents
        self._windows, self._ids = windows, ids

    def __iter__(self) -> Iterator[Example]:
        group = self._part.group
        name = f"{group.split} {group.name}"
        words = [group.seed % 2**64, 2, self._part.number, *name.encode()]
        chosen = np.random.default_rng(words).permutation(self._chosen())
        missing = np.zeros(len(self._tasks), np.int64)
        for task, example in self._made(chosen):
            if example is None:
                self.without_example += 1
                missing[task] += 1
            else:
                yield example
        if len(self._tasks) > 1:
            for task in np.flatnonzero(missing).tolist():
                yield from self._again(task, chosen, int(missing[task]))

    def _chosen(self) -> Chosen:
        found = [np.zeros((0, 6), np.int64)]
        for number, (task, share) in enumerate(self._part.group.shares.items()):
            start, stop = (
                int(np.floor(share * at + 0.5))
                for at in (self._part.start, self._part.stop)
            )
            windows = self._windows[task].range(start, stop)
            tasks = np.full((len(windows), 1), number, np.int64)
            found.append(np.hstack([tasks, windows]))
        return np.concatenate(found)

    def _again(self, task: int, chosen: Chosen, missing: int) -> Iterator[Example]:
        """Further Examples of a task from the part's windows, with other randomness."""
        ours = chosen[chosen[:, 0] == task]
        while missing:
            ours = ours + np.array([0, _AGAIN, 0, 0, 0, 0])
            found = [e for _, e in self._made(ours) if e is not None][:missing]
            if not found:
                raise UsageError(
                    f"{self._tasks[task]!r} makes no Example of the {len(ours):,} "
                    f"windows of {self._part}; give it other text or settings, or a "
                    "rate of 0."
                )
            missing -= len(found)
            yield from found

    def _made(self, chosen: Chosen) -> Iterator[tuple[int, Example | None]]:
        """Task and Example of each window, in order."""
        for at in range(0, len(chosen), CHUNK):
            chunk = chosen[at : at + CHUNK]
            examples: dict[tuple[int, ...], Example] = {}
            for task, epoch in np.unique(chunk[:, :2], axis=0).tolist():
                places = chunk[(chunk[:, 0] == task) & (chunk[:, 1] == epoch)]
                for number, example in self._of_task(task, epoch, places):
                    examples[tuple(places[number, :4].tolist())] = example
            for row in chunk[:, :4].tolist():
                yield row[0], examples.get(tuple(row))

    def _of_task(
        self, task: int, epoch: int, places: Chosen
    ) -> Iterator[tuple[int, Example]]:
        name = self._tasks[task]
        documents = self._documents[name]
        found = (
            (document, documents[document], window, (start, stop))
            for _, _, document, window, start, stop in places.tolist()
        )
        return window_examples(
            self._objectives[name],
            documents,
            found,
            ids=self._ids,
            seed=self._part.group.seed,
            epoch=epoch,
        )
