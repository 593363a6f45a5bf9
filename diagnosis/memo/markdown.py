"""A memo as Markdown: tables and text, no pictures, no file that it would need."""

import re
from collections.abc import Sequence

from .blocks import Block, Commands, Figure, Heading, Items, Paragraph, Table

_SPECIAL = re.compile(r"[\\*_<>|#]|\](?=[(\[:])")
"""Outside of code, what Markdown would take for its own; between letters `_` is not."""


def markdown(blocks: Sequence[Block]) -> str:
    """The text of a file. Pictures are left out: what they show is in tables."""
    return "\n\n".join(text for block in blocks if (text := _block(block))) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_inline(text)}"
        case Paragraph(text):
            return _inline(text)
        case Items(texts):
            return "\n".join(f"- {_inline(text)}" for text in texts)
        case Commands(lines):
            return "\n".join(["```", *lines, "```"])
        case Table():
            return _table(block)
        case Figure():
            return ""


def _table(table: Table) -> str:
    rules = ["---" if align == "left" else "---:" for align in table.align]
    rows = [table.head, rules, *table.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in ([*map(_cell, r)] for r in rows)]
    return "\n".join([f"*{_inline(table.caption)}*", "", *lines])


def _cell(text: str) -> str:
    if text in ("---", "---:"):
        return text
    # A bar ends a cell, in code too.
    return _inline(text, bar=r"\|")


def _inline(text: str, *, bar: str = "|") -> str:
    """Escapes what is not code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backtick without its other one
        parts = [text.replace("`", "'")]
    plain = [_SPECIAL.sub(_escaped, part) for part in parts[::2]]
    parts[::2] = plain
    parts[1::2] = [part.replace("|", bar) for part in parts[1::2]]
    return "`".join(parts)


def _escaped(found: re.Match[str]) -> str:
    sign = found.group()
    if sign == "_" and _is_inside_a_word(found):
        return sign
    return {"<": "&lt;", ">": "&gt;"}.get(sign, f"\\{sign}")


def _is_inside_a_word(found: re.Match[str]) -> bool:
    text, at = found.string, found.start()
    return 0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()
