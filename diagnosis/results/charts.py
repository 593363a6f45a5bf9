"""Charts as SVG: reproducible byte for byte, legible on light and dark pages."""

import hashlib
import io
import re
from html import escape

import matplotlib
from matplotlib.figure import Figure

INK = "#010203"
"""Placeholder for the text colour of the page."""

QUIET = "#7d868f"
"""Colour of grids and references; legible on light and dark pages."""


def svg(figure: Figure) -> str:
    """The `<svg>` element of a figure, for inclusion in a page.

    Text stays text, the background is transparent, black and `INK` become the text
    colour of the page, and ids are unique, so that a page may hold several.
    """
    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sightline"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # Matplotlib's style sheet would apply to the whole page.
    for part in ("metadata", "style"):
        text = re.sub(rf"<{part}\b.*?</{part}>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    prefix = "c" + hashlib.sha256(text.encode()).hexdigest()[:8]
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    return text.replace("<svg ", '<svg fill="currentColor" ', 1)


def svg_file(figure: Figure, *, title: str) -> str:
    """A figure as a standalone file, legible on light and dark pages.

    Args:
      figure: drawn with `INK` and `QUIET`.
      title: for screen readers.
    """
    head, rest = svg(figure).split(">", 1)
    style = (
        "<style>svg{color:#1f2328}"
        "@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
    )
    spaces = (
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    head = head.replace("<svg ", f'<svg role="img" {spaces} ', 1)
    return f"{head}><title>{escape(title)}</title>{style}{rest}\n"
