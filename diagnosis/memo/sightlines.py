"""Small pictures of what each objective sees, asks and predicts, for a page."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from jaxtyping import Int

from ...models.rows import Batch
from ...tasks.tokens.vocabulary import vocabulary
from ..audit.dependence import Dependence
from ..audit.picture import pictures, telling_objectives
from ..audit.picture_svg import Picture, runs

SIDE = 168
"""Of a grid, in units of the page."""


def sightlines(names: Sequence[str], words: str) -> Mapping[str, str]:
    """An `<svg>` of each objective, by name: rows see the columns that are filled.

    What is drawn is declared: which slots an Example's definition lets each slot see,
    on a text of twelve letters, with settings that show on so short a text.

    Args:
      names: of objectives, without variants.
      words: the name of a vocabulary.
    """
    drawn = {n: o for n, o in telling_objectives().items() if n in names}
    ids = vocabulary(words).special_ids
    return {p.name: small_svg(p) for p in pictures(drawn, _nothing, ids)}


def _nothing(batch: Batch, others: Int[np.ndarray, " N"]) -> Dependence:
    """Measures no model."""
    size = len(others)
    return Dependence(np.zeros((size, size), np.float32), np.zeros((size, size), bool))


def small_svg(picture: Picture) -> str:
    """The declared half of a picture, with what each row predicts beside it."""
    size, part = len(picture.holds), picture.inputs
    cell, left, top = SIDE / size, 26, 4
    font = min(cell * 0.9, 10.0)
    asked = np.array([bool(asks) for asks in picture.asks])[:, None]
    lines = "".join(f"M{k} 0v{size}M0 {k}h{size}" for k in range(1, size))
    paths = {
        "idle": runs(picture.may & ~asked),
        "see": runs(picture.may & asked),
        "lines": lines,
        "part": f"M{part} 0v{size}M0 {part}h{size}" if 0 < part < size else "",
    }
    texts = [
        ("ask", left + SIDE + 5, top + cell * (row + 0.5) + font * 0.35, asks)
        for row, asks in enumerate(picture.asks)
    ]
    texts += [
        ("mid", left + cell * (column + 0.5), top + SIDE + font + 1, holds)
        for column, holds in enumerate(picture.holds)
        if len(holds) == 1  # words would not fit under a column
    ]
    return "".join(
        [
            f'<svg class="sight" role="img" viewBox="0 0 228 188" '
            f'aria-label="{escape(f"{picture.name}: {picture.about}")}">'
            f'<rect class="off" x="{left}" y="{top}" width="{SIDE}" height="{SIDE}"/>'
            f'<g transform="translate({left} {top}) scale({cell:.4g})">',
            *(f'<path class="{kind}" d="{data}"/>' for kind, data in paths.items()),
            f'</g><g style="font-size:{font:.3g}px">',
            *(
                f'<text class="{kind}" x="{x:.4g}" y="{y:.4g}">{escape(text)}</text>'
                for kind, x, y, text in texts
                if text
            ),
            "</g></svg>",
        ]
    )
