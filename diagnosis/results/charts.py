"""Charts as SVG for a page: the same bytes from run to run, on light and dark paper."""

import hashlib
import io
import re
from html import escape

import matplotlib
from matplotlib.figure import Figure

INK = "#010203"
"""Drawn in the page's own text colour."""

QUIET = "#7d868f"
"""Of what stands behind the figures; readable on light and on dark paper."""


def svg(figure: Figure) -> str:
    """The `<svg>` element of a figure, to be set into a page.

    Text stays text, the paper is transparent, what is black or `INK` takes the page's
    text colour, and ids are the figure's own, so that several stand in one page.
    """
    file = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "sightline"}):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # Matplotlib's own style sheet would hold for every picture of the page.
    for part in ("metadata", "style"):
        text = re.sub(rf"<{part}\b.*?</{part}>", "", text, flags=re.DOTALL)
    text = re.sub(r' xmlns(:\w+)?="[^"]*"', "", text)
    own = "c" + hashlib.sha256(text.encode()).hexdigest()[:8]
    text = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{own}-", text)
    return text.replace("<svg ", '<svg fill="currentColor" ', 1)


def svg_file(figure: Figure, *, title: str) -> str:
    """A figure as a file of its own, which reads on light and on dark paper.

    Args:
      figure: drawn with `INK` and `QUIET`.
      title: for readers who do not see it.
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
