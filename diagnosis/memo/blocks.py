"""The blocks of a memo, independent of its output format.

In texts and table cells, backticks mark `code` and double asterisks **bold**; there is
no other markup.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple


class Heading(NamedTuple):
    """A heading; exactly one is of level 1."""

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
      caption: above the table.
      head: column headings.
      rows: a cell for each column.
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
    """A picture, in HTML only; tables give the same figures in Markdown.

    Attributes:
      svg: markup, included verbatim.
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
    """A memo.

    Attributes:
      main: the text, from the first page on.
      appendix: the full tables, for reference.
    """

    main: Sequence[Block]
    appendix: Sequence[Fold]


def code(text: str) -> str:
    """Arbitrary text as code on one line."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"
