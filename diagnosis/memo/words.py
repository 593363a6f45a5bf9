"""How figures, and what an objective sees and predicts, read in a memo."""

import math
from collections.abc import Mapping

from ..causes.cause import listed, percent
from ..results.effects import Effect
from ..scores.score import Score
from ..scores.severity import fails, reference
from ..traits.forms import AskedMode
from ..traits.objective_traits import Traits


def number(value: float) -> str:
    """Three digits behind the point."""
    return f"{value:.3f}" if math.isfinite(value) else "–"


def moved(pair: tuple[float, float]) -> str:
    """`5 % → 10 %`."""
    return f"{percent(pair[0])} → {percent(pair[1])}"


def metric(one: Effect | Score) -> str:
    """`minimal pairs, accuracy`, and an arrow where lower is better."""
    return f"{one.probe}, {one.metric}" + ("" if one.better == "higher" else " ↓")


def step(before: Effect, after: Effect) -> str:
    """`minimal pairs, accuracy 0.529 → 0.725`."""
    return f"{metric(after)} {number(before.value)} → {number(after.value)}"


def measured(one: Effect | Score) -> tuple[str, str]:
    """The value, marked where a score fails, and its interval: two cells."""
    if not math.isfinite(one.value):
        return "not measured", "–"
    mark = " ✗" if isinstance(one, Score) and fails(one) else ""
    return f"{number(one.value)}{mark}", f"{number(one.low)} – {number(one.high)}"


def wanted(one: Effect | Score) -> float | None:
    """What a value has to beat: chance and, of a score, its best baseline."""
    return reference(one) if isinstance(one, Score) else one.chance


def to_beat(one: Effect | Score) -> str:
    """`0.500, chance`."""
    value = wanted(one)
    if value is None:
        return "–"
    baselines = one.baselines if isinstance(one, Score) else {}
    names = [name for name, found in baselines.items() if found == value]
    name = "chance" if one.chance == value or not names else names[0]
    return f"{number(value)}, {name}"


_SEEN: Mapping[AskedMode, str] = {
    "prefix": " The text that is given first is seen both ways.",
    "span": " What is left of the text is seen both ways, earlier targets as past.",
    "reconstruction": " The corrupted text is seen both ways, earlier targets as past.",
    "permuted": " Tokens that are not asked are seen both ways.",
}


def flow(traits: Traits) -> str:
    """How information flows: from where the supervised tokens are predicted."""
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
    """What is predicted: a label, a whole sequence, every next token or a few."""
    if traits.labels > 0.5:
        kinds = {"other": "another document", "further": "further on in the same one"}
        kinds |= {"swapped": "swapped", "none": "none of these"}
        negatives = [f"{percent(s)} {kinds[k]}" for k, s in traits.kinds.items() if s]
        negative = f"{percent(traits.negatives)} say that it does not go on"
        return f"A coherence label, one an Example; {negative} ({listed(negatives)})."
    asked, slots = traits.supervised, traits.processed
    what = "A few tokens"
    if traits.whole > 0.5:
        what = "The whole sequence, from a corrupted form of it"
    elif traits.onward > 0.9 and asked > 0.8 * slots:
        what = "Every next token of the text"
    elif traits.onward > 0.9:
        what = "The rest of the text, token after token"
    tokens = "token" if f"{asked:,.0f}" == "1" else "tokens"
    return f"{what}: {asked:,.0f} supervised {tokens} in {slots:,.0f} slots an Example."
