"""What a tracker does: a small protocol, so that a new one is one file."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from rich.table import Table
from rich.text import Text


class Grid(NamedTuple):
    """A table as plain text.

    Attributes:
      columns: their names.
      rows: of cells.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def grid_of(table: Table) -> Grid:
    """The text of a table that the terminal shows, without its colours."""
    columns = [_plain(column.header) for column in table.columns]
    cells = ([_plain(cell) for cell in column.cells] for column in table.columns)
    return Grid(columns, list(zip(*cells, strict=True)))


@runtime_checkable
class Tracker(Protocol):
    """Takes what a run writes, and keeps it elsewhere.

    Attributes:
      run_id: under which it goes on with the run.
    """

    run_id: str

    def config(self, text: str) -> None:
        """The resolved gin config; again where a run resumes."""
        ...

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a step, which may not be finite."""
        ...

    def table(self, step: int, name: str, grid: Grid) -> None:
        """A table of a step."""
        ...

    def picture(self, step: int, name: str, png: bytes) -> None:
        """A picture of a step."""
        ...

    def close(self, *, failed: bool) -> None:
        """Ends the run, or this part of it; `failed`: an error ended it."""
        ...


@runtime_checkable
class Service(Tracker, Protocol):
    """A tracker outside the run's folder, whose history only grows."""

    def last_step(self, name: str) -> int:
        """The last step that it holds a value of this name for; −1 for none.

        It may ask the service.
        """
        ...


def _plain(cell: object) -> str:
    return Text.from_markup(str(cell)).plain
