"""Items made in advance on a thread of their own, and waits that can be left."""

import concurrent.futures
import itertools
import queue
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.1
"""How often a wait looks whether it is to be left."""

_END = object()


class Reader(Generic[T], Iterator[T]):
    """Yields the same items, made up to `ahead` in advance on a separate thread.

    The thread starts at once. An exception of the producer is raised in the consumer,
    in its place in the order. When the consumer stops early (`close`, or garbage
    collection), the thread ends after the item that it is making. It is a daemon: a
    read that never returns does not keep the process from ending.
    """

    def __init__(self, items: Iterable[T], *, ahead: int):
        self._ready: queue.Queue[tuple[Any, BaseException | None]]
        self._ready = queue.Queue(maxsize=ahead)
        self._closed = threading.Event()
        self._peeked: list[T] = []
        self.while_waiting: Callable[[], object] = lambda: None
        """Called every `POLL_SECONDS` of a wait; leaves it by raising."""
        in_background(_produce, items, self._ready, self._closed)
        weakref.finalize(self, self._closed.set)

    def is_ready(self) -> bool:
        """Whether the next item is made already."""
        return bool(self._peeked) or not self._ready.empty()

    def peek(self, number: int) -> list[T]:
        """The next items, fewer if there are no more; they come again."""
        self._peeked = list(itertools.islice(self, number))
        return list(self._peeked)

    def __next__(self) -> T:
        if self._peeked:
            return self._peeked.pop(0)
        if self._closed.is_set():
            raise StopIteration
        while True:
            try:
                item, error = self._ready.get(timeout=POLL_SECONDS)
            except queue.Empty:
                self.while_waiting()
                continue
            if item is not _END:
                return item
            self._closed.set()
            if error is not None:
                raise error
            raise StopIteration

    def close(self) -> None:
        """Ends the thread after the item that it is making."""
        self._closed.set()


def in_background(
    function: Callable[..., T], *arguments: Any, **named: Any
) -> concurrent.futures.Future[T]:
    """Calls a function on a daemon thread of its own."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def call() -> None:
        try:
            future.set_result(function(*arguments, **named))
        except BaseException as error:  # raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=call, name="sightline-reader", daemon=True).start()
    return future


def wait_for(
    future: concurrent.futures.Future[T], *, while_waiting: Callable[[], object]
) -> T:
    """The result of a future.

    Args:
      future: to wait for.
      while_waiting: called every `POLL_SECONDS` of the wait; leaves it by raising.
    """
    while not future.done():
        concurrent.futures.wait([future], timeout=POLL_SECONDS)
        if not future.done():
            while_waiting()
    return future.result()


def _produce(
    items: Iterable[T],
    ready: "queue.Queue[tuple[Any, BaseException | None]]",
    closed: threading.Event,
) -> None:
    """Puts the items, and in the end the error that ended them, or None."""

    def put(item: Any, error: BaseException | None = None) -> bool:
        while not closed.is_set():
            try:
                ready.put((item, error), timeout=POLL_SECONDS)
                return True
            except queue.Full:
                continue
        return False

    try:
        for item in items:
            if not put(item):
                return
        put(_END)
    except BaseException as error:  # passed to the consumer, whatever it is
        put(_END, error)
