"""What a study comes to, as a table in Markdown."""

from collections.abc import Sequence

from .effects import Effect, Effects, Mix, beats, is_better
from .outcome import Measure
from .records import Record
from .score import FAILURES, Failure

KINDS = ("other", "further", "swapped")
CORRUPTED = ("masking, 30 %", "deletion, 30 %", "insertion, 30 %", "shuffling, 30 %")

MEASURES: tuple[Measure, ...] = (
    Measure("drift", "minimal pairs", "accuracy", (), "minimal pairs"),
    Measure("drift", "free generation", "contradiction rate", (), "free generation"),
    Measure("drift", "block shuffle", "accuracy", (), "block shuffle"),
    Measure(
        "continuation",
        "continuation, by likelihood",
        "AUC",
        KINDS,
        "continuation by likelihood, mean over negatives",
    ),
    Measure(
        "continuation",
        "continuation, by label",
        "AUC",
        KINDS,
        "continuation by label, mean over negatives",
    ),
    Measure(
        "reconstruction",
        "restoration",
        "edit distance",
        CORRUPTED,
        "restoration, mean over corruptions",
    ),
    Measure(
        "reconstruction",
        "restoration",
        "number and entity F1",
        CORRUPTED,
        "restoration, mean over corruptions",
    ),
)
"""Fixed before the study was run; of each failure the first one is gone by."""


def markdown(records: Sequence[Record], effects: Effects) -> str:
    """A row a mix, at the last budget; bold where it beats the incumbent.

    Args:
      records: of all runs; they say how many there were.
      effects: what they come to (`outcome.effects`).
    """
    names = [f"{m.name}: {m.metric}" for m in MEASURES]
    seeds = sorted({record.seed for record in records})
    lines = [
        f"{effects.tokens / 1e6:.1f} M processed tokens a run on `{effects.corpus}`, "
        f"seeds {', '.join(map(str, seeds))}. In brackets the lowest and the highest "
        "end of the seeds' 95 % bootstrap intervals over documents; in bold what beats "
        f"`{effects.incumbent}` with intervals apart. Own loss: held-out loss of "
        f"`{effects.incumbent}`'s objectives over its own (lower is better).",
        "",
        f"    {effects.command}",
        "",
        "| mix | runs | asked in | " + " | ".join(names) + " | own loss |",
        "|---" * (len(names) + 4) + "|",
        "| *a guess* | | | "
        + " | ".join(_chance(effects, n) for n in range(len(MEASURES)))
        + " | |",
    ]
    lines += [
        _row(name, mix, effects, _mode(records, name))
        for name, mix in effects.mixes.items()
    ]
    lines += ["", *(_said(failure, effects) for failure in FAILURES)]
    return "\n".join(lines) + "\n"


def _row(name: str, mix: Mix, effects: Effects, mode: str) -> str:
    before = effects.mixes[effects.incumbent]
    cells = [_cell(_find(mix, n), _find(before, n)) for n in range(len(MEASURES))]
    runs = max((e.seeds for e in mix.effects), default=0)
    own = mix.own_loss
    loss = "–" if own is None else f"{own.value:.3f} [{own.low:.3f}, {own.high:.3f}]"
    return f"| `{name}` | {runs} | {mode} | " + " | ".join([*cells, loss]) + " |"


def _mode(records: Sequence[Record], name: str) -> str:
    """How a mix is asked how texts go on; probes of other forms say their own."""
    first = MEASURES[0]
    asked = [
        score.mode + ("" if score.trained else ", never trained")
        for record in records
        if record.mix == name
        for score in record.scores
        if score.probe == first.probe
    ]
    return asked[0] if asked else "–"


def _find(mix: Mix, number: int) -> Effect | None:
    wanted = MEASURES[number]
    return next(
        (
            e
            for e in mix.effects
            if (e.failure, e.probe, e.metric)
            == (wanted.failure, wanted.name, wanted.metric)
        ),
        None,
    )


def _cell(effect: Effect | None, before: Effect | None) -> str:
    if effect is None:
        return "–"
    text = f"{effect.value:.3f} [{effect.low:.3f}, {effect.high:.3f}]"
    return f"**{text}**" if before is not None and beats(before, effect) else text


def _chance(effects: Effects, number: int) -> str:
    found = [_find(mix, number) for mix in effects.mixes.values()]
    known = [e.chance for e in found if e is not None and e.chance is not None]
    return f"{sum(known) / len(known):.2f}" if known else "–"


def _said(failure: Failure, effects: Effects) -> str:
    """Which mixes beat the incumbent on a failure, in a sentence."""
    better = [
        f"`{name}`" for name in effects.mixes if is_better(effects, name, failure)
    ]
    first = next(m for m in MEASURES if m.failure == failure)
    return (
        f"- {failure} ({first.name}): "
        + (", ".join(better) if better else "no mix")
        + f" beat{'s' if len(better) < 2 else ''} the incumbent with intervals apart."
    )
