"""A memo as one self-contained HTML page, and as Markdown."""

import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from .blocks import (
    Block,
    Commands,
    Document,
    Figure,
    Heading,
    Items,
    Paragraph,
    Table,
)

_SPECIAL = re.compile(r"[\\*<>|#]|(?<!\w)_|_(?!\w)|\](?=[(\[:])")
"""Characters outside code that are markup in Markdown."""


def page(document: Document) -> str:
    """The text of the page; all text in it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"inline": _inline, "markup": Markup}
    template = environment.get_template("memo.html")
    heading = next(block for block in document.main if isinstance(block, Heading))
    title = heading.text.replace("`", "")
    return template.render(title=title, **document._asdict())


def markdown(document: Document) -> str:
    """The text of the file, without pictures, whose figures are in tables."""
    parts = [*map(_block, document.main), "---"]
    for fold in document.appendix:
        heading = Heading(2, f"Appendix: {fold.title}")
        parts += map(_block, [heading, *fold.blocks])
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_plain(text)}"
        case Paragraph(text):
            return _plain(text)
        case Items(texts):
            return "\n".join(f"- {_plain(text)}" for text in texts)
        case Commands(lines):
            return "\n".join(["```", *lines, "```"])
        case Table(caption, head, rows, align):
            cells = [[_plain(cell, bar=r"\|") for cell in row] for row in (head, *rows)]
            cells.insert(1, ["---" if letter == "l" else "---:" for letter in align])
            lines = [f"| {' | '.join(row)} |" for row in cells]
            return "\n".join([f"*{_plain(caption)}*", "", *lines])
        case Figure():
            return ""


def _parts(text: str) -> list[str]:
    """Alternates plain text and code; an unpaired backtick is plain."""
    parts = text.split("`")
    return parts if len(parts) % 2 else [text.replace("`", "'")]


def _inline(text: str) -> Markup:
    """HTML of a text: code between backticks, bold between double asterisks."""
    parts = [str(escape(part)) for part in _parts(text)]
    # No line break between a number and its percent sign.
    parts[::2] = [
        re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", part).replace(" %", "\xa0%")
        for part in parts[::2]
    ]
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return Markup("".join(parts))


def _plain(text: str, bar: str = "|") -> str:
    """Markdown of a text, escaped outside code and bold.

    Args:
      text: of a block.
      bar: replaces a bar in code, which would end the cell of a table.
    """
    parts = _parts(text)
    parts[::2] = ["**".join(map(_escaped, part.split("**"))) for part in parts[::2]]
    parts[1::2] = [part.replace("|", bar) for part in parts[1::2]]
    return "`".join(parts)


def _escaped(text: str) -> str:
    signs = {"<": "&lt;", ">": "&gt;"}
    return _SPECIAL.sub(lambda m: signs.get(m.group(), f"\\{m.group()}"), text)
