"""Formats figures, and describes what objectives see and predict."""

import math
from collections.abc import Mapping

from ..findings.severity import fails, reference
from ..results.effects import Effect
from ..scores.score import Score
from ..traits.forms import ExampleMode
from ..traits.objective_traits import Traits
from ..wording import listed, percent


def number(value: float) -> str:
    """Three decimals, or a dash."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def moved(pair: tuple[float, float]) -> str:
    """`5 % → 10 %`."""
    return f"{percent(pair[0])} → {percent(pair[1])}"


def metric(score: Effect | Score) -> str:
    """`minimal pairs, accuracy`, and an arrow where lower is better."""
    return f"{score.probe}, {score.metric}" + ("" if score.better == "higher" else " ↓")


def step(before: Effect, after: Effect) -> str:
    """`minimal pairs, accuracy 0.529 → 0.725`."""
    return f"{metric(after)} {number(before.value)} → {number(after.value)}"


def measured(score: Effect | Score) -> tuple[str, str]:
    """Two cells: the value, marked if a score fails, and its interval."""
    if not math.isfinite(score.value):
        return "not measured", "–"
    mark = " ✗" if isinstance(score, Score) and fails(score) else ""
    return (
        f"{number(score.value)}{mark}",
        f"{number(score.low)} – {number(score.high)}",
    )


def target(score: Effect | Score) -> float | None:
    """The value to beat: chance or, for a score, its best baseline."""
    return reference(score) if isinstance(score, Score) else score.chance


def to_beat(score: Effect | Score) -> str:
    """`0.500, chance`."""
    value = target(score)
    if value is None:
        return "–"
    baselines = score.baselines if isinstance(score, Score) else {}
    names = [name for name, baseline in baselines.items() if baseline == value]
    name = "chance" if score.chance == value or not names else names[0]
    return f"{number(value)}, {name}"


_SEEN: Mapping[ExampleMode, str] = {
    "prefix": " The text that is given first is seen both ways.",
    "span": " What is left of the text is seen both ways, earlier targets as past.",
    "reconstruction": " The corrupted text is seen both ways, earlier targets as past.",
    "blocks": " Text is seen up to the end of the block that is asked for.",
    "permuted": " Tokens that are not asked are seen both ways.",
}


def flow(traits: Traits) -> str:
    """A sentence on what the supervised tokens are predicted from."""
    kinds = {
        "from the strict past": traits.past,
        "from both sides (bidirectional)": traits.both,
        "in a permuted order": traits.permuted,
    }
    most = max(kinds, key=lambda kind: kinds[kind])
    seen = _SEEN.get(max(traits.modes, key=lambda mode: traits.modes[mode]), "")
    if kinds[most] > 0.98:
        all_of = "All" if kinds[most] > 0.9995 else "Nearly all"
        return f"{all_of} its supervised tokens are predicted {most}.{seen}"
    parts = [f"{percent(s)} {kind}" for kind, s in kinds.items() if s >= 0.005]
    return f"Its supervised tokens are predicted {listed(parts)}.{seen}"


def predicted(traits: Traits) -> str:
    """A sentence on what is predicted: a label, a sequence, or tokens."""
    if traits.labels > 0.5:
        kinds = {"other": "another document", "further": "further on in the same one"}
        kinds |= {"swapped": "swapped", "none": "none of these"}
        negatives = [f"{percent(s)} {kinds[k]}" for k, s in traits.kinds.items() if s]
        negative = f"{percent(traits.negatives)} say that it does not go on"
        return f"A coherence label, one an Example; {negative} ({listed(negatives)})."
    count, slots = traits.supervised, traits.processed
    what = "A few tokens"
    if traits.whole > 0.5:
        what = "The whole sequence, from a corrupted form of it"
    elif traits.onward > 0.9 and count > 0.8 * slots:
        what = "Every next token of the text"
    elif traits.onward > 0.9:
        what = "The rest of the text, token after token"
    tokens = "token" if f"{count:,.0f}" == "1" else "tokens"
    return f"{what}: {count:,.0f} supervised {tokens} in {slots:,.0f} slots an Example."
