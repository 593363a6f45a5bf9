"""Batches of packed rows without end, and the position before each of them.

The stream is a function of its plan alone. A position says where every task is to be
read next and which Examples lie in open rows, so that going on from it costs the
chunks of those, however far the run has come.
"""

import bisect
from collections.abc import Iterator, Sequence
from typing import Any

from ...models.rows import Batch
from ...objectives.errors import UsageError
from ..examples.example_stream import cumulative_shares, draws
from ..rows.batches import check_ids
from ..rows.packing import Packer, collate
from ..tokens.vocabulary import vocabulary
from .chunks import Makers, Plan
from .feed import ExampleId, Feed, Item, Place, again

Position = dict[str, Any]
"""Plain JSON."""


def start_of(plan: Plan) -> Position:
    """The position before the first batch."""
    return {
        "shard": [plan.shard.index, plan.shard.count],
        "batches": 0,
        "tasks": [[task, 0, 0, 0] for task in plan.tasks],
        "examples": 0,
        "opened": [],
        "open": [],
    }


def check_position(plan: Plan, position: Position) -> None:
    """Refuses a position of another stream.

    Raises:
      UsageError: it was saved by another number of hosts, or for other tasks.
    """
    index, count = position["shard"]
    if count != plan.shard.count:
        raise UsageError(
            f"this run reads its text in {count} part(s), each by the hosts that load "
            f"the same rows, and is now to go on in {plan.shard.count}; a stream "
            "cannot be divided anew. Use as many hosts as before, or record the "
            "mixture (sightline record) to change the number of hosts."
        )
    if index != plan.shard.index:
        raise UsageError(
            f"the position is that of part {index} of the text, and this is part "
            f"{plan.shard.index}; give each host the position that it saved."
        )
    tasks = [task for task, *_ in position["tasks"]]
    if tasks != plan.tasks:
        raise UsageError(
            f"the position is one in a stream of {', '.join(tasks)}, not "
            f"of {', '.join(plan.tasks)}; a run goes on with the tasks that it began "
            "with. Mixture.schedule changes rates over a run."
        )


class RowStream:
    """Batches from a position on.

    Args:
      plan: what the stream is a function of.
      position: that of the first batch.
      makers: of the Examples.
      ahead: chunks of each task to expect beyond the one that is read.

    Raises:
      UsageError: the position is of another stream.
    """

    def __init__(
        self, plan: Plan, position: Position, makers: Makers, *, ahead: int = 0
    ):
        check_position(plan, position)
        self._plan = plan
        self._batches: int = position["batches"]
        self._feeds = [
            Feed(plan, number, makers, place=Place(*place), ahead=ahead)
            for number, (_, *place) in enumerate(position["tasks"])
        ]
        self._packer = Packer[Item](plan.rows)
        ids = [[ExampleId(*id_) for id_ in _by_four(row)] for row in position["open"]]
        made = again([id_ for row in ids for id_ in row], makers)
        self._packer.restore(
            [[(made[id_], made[id_].placed) for id_ in row] for row in ids],
            position["opened"],
            position["examples"],
        )
        self._vocabulary_size = vocabulary(plan.mixture.vocabulary).size

    def position(self) -> Position:
        """The position before the next batch."""
        packer = self._packer
        return {
            "shard": [self._plan.shard.index, self._plan.shard.count],
            "batches": self._batches,
            "tasks": [
                [task, *feed.place]
                for task, feed in zip(self._plan.tasks, self._feeds, strict=True)
            ],
            "examples": packer.count,
            "opened": list(packer.opened),
            "open": [[n for item in row for n in item.id] for row in packer.rows],
        }

    def __iter__(self) -> Iterator[Batch]:
        plan, packer = self._plan, self._packer
        numbers = draws(plan.seed, skip=packer.count, shard=plan.shard.index)
        while True:
            limits = cumulative_shares(plan.mixture.at(self._batches), plan.tasks)
            rows: list[list[Item]] = []
            while len(rows) < plan.batch_rows:
                item = next(self._feeds[bisect.bisect_right(limits, next(numbers))])
                closed = packer.add(item, item.placed)
                if closed is not None:
                    rows.append(closed)
            placed = [[item.placed for item in row] for row in rows]
            batch = collate(placed, plan.rows)
            check_ids(batch, self._vocabulary_size)
            self._batches += 1
            yield batch


def _by_four(flat: Sequence[int]) -> list[Sequence[int]]:
    return [flat[at : at + 4] for at in range(0, len(flat), 4)]
