"""What a memo is made of, whatever it is written as.

In texts, and in cells of tables, `code` between backticks is set as code; nothing else
means anything.
"""

from typing import Literal, NamedTuple

Align = Literal["left", "right"]


class Heading(NamedTuple):
    """A heading; of level 1 there is one."""

    level: Literal[1, 2, 3]
    text: str


class Paragraph(NamedTuple):
    """A paragraph."""

    text: str


class Items(NamedTuple):
    """A list."""

    texts: tuple[str, ...]


class Table(NamedTuple):
    """A table; the first cell of a row is its heading.

    Attributes:
      caption: says what it holds.
      head: a heading of each column.
      rows: as many cells in each.
      align: of each column.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...]


class Commands(NamedTuple):
    """Lines for a shell."""

    lines: tuple[str, ...]


class Figure(NamedTuple):
    """A picture; only a page shows it, and says elsewhere what it shows.

    Attributes:
      svg: an `<svg>` element.
      caption: below it.
    """

    svg: str
    caption: str


Block = Heading | Paragraph | Items | Table | Commands | Figure


def code(text: str) -> str:
    """Text from elsewhere as code, on one line and whatever is in it."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"
