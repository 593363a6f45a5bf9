"""What a memo is made of, whatever it is written as.

In texts, and in cells of tables, `code` between backticks is set as code and **text**
between double asterisks in bold; nothing else means anything.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple


class Heading(NamedTuple):
    """A heading; of level 1 there is one."""

    level: Literal[1, 2, 3]
    text: str
    kind = "heading"


class Paragraph(NamedTuple):
    """A paragraph."""

    text: str
    kind = "paragraph"


class Items(NamedTuple):
    """A list."""

    texts: Sequence[str]
    kind = "items"


class Table(NamedTuple):
    """A table; the first cell of a row is its heading.

    Attributes:
      caption: says what it holds.
      head: a heading of each column.
      rows: as many cells in each.
      align: a letter for each column, `l` for left or `r` for right.
    """

    caption: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    align: str
    kind = "table"


class Commands(NamedTuple):
    """Lines for a shell."""

    lines: Sequence[str]
    kind = "commands"


class Figure(NamedTuple):
    """A picture; only a page shows it, tables say the same elsewhere.

    Attributes:
      svg: markup that is set as it is.
      caption: below it.
    """

    svg: str
    caption: str
    kind = "figure"


Block = Heading | Paragraph | Items | Table | Commands | Figure


class Fold(NamedTuple):
    """A part of the appendix: folded on screen, open in print."""

    title: str
    blocks: Sequence[Block]


class Document(NamedTuple):
    """A memo: what is read, and what is looked up.

    Attributes:
      main: from the first page on.
      appendix: the full tables.
    """

    main: Sequence[Block]
    appendix: Sequence[Fold]


def code(text: str) -> str:
    """Text from elsewhere as code, on one line and whatever is in it."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"
