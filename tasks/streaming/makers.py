"""Processes that make chunks for the process that mixes and packs them."""

import itertools
from collections.abc import Iterable, Sequence
from multiprocessing.connection import Connection

from .chunks import Chunk, Key, LocalMaker, Plan
from .processes import send_error


def serve_chunks(plan: Plan, requests: Connection) -> None:
    """Makes every chunk that is asked for, until the other end closes."""
    try:
        maker = LocalMaker(plan)
        while True:
            key = requests.recv()
            requests.send((key, maker.make(key)))
    except EOFError:
        return
    except Exception as error:
        send_error(requests, error)


class RemoteMakers:
    """Makes chunks in other processes, in advance; any number gives the same chunks.

    Args:
      makers: connections to processes that run `serve_chunks`.
    """

    def __init__(self, makers: Sequence[Connection]):
        self._turns = itertools.cycle(makers)
        self._asked: dict[Key, Connection] = {}
        self._made: dict[Key, Chunk] = {}
        self._dropped: set[Key] = set()

    def expect(self, keys: Iterable[Key]) -> None:
        """Asks for the chunks that have not been asked for."""
        for key in keys:
            if key not in self._asked and key not in self._made:
                maker = next(self._turns)
                self._asked[key] = maker
                maker.send(key)

    def make(self, key: Key) -> Chunk:
        """The chunk of a key; waits until it is made.

        Raises:
          Exception: whatever was raised where it was made.
        """
        self.expect([key])
        while key not in self._made:
            made, content = self._asked[key].recv()
            if made == "error":
                raise content
            del self._asked[made]
            if made in self._dropped:
                self._dropped.remove(made)
            else:
                self._made[made] = content
        chunk = self._made.pop(key)
        if chunk.ends_block:
            self._forget(key)
        return chunk

    def _forget(self, last: Key) -> None:
        """Drops what was expected of a block beyond its end."""
        for key in [k for k in self._made if k[:3] == last[:3] and k > last]:
            del self._made[key]
        beyond = (k for k in self._asked if k[:3] == last[:3] and k > last)
        self._dropped.update(beyond)
