"""Long-form drift: a text contradicts what it has said before."""

from ..probes.battery import Make
from ..probes.choices.preferences import preference_scores
from ..probes.drift.block_shuffle import block_shuffle
from ..probes.drift.future import leak_scores
from ..probes.drift.jump_ahead import jump_ahead
from ..probes.prepare import choices, free_generation, minimal_pair_items, of_texts
from .failure import Failure, Figure, Need, Remedy
from .registry import register

LITTLE = 0.1
"""Share of the loss on text from the strict past that counts as too little: half of the
about 20 % that UL2 prefers for its sequential denoiser (Tay et al. 2022, §4)."""


def _preferred(probe: str, make: Make, **settings):
    """A probe of which text is preferred; settings are those of its scores."""
    return {probe: choices(make, preference_scores, probe=probe, **settings)}


register(
    Failure(
        name="drift",
        title="long-form drift",
        symptom="a long text contradicts what it has said before",
        order=1,
        need=Need(
            traits=("onward",),
            name="text from the strict past",
            by="supervised",
            unit="supervised tokens",
            little=LITTLE,
            use="free generation",
            modes=("causal", "prefix"),
        ),
        # A text cannot agree with what is out of sight.
        needs_start=True,
        probes={
            "free generation": free_generation,
            **_preferred("minimal pairs", minimal_pair_items),
            **_preferred(
                "jump-ahead",
                of_texts(jump_ahead, most_words=(2, 3), most_after=(1, 3)),
                better="lower",
            ),
            # Not a whole row: a document may have more tokens a word than the average.
            **_preferred(
                "block shuffle",
                of_texts(block_shuffle, most_words=(4, 5)),
                prior="kept",
            ),
        },
        audited=leak_scores,
        figures=(
            Figure("minimal pairs", "accuracy"),
            Figure("free generation", "contradiction rate"),
            Figure("block shuffle", "accuracy"),
        ),
        headlines={"free generation": ("contradiction rate", "restatements")},
        counts=("restatements",),
        remedies=(
            Remedy(
                "causal",
                "predicting each token from the strict past makes the model look back "
                "for what the text already says.",
            ),
        ),
        variant="onward",
    )
)
