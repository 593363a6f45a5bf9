"""Inconsistent infilling: text filled in place contradicts what comes after it."""

from collections.abc import Sequence

from ..probes.asking.subject import Subject
from ..probes.choices.items import Item
from ..probes.choices.preferences import Baselines
from ..probes.infilling.filling_forms import FILLING_MODES
from ..probes.infilling.fillings import infilling_scores
from ..probes.infilling.pairs import infilling_pairs
from ..probes.prepare import choices
from ..scores.score import Score
from ..traits.objective_traits import Traits
from .failure import Failure, Figure, Need, Remedy
from .registry import register

PROBE = "infilling pairs"

LITTLE = 0.05
"""Share of the loss on tokens with both sides in sight that counts as too little: a
convention, since no source gives one. `fill_in_middle` puts half of its own loss
there."""

MIDDLE = 0.5
"""Share of the tokens of `fill_in_middle` that have both sides in sight: on average a
third of a text in one of its orders, two thirds in the other."""


def _supply(traits: Traits) -> float:
    """Tokens with both sides in sight; as many as fill a middle count in full."""
    return min(1.0, traits.filled / MIDDLE)


def _asked(
    subject: Subject, items: Sequence[Item], *, baselines: Baselines, seed: int
) -> list[Score]:
    """Scores of the probe; its controls have nothing to beat.

    A filling from the left alone should be at chance, and a judgement of whole texts
    is not how a blank is filled.
    """
    scores = infilling_scores(
        subject, items, probe=PROBE, baselines=baselines, seed=seed
    )
    return [
        score if score.probe == PROBE else score._replace(chance=None, baselines={})
        for score in scores
    ]


register(
    Failure(
        name="infilling",
        title="inconsistent infilling",
        symptom="text filled in place contradicts what comes after it",
        aliases=("contradictory insertions",),
        order=4,
        need=Need(
            traits=("filled",),
            name="tokens with the text on both sides in sight",
            by="supervised",
            unit="supervised tokens",
            little=LITTLE,
            use="filling a blank",
            modes=FILLING_MODES,
        ),
        supply=_supply,
        probes={PROBE: choices(infilling_pairs, _asked)},
        figures=(Figure(PROBE, "accuracy"),),
        remedies=(
            Remedy(
                "fill_in_middle",
                "a middle that is written last makes the model read what comes after "
                "it, and every token is still written from left to right.",
            ),
            Remedy(
                "span_corruption",
                "spans are written with the text on both sides of them in sight.",
            ),
            Remedy(
                "masked",
                "each hidden token is predicted from both sides, though not from the "
                "other hidden ones.",
            ),
            Remedy(
                "block_diffusion",
                "tokens of a block are filled in with the rest of it in sight, though "
                "not what comes after the block.",
            ),
        ),
        variant="both",
    )
)
