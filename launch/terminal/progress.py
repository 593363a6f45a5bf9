"""The current phase of a long command, shown to the user."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


@contextlib.contextmanager
def phases(console: Console) -> Iterator[Callable[[str], None]]:
    """Yields a function to call with the name of each phase when it begins.

    On a terminal the phase stands beside the time since the first; elsewhere, as in the
    log of a job, each phase is one line with the seconds since the first.
    """
    if not console.is_terminal:
        start = time.monotonic()

        def print_phase(name: str) -> None:
            line = f"{time.monotonic() - start:6.0f} s  {name}"
            console.print(line, markup=False, highlight=False)

        yield print_phase
        return
    name_column = TextColumn("{task.description}", markup=False)
    columns = SpinnerColumn(), name_column, TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda name: bar.update(task, description=name)
