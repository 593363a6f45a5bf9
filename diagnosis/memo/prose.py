"""Text of templates as blocks.

The files `*.txt` beside this one are Jinja2 templates. Paragraphs are apart by an empty
line, lines of one are joined, and the first signs of a line tell what it is:

    ##                  a heading, of as many signs as its level
    -                   an item of a list
    $                   a line for a shell
    {{ table(…) }}      a table, `figure(…)` a figure: alone in their paragraph
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..wording import templates
from .blocks import Block, Commands, Figure, Heading, Items, Paragraph, Table, code
from .formatting import moved, number

_BREAK, _GUARD, _HELD = "\x01", "\x02", "\x03"
"""Stand for a line break in a value, before one that begins like a sign, and for the
number of a table or figure."""


def blocks(template: str, values: Mapping[str, Any]) -> list[Block]:
    """The blocks of a template.

    Args:
      template: name of its file.
      values: by the names that it uses.
    """
    held: list[Block] = []

    def hold(block: Block) -> str:
        held.append(block)
        return f"{_HELD}{len(held) - 1}"

    environment = templates(Path(__file__).parent, finalize=_on_one_line)
    environment.filters |= {"code": code, "moved": moved, "number": number}
    environment.globals |= {
        "table": lambda *fields: hold(Table(*fields)),
        "figure": lambda *fields: hold(Figure(*fields)),
    }
    text = environment.get_template(template).render(values)
    paragraphs = (part.strip(" \n") for part in re.split(r"\n *\n", text))
    return [_block(part, held) for part in paragraphs if part]


def _on_one_line(value: Any) -> Any:
    """A value that cannot be taken for signs of the template."""
    if not isinstance(value, str):
        return value
    guard = _GUARD if value.startswith(("#", "- ", "$")) else ""
    return guard + value.replace("\n", _BREAK)


def _block(paragraph: str, held: list[Block]) -> Block:
    lines = [line.strip(" ") for line in paragraph.split("\n")]
    if lines[0].startswith(_HELD):
        return held[int(lines[0][1:])]
    if lines[0].startswith("$ "):
        return Commands([_value(line[2:]) for line in lines])
    if lines[0].startswith("- "):
        items = re.split(r"\n- ", "\n".join(lines).removeprefix("- "))
        return Items([_value(item.replace("\n", " ")) for item in items])
    text = " ".join(lines)
    signs, _, rest = text.partition(" ")
    level = len(signs) if set(signs) == {"#"} else 0
    if level in (1, 2, 3):
        return Heading(level, _value(rest))
    return Paragraph(_value(text))


def _value(text: str) -> str:
    return text.replace(_BREAK, "\n").replace(_GUARD, "")
