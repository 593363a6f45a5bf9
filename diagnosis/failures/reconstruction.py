"""Unfaithful reconstruction: a restored text says what the corrupted one did not."""

from collections.abc import Mapping
from typing import Any

from ...objectives.special_ids import SpecialIds
from ..probes.prepare import restoration
from ..probes.reconstruction.strengths import strengths_text
from .failure import Failure, Figure, Need, Remedy, marks_sentences
from .registry import register

LITTLE = 0.05
"""Share of the loss on whole texts to reproduce that counts as too little: a
convention, since no source gives one; revised mixtures start above it."""


def _corruption(ids: SpecialIds, slots: int) -> Mapping[str, Any]:
    """Settings of the recipe `revised.gin`; sentences only where they are marked."""
    shuffle = 0.3 if marks_sentences(ids) else 0.0
    return {"infill": 0.2, "delete": 0.1, "shuffle": shuffle}


register(
    Failure(
        name="reconstruction",
        title="unfaithful reconstruction",
        symptom="a restored text says what the corrupted one did not",
        order=3,
        need=Need(
            traits=("whole",),
            name="whole texts to reproduce",
            by="examples",
            unit="Examples",
            little=LITTLE,
            use="restoring a corrupted text",
            modes=("reconstruction",),
        ),
        probes={"restoration": restoration},
        figures=(
            Figure("restoration", "edit distance", "all, 30 %"),
            Figure("restoration", "number and entity F1", "all, 30 %"),
        ),
        remark=strengths_text,
        headlines={
            "restoration": (
                "edit distance",
                "number and entity F1",
                "fluent but unfaithful",
            )
        },
        remedies=(
            Remedy(
                "reconstruction",
                "a target that is the whole text makes the model copy what is there, "
                "not only fill gaps.",
                _corruption,
            ),
        ),
        variant="whole",
    )
)
