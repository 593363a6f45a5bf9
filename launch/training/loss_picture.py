"""The losses of a run as a picture, for trackers."""

import io
import os
from pathlib import Path

from ..runs import metrics

_DOTS_AN_INCH = 110


def loss_picture(run_dir: str | os.PathLike[str]) -> bytes:
    """Loss of each objective over the steps, in training and held out; PNG.

    Args:
      run_dir: whose metrics.jsonl is drawn.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.0), layout="constrained", dpi=_DOTS_AN_INCH)
    axes = figure.subplots()
    records = metrics.read(Path(run_dir) / "metrics.jsonl")
    names = sorted(dict.fromkeys(name for record in records for name in record))
    colours: dict[str, str] = {}
    for name in names:
        kind, _, rest = name.partition("/")
        what = rest.removesuffix("/loss")
        # Of held-out losses the means by objective; a task has its corpus too.
        if kind not in ("train", "eval") or what == rest or "." in what:
            continue
        colour = colours.setdefault(what, f"C{len(colours)}")
        points = [(r["step"], float(r[name])) for r in records if name in r]
        (line,) = axes.plot(*zip(*points, strict=True), color=colour, ms=3, lw=1.2)
        if kind == "eval":
            line.set(marker="o", label=f"{what}, held out")
        else:
            line.set(alpha=0.5, label=what)
    axes.set_xlabel("step")
    axes.set_ylabel("loss, nats a token")
    if axes.lines:
        figure.legend(loc="outside right upper", frameon=False, fontsize="small")
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()
