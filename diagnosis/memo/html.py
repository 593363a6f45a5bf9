"""A memo as one HTML page that needs nothing but itself."""

import html
from collections.abc import Sequence
from pathlib import Path

from .blocks import Block, Commands, Figure, Heading, Items, Paragraph, Table

_TEMPLATE = Path(__file__).with_name("memo.html")


def page(blocks: Sequence[Block], *, title: str) -> str:
    """The text of the page, everything that is said in it escaped.

    Args:
      blocks: of the memo; its level 2 headings make the list of contents.
      title: of the window.
    """
    template = _TEMPLATE.read_text(encoding="utf-8")
    before, after = template.split("{{memo}}")
    before = before.replace("{{title}}", html.escape(title))
    parts: list[str] = []
    opened = False
    for number, block in enumerate(blocks):
        if isinstance(block, Heading) and block.level == 2:
            parts.append("</section>\n" * opened + f'<section id="part{number}">')
            opened = True
        parts.append(_block(block, number))
        if isinstance(block, Heading) and block.level == 1:
            parts.append(_contents(blocks))
    return before + "\n".join(parts) + "\n</section>" * opened + after


def _contents(blocks: Sequence[Block]) -> str:
    links = [
        f'<a href="#part{number}">{_inline(block.text)}</a>'
        for number, block in enumerate(blocks)
        if isinstance(block, Heading) and block.level == 2
    ]
    return f'<nav aria-label="Contents">{"".join(links)}</nav>'


def _block(block: Block, number: int) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{_inline(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_inline(text)}</p>"
        case Items(texts):
            return f"<ul>{''.join(f'<li>{_inline(text)}</li>' for text in texts)}</ul>"
        case Commands(lines):
            return f"<pre><code>{html.escape(chr(10).join(lines))}</code></pre>"
        case Table():
            return _table(block, number)
        case Figure(svg, caption):
            told = f"<figcaption>{_inline(caption)}</figcaption>"
            return f"<figure>{svg}{told}</figure>"


def _table(table: Table, number: int) -> str:
    kinds = ["" if align == "left" else ' class="n"' for align in table.align]
    head = "".join(
        f'<th scope="col"{kind}>{_inline(cell)}</th>'
        for kind, cell in zip(kinds, table.head, strict=True)
    )
    rows = [
        f'<tr><th scope="row">{_inline(first)}</th>'
        + "".join(
            f"<td{kind}>{_inline(cell)}</td>"
            for kind, cell in zip(kinds[1:], rest, strict=True)
        )
        + "</tr>"
        for first, *rest in table.rows
    ]
    # It scrolls by itself where a window is narrow, so that the page does not.
    return (
        f'<div class="wide" role="region" aria-labelledby="c{number}" tabindex="0">'
        f'<table><caption id="c{number}">{_inline(table.caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _inline(text: str) -> str:
    # A line does not end between a number and its sign.
    parts = html.escape(text).replace(" %", "\N{NO-BREAK SPACE}%").split("`")
    if len(parts) % 2 == 0:  # a backtick without its other one
        return html.escape(text.replace("`", "'"))
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return "".join(parts)
