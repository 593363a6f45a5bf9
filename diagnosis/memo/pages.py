"""A memo as one HTML page, which needs nothing but itself, and as Markdown."""

import re
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from .blocks import Document, Heading

_SPECIAL = re.compile(r"[\\*<>|#]|(?<!\w)_|_(?!\w)|\](?=[(\[:])")
"""Outside of code, what Markdown would take for its own."""

_MARKDOWN = """\
{%- macro table(block) -%}
*{{ block.caption | plain }}*

| {{ block.head | map('cell') | join(' | ') }} |
| {% for a in block.align %}{{ '---' if a == 'l' else '---:' }}{{ ' | ' if not loop.last }}{% endfor %} |
{% for row in block.rows %}| {{ row | map('cell') | join(' | ') }} |
{% endfor %}
{% endmacro -%}
{%- macro show(block) -%}
{% if block.kind == 'heading' %}{{ '#' * block.level }} {{ block.text | plain }}

{% elif block.kind == 'paragraph' %}{{ block.text | plain }}

{% elif block.kind == 'items' %}{% for text in block.texts %}- {{ text | plain }}
{% endfor %}
{% elif block.kind == 'commands' %}```
{{ block.lines | join('\n') }}
```

{% elif block.kind == 'table' %}{{ table(block) }}{% endif %}
{%- endmacro -%}
{% for block in main %}{{ show(block) }}{% endfor -%}
---

{% for fold in appendix %}## Appendix: {{ fold.title | plain }}

{% for block in fold.blocks %}{{ show(block) }}{% endfor %}{% endfor %}"""  # noqa: E501


def page(document: Document) -> str:
    """The text of the page; everything that is said in it is escaped."""
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
    return template.render(title=_title(document), **document._asdict())


def markdown(document: Document) -> str:
    """The text of a file. Pictures are left out: tables say what they show."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters |= {"plain": _plain, "cell": _cell}
    text = environment.from_string(_MARKDOWN).render(**document._asdict())
    return text.rstrip() + "\n"


def _title(document: Document) -> str:
    heading = next(block for block in document.main if isinstance(block, Heading))
    return heading.text.replace("`", "")


def _parts(text: str) -> list[str]:
    """Plain text and code by turns; a backtick without its other one is no code."""
    parts = text.split("`")
    return parts if len(parts) % 2 else [text.replace("`", "'")]


def _inline(text: str) -> Markup:
    """HTML of a text: code between backticks, bold between double asterisks."""
    parts = [str(escape(part)) for part in _parts(text)]
    # A line does not end between a number and its sign.
    parts[::2] = [
        re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", part).replace(" %", "\xa0%")
        for part in parts[::2]
    ]
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return Markup("".join(parts))


def _plain(text: str, bar: str = "|") -> str:
    """Markdown of a text; what is neither code nor bold is escaped."""
    parts = _parts(text)
    parts[::2] = ["**".join(map(_escaped, part.split("**"))) for part in parts[::2]]
    parts[1::2] = [part.replace("|", bar) for part in parts[1::2]]
    return "`".join(parts)


def _cell(text: str) -> str:
    """A bar ends a cell, in code too."""
    return _plain(text, bar=r"\|")


def _escaped(text: str) -> str:
    signs = {"<": "&lt;", ">": "&gt;"}
    return _SPECIAL.sub(lambda m: signs.get(m.group(), f"\\{m.group()}"), text)
