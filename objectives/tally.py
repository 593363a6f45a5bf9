"""Counts what objectives do that no Example shows, such as negatives drawn again."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar

_tally: ContextVar[Counter[str] | None] = ContextVar("tally", default=None)


def count(event: str) -> None:
    """Counts an event in the active tally, if there is one."""
    tally = _tally.get()
    if tally is not None:
        tally[event] += 1


@contextlib.contextmanager
def counted() -> Iterator[Counter[str]]:
    """The events of the objectives that are called inside, by name."""
    tally: Counter[str] = Counter()
    token = _tally.set(tally)
    try:
        yield tally
    finally:
        _tally.reset(token)
