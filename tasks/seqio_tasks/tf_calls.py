"""Calls from TensorFlow's pipelines into Python, and their end.

TensorFlow reads ahead in threads of its own. One that enters Python while the
interpreter is shutting down hangs the process or aborts it (about every second time
with a pipeline that never ends). So at exit every dataset here ends, and the exit
waits until no call is running.
"""

import atexit
import functools
import threading
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import tensorflow as tf

_QUIET_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0

P = ParamSpec("P")
R = TypeVar("R")

_closing = threading.Event()
_lock = threading.Lock()
_running_calls = 0
_last_end = 0.0


def tracked(function: Callable[P, R]) -> Callable[P, R]:
    """A function for `tf.numpy_function`; the exit waits for its calls."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        global _running_calls, _last_end
        with _lock:
            _running_calls += 1
        try:
            return function(*args, **kwargs)
        finally:
            with _lock:
                _running_calls -= 1
                _last_end = time.monotonic()

    return call


def until_exit(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset, ending when the interpreter does."""

    @tf.autograph.experimental.do_not_convert
    def running(*element: Any) -> tf.Tensor:
        del element
        is_open = tf.numpy_function(_is_running, [], tf.bool)
        return tf.ensure_shape(is_open, [])

    return dataset.take_while(running)


def is_closing() -> bool:
    """Whether the interpreter is ending, so that nothing more need be read."""
    return _closing.is_set()


@tracked
def _is_running() -> bool:
    return not is_closing()


def _close() -> None:
    _closing.set()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with _lock:
            quiet = not _running_calls and time.monotonic() - _last_end > _QUIET_SECONDS
        if quiet:
            return
        time.sleep(_QUIET_SECONDS / 5)


atexit.register(_close)
