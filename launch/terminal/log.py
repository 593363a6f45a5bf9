"""What a run says of itself: lines on standard output, one formatter for all.

On a terminal a line is its message. Elsewhere it has time, level, host and step; with
the format `json` it is an object as Google Cloud Logging reads it.
"""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape

Format = Literal["plain", "json"]

_ROOT = __name__.partition(".")[0]

_LIBRARIES = ("absl", "concurrent.futures", "asyncio")
"""The loggers of Orbax and of what it is made of."""

_FIELDS = ("loss", "tokens_per_second", "data_wait", "reason")
"""Attributes of a record (`extra`) that stand in a line of their own name in JSON."""


class Formatter(logging.Formatter):
    """One line for a record, plain or JSON.

    Args:
      kind: of the lines.
      host: index of this process.
      step: gives the steps done, or None before the first.
    """

    def __init__(self, kind: Format, *, host: int, step: Callable[[], int | None]):
        super().__init__()
        self._kind = kind
        self._host = host
        self._step = step

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        stamp = f"{seconds}.{int(record.msecs):03d}Z"
        message = record.getMessage()
        if record.exc_info:
            message += self._reason(record, record.exc_info)
        step = self._step()
        if self._kind == "plain":
            where = f"host {self._host}" + ("" if step is None else f" step {step}")
            return f"{stamp} {record.levelname} {where}: {message}"
        line = {
            "severity": record.levelname,
            "time": stamp,
            "host": self._host,
            "step": step,
            "message": message,
        }
        line |= {f: _plain(getattr(record, f)) for f in _FIELDS if hasattr(record, f)}
        return json.dumps(line, allow_nan=False)

    def _reason(self, record: logging.LogRecord, error: Any) -> str:
        """The traceback of an error of ours; of a library, which logs one for each of
        its threads and then raises, the error alone.
        """
        if record.name.partition(".")[0] == _ROOT:
            return "\n" + self.formatException(error)
        return f" ({error[0].__name__})" if error[0] else ""


class RunLog:
    """The log of one run.

    Attributes:
      console: where tables are printed; quiet where the lines are JSON.
      step: steps done, for every line; None before the first.
    """

    def __init__(self, console: Console, *, kind: Format = "plain", first: bool = True):
        """A log on a console.

        Args:
          console: where everything goes.
          kind: of the lines.
          first: whether this process is the first of its run; the others print no
            tables, and no line below a warning.
        """
        self.console = Console(file=console.file, quiet=kind == "json" or not first)
        self._first = first
        self.step: int | None = None
        self.kind: Format = kind
        self._lines = console

    @property
    def on_terminal(self) -> bool:
        """Whether a person watches: then a bar shows the progress, and no lines."""
        return self._first and self._lines.is_terminal and self.kind == "plain"

    @contextlib.contextmanager
    def listening(self, *, host: int = 0) -> Iterator["RunLog"]:
        """Prints what Sightline logs inside the context, and warnings of libraries.

        Args:
          host: index of this process.
        """
        level = logging.INFO if self._first else logging.WARNING
        with contextlib.ExitStack() as stack:
            levels = {_ROOT: level} | dict.fromkeys(_LIBRARIES, logging.WARNING)
            for name, least in levels.items():
                handler = _Handler(self)
                handler.setLevel(least)
                handler.setFormatter(
                    Formatter(self.kind, host=host, step=lambda: self.step)
                )
                stack.enter_context(_listening(logging.getLogger(name), handler))
            yield self

    @contextlib.contextmanager
    def phase(self, what: str) -> Iterator[None]:
        """Shows what the run is doing: a spinner on a terminal, elsewhere a line."""
        if self.on_terminal:
            with self.console.status(what):
                yield
        else:
            logging.getLogger(__name__).info("%s", what)
            yield

    def emit(self, record: logging.LogRecord, line: str) -> None:
        """Prints one line: above the bar, if there is one."""
        if not self.on_terminal:
            self._lines.file.write(line + "\n")
            self._lines.file.flush()
            return
        style = {"WARNING": "yellow", "ERROR": "bold red"}.get(record.levelname, "")
        text = escape(record.getMessage())
        self.console.print(f"[{style}]{text}[/]" if style else text, highlight=False)


@contextlib.contextmanager
def _listening(logger: logging.Logger, handler: logging.Handler) -> Iterator[None]:
    """Hands what a logger logs to a handler alone."""
    before = logger.level, logger.propagate
    logger.setLevel(handler.level)
    logger.propagate = False  # absl gives the root logger a handler too
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def _plain(value: float | str) -> float | str:
    """A value that JSON can hold."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


class _Handler(logging.Handler):
    def __init__(self, log: RunLog):
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.emit(record, self.format(record))
