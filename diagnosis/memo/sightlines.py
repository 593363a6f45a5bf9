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
    size = len(picture.holds)
    cell = SIDE / size
    asked = np.array([bool(asks) for asks in picture.asks])
    left, top, below = 26, 4, 16
    parts = [
        f'<rect class="off" x="{left}" y="{top}" width="{SIDE}" height="{SIDE}"/>',
        f'<g transform="translate({left} {top}) scale({cell:.4g})">',
        f'<path class="idle" d="{runs(picture.may & ~asked[:, None])}"/>',
        f'<path class="see" d="{runs(picture.may & asked[:, None])}"/>',
        f'<path class="lines" d="{_lines(size)}"/>',
        "</g>",
    ]
    if 0 < picture.inputs < size:
        at = cell * picture.inputs
        parts.append(
            f'<path class="part" d="M{left + at:.4g} {top}v{SIDE}'
            f'M{left} {top + at:.4g}h{SIDE}"/>'
        )
    font = min(cell * 0.9, 10.0)
    style = f'style="font-size:{font:.3g}px"'
    for row, asks in enumerate(picture.asks):
        if asks:
            y = top + cell * (row + 0.5) + font * 0.35
            where = f'x="{left + SIDE + 5}" y="{y:.4g}"'
            parts.append(f'<text class="ask" {style} {where}>{escape(asks)}</text>')
    for column, holds in enumerate(picture.holds):
        if len(holds) == 1:  # words would not fit under a column
            x = left + cell * (column + 0.5)
            where = f'x="{x:.4g}" y="{top + SIDE + font + 1:.4g}"'
            parts.append(f'<text class="mid" {style} {where}>{escape(holds)}</text>')
    title = f"{picture.name}: {picture.about}"
    return (
        f'<svg class="sight" role="img" aria-label="{escape(title)}" '
        f'viewBox="0 0 {left + SIDE + 34} {top + SIDE + below}">'
        + "".join(parts)
        + "</svg>"
    )


def _lines(size: int) -> str:
    return "".join(f"M{k} 0v{size}M0 {k}h{size}" for k in range(1, size))
