"""Small pictures of what each objective sees and predicts."""

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
"""Side of a grid in pixels."""


def sightlines(names: Sequence[str], vocab: str) -> Mapping[str, str]:
    """An `<svg>` for each objective by name, in which rows see the filled columns.

    Drawn is the visibility that the definition of an Example declares, on a text of
    twelve letters with settings suited to such a short text.

    Args:
      names: of objectives, without variants.
      vocab: the name of a vocabulary.
    """
    chosen = {n: o for n, o in telling_objectives().items() if n in names}
    ids = vocabulary(vocab).special_ids
    return {p.name: small_svg(p) for p in pictures(chosen, _nothing, ids)}


def _nothing(batch: Batch, others: Int[np.ndarray, " N"]) -> Dependence:
    """Stands in for the measurement of a model."""
    size = len(others)
    return Dependence(np.zeros((size, size), np.float32), np.zeros((size, size), bool))


def small_svg(picture: Picture) -> str:
    """The declared half of a picture, with what each row predicts beside it."""
    size, part = len(picture.holds), picture.inputs
    cell, left, top = SIDE / size, 26, 4
    font = min(cell * 0.9, 10.0)
    predicts = np.array([bool(asks) for asks in picture.asks])[:, None]
    lines = "".join(f"M{k} 0v{size}M0 {k}h{size}" for k in range(1, size))
    paths = {
        "idle": runs(picture.may & ~predicts),
        "see": runs(picture.may & predicts),
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
