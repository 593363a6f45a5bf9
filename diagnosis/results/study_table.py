"""The results of a study as a table in Markdown."""

from collections.abc import Sequence

import numpy as np

from .effects import Difference, Effects, Mix, better_by, is_better, shown
from .markdown import interval, table
from .measures import Measure, measures, primary
from .records import Record
from .study_summary import by_budget

GO_ON = ("minimal pairs", "block shuffle", "continuation, by likelihood")
"""Probes that measure how likely one text is after another."""


def judged(effects: Effects) -> list[str]:
    """The failures that a study judges mixes by: those measured of its incumbent."""
    measured = {effect[:3] for effect in effects.mixes[effects.incumbent].effects}
    return [name for name, measure in primary().items() if measure[:3] in measured]


def better_on_all(effects: Effects) -> list[str]:
    """The mixes that beat the incumbent on every failure judged; none without any."""
    due = judged(effects)
    return [
        n for n in effects.mixes if due and all(is_better(effects, n, f) for f in due)
    ]


def markdown(records: Sequence[Record], effects: Effects) -> str:
    """A row a mix, at the last budget; bold where it beats the incumbent.

    What was measured of no mix has no column.

    Args:
      records: of all runs.
      effects: made from them by `study_summary.effects`.
    """
    columns = [m for m in measures() if any(m.of(x) for x in effects.mixes.values())]
    names = [f"{m.probe}: {m.metric}" for m in columns]
    chances = [_chance(effects, m) for m in columns]
    shallow = [_shallow(records, effects, m) for m in columns]
    seeds = sorted({record.seed for record in records})
    left_out = dict.fromkeys(why for record in records for why in record.left_out)
    rows = [
        ("*chance*", "", "", *chances, ""),
        ("*best baseline, without a model*", "", "", *shallow, ""),
        *(_row(name, records, effects, columns) for name in effects.mixes),
    ]
    lines = [
        f"{effects.tokens / 1e6:.1f} M processed tokens a run on `{effects.corpus}`, "
        f"seeds {', '.join(map(str, seeds))}. Brackets are the envelope of the seeds' "
        f"95 % bootstrap intervals over documents; bold beats `{effects.incumbent}` "
        f"{_how(effects)}. Baselines without a model: a bag "
        "of words, shared words, a 5-gram; for restoration, handing the corrupted "
        f"excerpt back as it is. Own loss: held-out loss of "
        f"`{effects.incumbent}`'s objectives over its own (lower is better).",
        "",
        f"    {effects.command}",
        "",
        *table(("mix", "runs", "asked in", *names, "own loss"), rows),
        "",
        *_differences(effects),
        *(_summary(failure, effects) for failure in judged(effects)),
        *(f"- Not measured: {why}" for why in left_out),
    ]
    return "\n".join(lines) + "\n"


def _row(
    name: str, records: Sequence[Record], effects: Effects, columns: Sequence[Measure]
) -> tuple[str, ...]:
    mix, before = effects.mixes[name], effects.mixes[effects.incumbent]
    cells = []
    for measure in columns:
        after, reference = measure.of(mix), measure.of(before)
        better = after and reference and better_by(reference, after, mix)
        cells.append(f"**{interval(after)}**" if better else interval(after))
    runs, mode = len(by_budget(records, name)[-1]), _mode(records, name)
    return f"`{name}`", f"{runs}", mode, *cells, interval(mix.own_loss)


def _mode(records: Sequence[Record], name: str) -> str:
    """The mode in which a mix continues texts."""
    modes = (
        score.mode + ("" if score.trained else ", never trained")
        for record in records
        if record.mix == name
        for score in record.scores
        if score.probe in GO_ON
    )
    return next(modes, "–")


def _how(effects: Effects) -> str:
    """How it is told that a mix is better."""
    paired = any(mix.differences for mix in effects.mixes.values())
    return "by the difference paired by seed" if paired else "with intervals apart"


def _differences(effects: Effects) -> list[str]:
    """Each mix against the incumbent, by the primary score of each failure."""
    first = [primary()[failure] for failure in judged(effects)]
    rows = [
        (f"`{name}`", *(_change(mix, measure) for measure in first))
        for name, mix in effects.mixes.items()
        if mix.differences
    ]
    if not rows:
        return []
    return [
        f"Differences from `{effects.incumbent}`, paired by seed: their mean, and the "
        "wider ends of its 95 % intervals by a bootstrap over seeds and items and by "
        "Student's over seeds; bold is better.",
        "",
        *table(("mix", *(f"{m.failure}: {m.probe}, {m.metric}" for m in first)), rows),
        "",
    ]


def _change(mix: Mix, measure: Measure) -> str:
    found = mix.difference(*measure[:3])
    if found is None:
        return "–"
    text = change_text(found)
    return f"**{text}**" if shown(found) == "better" else text


def change_text(found: Difference) -> str:
    """A difference's mean and its interval: `+0.128 [+0.053, +0.203]`."""
    mean = found.having - found.without
    return f"{mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _chance(effects: Effects, measure: Measure) -> str:
    matching = [measure.of(mix) for mix in effects.mixes.values()]
    known = [e.chance for e in matching if e is not None and e.chance is not None]
    return f"{sum(known) / len(known):.2f}" if known else "–"


def _shallow(records: Sequence[Record], effects: Effects, measure: Measure) -> str:
    """The best baseline on the items of the first mix that has any."""
    for mix in effects.mixes:
        last = by_budget(records, mix)[-1]
        scores = [s for r in last if (s := measure.chosen(r.scores))]
        known = [[v for v in s.baselines.values() if np.isfinite(v)] for s in scores]
        if any(known):
            best = max if scores[0].better == "higher" else min
            return f"{np.mean([best(values) for values in known if values]):.2f}"
    return "–"


def _summary(failure: str, effects: Effects) -> str:
    """A sentence on which mixes beat the incumbent on a failure."""
    better = [f"`{n}`" for n in effects.mixes if is_better(effects, n, failure)]
    return (
        f"- {failure} ({primary()[failure].probe}): {', '.join(better) or 'no mix'} "
        f"beat{'s' if len(better) < 2 else ''} the incumbent {_how(effects)}."
    )
