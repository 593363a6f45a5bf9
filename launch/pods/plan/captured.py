"""What a compiler prints: caught at the file descriptor, since it is no Python."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import IO

_ERROR = re.compile(r"^[EF]\d{4} [\d:.]+\s+\d+ (\S+?:\d+\] .*)$", re.MULTILINE)
_NOISE = (
    "common_lib.cc",  # libtpu looks for the hosts of a pod
    "cuda",  # jaxlib looks for CUDA
    "Involuntary full rematerialization",  # read by `warnings`
)


class Captured:
    """The text that was printed; complete when the capture has ended."""

    text: str = ""

    def errors(self) -> list[str]:
        """Lines that are logged as errors, without what is known to mean nothing."""
        return compiler_errors(self.text)


def compiler_errors(text: str) -> list[str]:
    """Lines of a log that are errors, without what is known to mean nothing."""
    found = _ERROR.findall(text)
    return [line for line in found if not any(noise in line for noise in _NOISE)]


@contextlib.contextmanager
def captured_stderr() -> Iterator[Captured]:
    """Catches all that the process writes to file descriptor 2.

    If the block raises, what was caught is a note of the exception.
    """
    captured = Captured()
    sys.stderr.flush()
    with contextlib.ExitStack() as stack:
        shown = os.dup(2)
        stack.callback(os.close, shown)
        file = stack.enter_context(tempfile.TemporaryFile())
        os.dup2(file.fileno(), 2)
        try:
            yield captured
        except BaseException as error:
            captured.text = _restored(shown, file)
            for line in captured.errors()[-20:]:
                error.add_note(line)
            raise
        captured.text = _restored(shown, file)


def _restored(shown: int, file: IO[bytes]) -> str:
    sys.stderr.flush()
    os.dup2(shown, 2)
    file.seek(0)
    return file.read().decode(errors="replace")


def uncaptured_stderr() -> IO[str]:
    """Standard error of now, also while it is captured later; close it."""
    return os.fdopen(os.dup(2), "w", encoding="utf-8", closefd=True)
