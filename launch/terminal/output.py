"""Standard output that a run can lose without stopping."""

import io
import os
import sys
from typing import IO, TextIO, cast

from rich.console import Console

Text = TextIO | io.TextIOBase


class SurvivingOutput(io.TextIOBase):
    """Writes to a stream until that fails; says so once, and drops what follows.

    The reader of a pipe may leave (`| head`) and a disk may fill up (`> log`). A run
    of days does not end of that: its metrics and checkpoints are files of its own.
    """

    def __init__(self, stream: Text, *, errors: Text):
        """Wraps a stream.

        Args:
          stream: usually standard output.
          errors: where the loss is told, once.
        """
        self._stream = stream
        self._errors = errors
        self._lost = False

    def write(self, text: str, /) -> int:
        """Writes the text, or drops it."""
        if not self._lost:
            try:
                self._stream.write(text)
            except (OSError, ValueError) as error:  # ValueError: it was closed
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Flushes the stream, unless it is lost."""
        if not self._lost:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._lose(error)

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return not self._stream.closed and self._stream.isatty()

    def fileno(self) -> int:
        """The stream's descriptor."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's encoding."""
        return self._stream.encoding

    def _lose(self, error: Exception) -> None:
        self._lost = True
        discard(self._stream)
        reason = error.strerror if isinstance(error, OSError) else str(error)
        try:
            print(
                f"sightline: standard output is lost ({reason}); the run goes on "
                "without it. Its metrics and checkpoints are written as before.",
                file=self._errors,
                flush=True,
            )
        except (OSError, ValueError):
            discard(self._errors)  # nobody is left to tell


def discard(stream: Text) -> None:
    """Points a broken stream at nothing, so that Python's flush at exit succeeds."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # no file of the system, or closed
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)


def surviving_console() -> Console:
    """A console on standard output that a run can lose."""
    file = SurvivingOutput(sys.stdout, errors=sys.stderr)
    return Console(file=cast(IO[str], file))
