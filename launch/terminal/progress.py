"""What a long command is at, for the person who waits for it."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextlib.contextmanager
def phases(console: Console) -> Iterator[Callable[[str], None]]:
    """Gives a function that is told the name of each phase when it begins.

    On a terminal the phase stands beside the time since the first; elsewhere, as in the
    log of a job, each phase is a line, with the seconds since the first.
    """
    if not console.is_terminal:
        begun = time.monotonic()

        def say(name: str) -> None:
            console.print(f"{time.monotonic() - begun:6.0f} s  {name}", highlight=False)

        yield say
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        shown = bar.add_task("", total=None)
        yield lambda name: bar.update(shown, description=name)
