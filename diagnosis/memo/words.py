"""What an objective sees and what it predicts, in words."""

from collections.abc import Mapping

from ..causes.cause import listed, percent
from ..traits.forms import AskedMode
from ..traits.objective_traits import Traits

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
    asked, slots = traits.supervised, traits.processed
    size = f"{_tokens(asked)} in {slots:,.0f} slots an Example"
    if traits.labels > 0.5:
        kinds = {"other": "another document", "further": "further on in the same one"}
        kinds |= {"swapped": "swapped", "none": "none of these"}
        negatives = [f"{percent(s)} {kinds[k]}" for k, s in traits.kinds.items() if s]
        negative = f"{percent(traits.negatives)} say that it does not go on"
        return f"A coherence label, one an Example; {negative} ({listed(negatives)})."
    if traits.whole > 0.5:
        return f"The whole sequence, from a corrupted form of it: {size}."
    if traits.onward > 0.9 and asked > 0.8 * slots:
        return f"Every next token of the text: {size}."
    if traits.onward > 0.9:
        return f"The rest of the text, token after token: {size}."
    return f"A few tokens: {size}."


def _tokens(count: float) -> str:
    number = f"{count:,.0f}"
    return f"{number} supervised token{'' if number == '1' else 's'}"
