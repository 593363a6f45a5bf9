"""Charts as SVG for a page: the same bytes from run to run, on light and dark paper."""

import hashlib
import io
import re

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
