"""What a model answered, for the terminal, and the progress of a file of answers."""

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from rich import progress as bars
from rich.console import Console


def print_answer(fields: Mapping[str, Any]) -> None:
    """Prints an answer: its text, or its figures."""
    if "text" in fields:
        print(fields["text"])
    elif "per_token" in fields:
        for text, log_p in fields["per_token"]:
            print(f"{log_p:9.3f}  {text!r}")
        tokens, total = fields["tokens"], fields["log_likelihood"]
        print(f"{total:9.3f}  nats over {tokens} tokens, {total / tokens:.3f} a token")
    else:
        print(", ".join(f"{name} {value:g}" for name, value in fields.items()))


def print_drafts(answers: Sequence[Mapping[str, Any]]) -> None:
    """Prints on stderr what drafts came to, if the answers were drafted."""
    drafted = [fields for fields in answers if "rounds" in fields]
    if not drafted:
        return
    rounds, accepted, tokens = (
        sum(int(fields[name]) for fields in drafted)
        for name in ("rounds", "accepted", "tokens")
    )
    print(
        f"{rounds:,} rounds of two passes, {accepted:,} guesses accepted: "
        f"{accepted / max(1, rounds):.2f} accepted and {tokens / max(1, rounds):.2f} "
        "tokens a round",
        file=sys.stderr,
    )


class Progress:
    """Rows answered and tokens a second: a bar on a terminal, else a line a minute."""

    def __init__(self, rows: int, *, every: float = 60.0):
        """Of so many rows."""
        self._rows, self._every = rows, every
        self._console = Console(stderr=True)
        self._bar = bars.Progress(
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TextColumn("{task.fields[speed]}"),
            bars.TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=rows, speed="")
        self._tokens = 0
        self._begun = self._told = time.perf_counter()

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._bar.start()
        self._begun = self._told = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def update(self, rows: int, tokens: int) -> None:
        """Rows answered in all, and tokens written since the last call."""
        self._tokens += tokens
        self._bar.update(self._task, completed=rows, speed=self.speed())
        now = time.perf_counter()
        if not self._console.is_terminal and now - self._told > self._every:
            self._told = now
            self._console.print(
                f"{rows:,} of {self._rows:,} rows, {self.speed()}", highlight=False
            )

    def speed(self) -> str:
        """`1,234 tokens, 56 tokens/s`."""
        seconds = max(time.perf_counter() - self._begun, 1e-9)
        return f"{self._tokens:,} tokens, {self._tokens / seconds:,.0f} tokens/s"
