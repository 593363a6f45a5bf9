"""Tables in Markdown, as the results of studies are written."""

from collections.abc import Iterable, Sequence

from .effects import Effect, OwnLoss


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table.

    Args:
      head: names of the columns.
      rows: cells of each, as many as there are columns.
    """
    return [_line(head), "|---" * len(head) + "|", *map(_line, rows)]


def interval(figure: Effect | OwnLoss | None) -> str:
    """A figure with its interval, `0.603 [0.551, 0.655]`; a dash for none."""
    if figure is None:
        return "–"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _line(cells: Sequence[str]) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"
