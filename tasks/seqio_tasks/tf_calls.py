"""Calls from TensorFlow's pipelines into Python: their errors, and their end.

TensorFlow turns an exception of such a call into one of its own, with the traceback as
its message; `python_errors` raises the one that it was. And it lets pipelines come to
rest before the interpreter ends.

TensorFlow reads ahead in threads of its own. One that enters Python while the
interpreter is shutting down hangs the process or aborts it (about every second time
with a pipeline that never ends). So at exit every dataset here ends, and the exit
waits until no call is under way.
"""

import atexit
import functools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ParamSpec, TypeVar

import tensorflow as tf

_QUIET_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_closing = threading.Event()
_lock = threading.Lock()
_under_way = 0
_last_end = 0.0
_raised: deque[Exception] = deque(maxlen=8)


def tracked(function: Callable[P, R]) -> Callable[P, R]:
    """A function for `tf.numpy_function` whose calls the exit waits for."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        global _under_way, _last_end
        with _lock:
            _under_way += 1
        try:
            return function(*args, **kwargs)
        except Exception as error:
            _raised.append(error)
            raise
        finally:
            with _lock:
                _under_way -= 1
                _last_end = time.monotonic()

    return call


def python_errors(elements: Iterable[T]) -> Iterator[T]:
    """The elements of a dataset; what a `tracked` function raised is raised as it was.

    Raises:
      Exception: whatever Python raised in the dataset's pipeline.
    """
    _raised.clear()
    try:
        yield from elements
    except tf.errors.OpError as error:
        if _raised:
            raise _raised[0] from error
        raise


def until_exit(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset, but it ends when the interpreter does."""

    @tf.autograph.experimental.do_not_convert
    def running(*element: Any) -> tf.Tensor:
        del element
        open_ = tf.numpy_function(_is_running, [], tf.bool)
        return tf.ensure_shape(open_, [])

    return dataset.take_while(running)


def is_closing() -> bool:
    """Whether the interpreter is ending, so that what is read is of no use."""
    return _closing.is_set()


@tracked
def _is_running() -> bool:
    return not is_closing()


def _close() -> None:
    _closing.set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with _lock:
            quiet = not _under_way and time.monotonic() - _last_end > _QUIET_SECONDS
        if quiet:
            return
        time.sleep(_QUIET_SECONDS / 5)


atexit.register(_close)
