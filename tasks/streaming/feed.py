"""The Examples of one task, in order, from chunks that others make."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..rows.layout import Placed
from .chunks import CHUNK, Chunk, Key, LocalMaker, Makers, Plan


class ExampleId(NamedTuple):
    """Where an Example comes from; enough to make it again.

    Attributes:
      task: its number among the tasks of the plan.
      epoch: pass over the corpus.
      block: of the epoch.
      window: index in the block.
    """

    task: int
    epoch: int
    block: int
    window: int


class Item(NamedTuple):
    """A laid-out Example and where it comes from."""

    id: ExampleId
    placed: Placed


class Place(NamedTuple):
    """Where a task is to be read next."""

    epoch: int
    block: int
    window: int


class Feed:
    """A task's Examples without end, from a place on.

    Args:
      plan: of the stream.
      task: its number among the tasks of the plan.
      makers: of its chunks.
      place: where it is to be read first.
      ahead: chunks to expect beyond the one that is read.

    Attributes:
      place: where the next Example is looked for.
    """

    def __init__(
        self, plan: Plan, task: int, makers: Makers, *, place: Place, ahead: int
    ):
        self._plan = plan
        self._task = task
        self._makers = makers
        self._ahead = ahead
        # Whether the epoch gave an Example; taken for granted in the middle of one.
        self._found = place != Place(place.epoch, 0, 0)
        self._items = self._read(place)
        self.place = place

    def __next__(self) -> Item:
        item = next(self._items)
        self.place = Place(item.id.epoch, item.id.block, item.id.window + 1)
        return item

    def _read(self, place: Place) -> Iterator[Item]:
        key = Key(self._task, place.epoch, place.block, place.window // CHUNK)
        skip = place.window
        while True:
            self._makers.expect(
                key._replace(number=key.number + n) for n in range(self._ahead + 1)
            )
            chunk = self._makers.make(key)
            for item in items(key, chunk):
                if item.id.window >= skip:
                    self._found = True
                    yield item
            skip = 0
            key = self._after(key, chunk)

    def _after(self, key: Key, chunk: Chunk) -> Key:
        if not chunk.ends_block:
            return key._replace(number=key.number + 1)
        if not chunk.ends_epoch:
            return Key(key.task, key.epoch, key.block + 1, 0)
        if not self._found:
            raise LocalMaker(self._plan).source(key.task).too_short()
        self._found = False
        return Key(key.task, key.epoch + 1, 0, 0)


def items(key: Key, chunk: Chunk) -> list[Item]:
    """The Examples of a chunk."""
    if chunk.laid is None:
        return []
    ids = (ExampleId(*key[:3], window) for window in chunk.windows.tolist())
    return list(map(Item, ids, chunk.laid.placed()))


def again(ids: Sequence[ExampleId], makers: Makers) -> dict[ExampleId, Item]:
    """Makes Examples once more, chunk by chunk."""
    keys = dict.fromkeys(Key(*id_[:3], id_.window // CHUNK) for id_ in ids)
    makers.expect(keys)
    found: dict[ExampleId, Item] = {}
    for key in keys:
        found |= {item.id: item for item in items(key, makers.make(key))}
    return {id_: found[id_] for id_ in ids}
