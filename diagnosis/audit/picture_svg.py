"""Draws a picture as one self-contained SVG, readable on a light or a dark page."""

import math
from collections.abc import Iterable
from typing import NamedTuple
from xml.sax.saxutils import escape

import numpy as np
from jaxtyping import Bool, Int

from .dependence import Dependence

WIDTH = 840
SHADES = 5
STEP = 3.0
"""The factor between one shade and the next."""

_SIDE, _LABELS, _MARGIN, _TOP = 326, 66, 20, 136
_OPACITY = (1.0, 0.76, 0.54, 0.35, 0.19)

# Blue and orange of the colour-blind-safe palette of Okabe and Ito. The card draws its
# own background, so that it does not depend on the page.
_STYLE = """
svg{--card:#fff;--edge:#d5d9de;--ink:#1f2328;--soft:#59636e;--off:#f2f3f5;
--see:#0067a8;--rest:#7d8894;--pill:#fbe5c8;--wrong:#c44a00}
@media (prefers-color-scheme:dark){svg{--card:#15191f;--edge:#3a424c;--ink:#e9edf1;
--soft:#a3adb8;--off:#20262e;--see:#62b4f0;--rest:#98a3af;--pill:#5b4216;
--wrong:#ff9a52}}
text{font:11px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;
fill:var(--soft)}
.card{fill:var(--card);stroke:var(--edge)}.off{fill:var(--off)}
.see{fill:var(--see)}.rest{fill:var(--rest)}.pill{fill:var(--pill)}
.lines{stroke:var(--card);fill:none}.part{stroke:var(--ink);stroke-width:1.5}
.wrong{stroke:var(--wrong);stroke-width:.14;fill:none}
.name{font-size:17px;font-weight:700;fill:var(--ink)}.about{font-size:13px}
.head{font-size:13px;font-weight:600;fill:var(--ink)}
.ask{font-weight:700;fill:var(--ink)}.end{text-anchor:end}.mid{text-anchor:middle}
"""


class Picture(NamedTuple):
    """The content of one picture; slots are the inputs of an Example, then its targets.

    Attributes:
      name: of the objective.
      about: what slots see and what is predicted, in a line.
      caption: how the Example was made.
      holds: the token of each slot.
      asks: the token predicted at each slot; empty where none is.
      inputs: number of slots that are inputs.
      may: whose token (column) each slot (row) may depend on.
      measured: whose token it does depend on.
    """

    name: str
    about: str
    caption: str
    holds: tuple[str, ...]
    asks: tuple[str, ...]
    inputs: int
    may: Bool[np.ndarray, "n n"]
    measured: Dependence


def svg(picture: Picture) -> str:
    """The picture as the text of an SVG file.

    Two grids, declared and measured: rows are slots that predict, columns slots that
    hold a token. Inside a group of cells the unit is one cell: `M3 0h2v1h-2z` fills
    columns 3 and 4 of row 0.
    """
    size = len(picture.holds)
    cell = min(24, _SIDE // size)
    side = cell * size
    left = _MARGIN + _LABELS
    right = WIDTH // 2 + _LABELS
    seen = picture.measured.either
    shade = shades(picture.measured)
    layers = [seen & (shade == k) for k in range(SHADES)]
    height = _TOP + side + 82
    body = [
        f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" '
        f'height="{height - 1}" rx="8"/>',
        _text(_MARGIN, 32, picture.name, "name"),
        _text(_MARGIN, 53, picture.about, "about"),
        *_grid(picture, left, cell, "declared: may see"),
        *_cells(picture, "declared", left, cell, [picture.may]),
        *_frame(picture, left, cell),
        *_grid(picture, right, cell, "measured: |∂ logits / ∂ token|"),
        *_cells(picture, "measured", right, cell, layers),
        *_wrong(picture, right, cell),
        *_frame(picture, right, cell),
        *_legend(picture, left, right, _TOP + side + 24),
    ]
    title = escape(f"{picture.name}: {picture.about}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">\n<title>{title}</title>\n'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def shades(measured: Dependence) -> Int[np.ndarray, "n n"]:
    """The shade of each pair on a logarithmic scale, 0 the strongest.

    Shade k is `STEP`^k to `STEP`^(k+1) times weaker than the maximum; the last shade
    holds the rest.
    """
    strongest = float(measured.jacobian.max())
    if strongest == 0:
        return np.full(measured.jacobian.shape, SHADES - 1)
    share = np.maximum(measured.jacobian / strongest, STEP**-SHADES)
    weaker = -np.log(share) / math.log(STEP)
    return np.clip(np.floor(weaker), 0, SHADES - 1).astype(int)


def _text(
    x: int | float, y: int | float, text: str, kind: str = "", more: str = ""
) -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:g}" y="{y:g}"{style}{more}>{escape(text)}</text>'


def runs(cells: Bool[np.ndarray, "n n"]) -> str:
    """Path data of cells; adjacent cells of a row form one rectangle."""
    parts = []
    for y, row in enumerate(cells):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        parts += [
            f"M{x} {y}h{end - x}v1h{x - end}z"
            for x, end in edges.reshape(-1, 2).tolist()
        ]
    return "".join(parts)


def _cells(
    picture: Picture,
    name: str,
    x: int,
    cell: int,
    layers: Iterable[Bool[np.ndarray, "n n"]],
) -> list[str]:
    """The filled cells: a path for each shade, and for rows that predict or do not."""
    predicts = np.array([bool(target) for target in picture.asks])[:, None]
    parts = [f'<g id="{name}" transform="translate({x} {_TOP}) scale({cell})">']
    for opacity, layer in zip(_OPACITY, layers, strict=False):
        for kind, rows in (("see", predicts), ("rest", ~predicts)):
            if data := runs(layer & rows):
                parts.append(f'<path class="{kind}" opacity="{opacity}" d="{data}"/>')
    return [*parts, "</g>"]


def _grid(picture: Picture, x: int, cell: int, head: str) -> list[str]:
    """The empty grid with its labels."""
    side = cell * len(picture.holds)
    parts = [
        _text(x, 86, head, "head"),
        f'<rect class="off" x="{x}" y="{_TOP}" width="{side}" height="{side}"/>',
    ]
    turned = any(_is_word(holds) for holds in picture.holds)
    for start, stop, name in _parts(picture):
        # The label may be wider than a narrow part, but stays inside the grid.
        at = min(max(x + cell * (start + stop) / 2, x + 22), x + side - 22)
        parts.append(_text(at, _TOP - (36 if turned else 24), name, "mid"))
    for n, (holds, asks) in enumerate(zip(picture.holds, picture.asks, strict=True)):
        middle = cell * (n + 0.5)
        down = _TOP + middle + 4
        turn = f' transform="rotate(-90 {x + middle + 4:g} {_TOP - 6})"'
        if _is_word(holds):
            parts.append(_text(x + middle + 4, _TOP - 6, holds, "", turn))
        else:
            parts.append(_text(x + middle, _TOP - 6, holds, "mid"))
        parts.append(_text(x - 42, down, holds, "end"))
        if asks:
            pill = f'x="{x - 25}" y="{down - 10:g}" width="20" height="12" rx="4"'
            parts.append(f'<rect class="pill" {pill}/>')
            parts.append(_text(x - 33, down, "→", "mid"))
            parts.append(_text(x - 15, down, asks, "mid ask"))
    return parts


def _is_word(label: str) -> bool:
    """Whether a label is too long to fit above a column."""
    return len(label) > 1 and label.isalpha()


def _parts(picture: Picture) -> list[tuple[int, int, str]]:
    """Start, stop and name of the non-empty parts of the Example."""
    size = len(picture.holds)
    both = ((0, picture.inputs, "inputs"), (picture.inputs, size, "targets"))
    return [part for part in both if part[0] < part[1]]


def _frame(picture: Picture, x: int, cell: int) -> list[str]:
    """Lines between cells, with a stronger one between inputs and targets."""
    size = len(picture.holds)
    lines = "".join(f"M{k} 0v{size}M0 {k}h{size}" for k in range(1, size))
    parts = [
        f'<path class="lines" stroke-width="{1 / cell:.3g}" d="{lines}" '
        f'transform="translate({x} {_TOP}) scale({cell})"/>'
    ]
    if 0 < picture.inputs < size:
        at, side = cell * picture.inputs, cell * size
        parts.append(
            f'<path class="part" d="M{x + at} {_TOP - 20}v{side + 20}'
            f'M{x - 60} {_TOP + at}h{side + 60}"/>'
        )
    return parts


def _wrong(picture: Picture, x: int, cell: int) -> list[str]:
    """A cross on each leak, a ring on each blind pair."""
    seen = picture.measured.either
    crosses = "".join(
        f"M{c + 0.2:g} {r + 0.2:g}l.6 .6m0-.6l-.6 .6"
        for r, c in np.argwhere(seen & ~picture.may).tolist()
    )
    rings = "".join(
        f"M{c + 0.25:g} {r + 0.5:g}a.25 .25 0 1 0 .5 0a.25 .25 0 1 0-.5 0"
        for r, c in np.argwhere(picture.may & ~seen).tolist()
    )
    where = f'transform="translate({x} {_TOP}) scale({cell})"'
    return [
        f'<path class="wrong" id="{name}" {where} d="{data}"/>'
        for name, data in (("leaks", crosses), ("blind", rings))
        if data
    ]


def _legend(picture: Picture, left: int, right: int, y: int) -> list[str]:
    seen = picture.measured.either
    leaks = int((seen & ~picture.may).sum())
    blind = int((picture.may & ~seen).sum())
    pairs = seen.size

    def swatch(x: int, y: int, kind: str, opacity: float = 1.0) -> str:
        return (
            f'<rect class="{kind}" opacity="{opacity}" x="{x}" y="{y - 10}" '
            f'width="12" height="12"/>'
        )

    return [
        swatch(left, y, "see"),
        _text(left + 18, y, "seen; something is predicted in this row"),
        swatch(left, y + 18, "rest"),
        _text(left + 18, y + 18, "seen; nothing is predicted in this row"),
        *(swatch(right + 13 * k, y, "see", o) for k, o in enumerate(_OPACITY)),
        _text(right + 73, y, f"each shade {STEP:g} × weaker than the one before"),
        _text(right, y + 18, f"{leaks} leaks (×), {blind} blind (○) of {pairs} pairs"),
        _text(left, y + 42, picture.caption),
    ]
