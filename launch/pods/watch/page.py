"""A run's state as one self-contained page."""

import time

import jinja2
from markupsafe import Markup

from ...terminal.goodput import MEANING
from .charts import PARTS, loss_charts, speed_chart, time_chart
from .reading import RunStatus, value_of
from .table import facts, host_rows, incidents, newest
from .utilisation import Utilisation

_SHOWN = (
    *("train.batch_rows", "train.optimizer", "train.schedule", "train.data"),
    *("Mixture.name", "Mixture.rates", "ModelConfig.layers", "ModelConfig.d_model"),
)
"""Settings in the page's head; the rest is folded away."""


def page(run: RunStatus, used: Utilisation | None, *, now: float | None = None) -> str:
    """The text of an HTML page; nothing in it is fetched from elsewhere.

    Args:
      run: as it was read.
      used: of its devices; None where their peak is not known.
      now: seconds since 1970; None is the clock's.
    """
    now = time.time() if now is None else now
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__name__.rpartition(".")[0], "."),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    spent = run.hosts[0].spent if run.hosts else None
    charts = {
        "losses": loss_charts(run),
        "speed": speed_chart(run),
        "time": None if spent is None else time_chart(spent),
    }
    return environment.get_template("report.html.j2").render(
        run=run,
        facts=list(facts(run, used)),
        written=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)),
        # Matplotlib's own, with text escaped.
        charts={name: Markup(chart) for name, chart in charts.items() if chart},
        losses=_losses(run),
        parts=_parts(run),
        spent=spent,
        hosts=host_rows(run, now),
        incidents=list(incidents(run)),
        shown={n: value_of(run.settings, n) for n in _SHOWN if n in run.settings},
    )


def _losses(run: RunStatus) -> list[tuple[str, ...]]:
    """Objective, training, held out, baseline; the newest."""
    names = [name for name in dict.fromkeys((*run.train, *run.held_out)) if name]
    return [
        (
            name,
            newest(run.train.get(name, [])),
            newest(run.held_out.get(name, [])),
            f"{run.baselines[name]:.4f}" if name in run.baselines else "",
        )
        for name in names
    ]


def _parts(run: RunStatus) -> list[tuple[str, str, str, str, str]]:
    """Colour, name, seconds, share and meaning of each part of host 0's time."""
    if not run.hosts or run.hosts[0].spent.wall <= 0:
        return []
    spent = run.hosts[0].spent
    return [
        (
            colour,
            name.replace("_", "-"),
            f"{spent.seconds[name]:,.1f}",
            f"{spent.seconds[name] / spent.wall:.1%}",
            MEANING[name],
        )
        for name, colour in PARTS.items()
    ]
