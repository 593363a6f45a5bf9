"""Incoherent continuation: a passage does not follow from the one before it."""

from collections.abc import Mapping
from typing import Any

from ...objectives.errors import UsageError
from ...objectives.sentence_pair import FEWEST_TOKENS
from ...objectives.special_ids import SpecialIds
from ..probes.continuation.further import continuation_items
from ..probes.prepare import choices, each_readout
from ..traits.forms import NEGATIVE_KINDS
from ..traits.objective_traits import Traits
from ..wording import percent
from .failure import Failure, Figure, Flaw, Need, Remedy, marks_sentences
from .registry import register

LITTLE = 0.02
"""Share of the loss on labels of pairs that counts as too little: a convention, ten
times the 0.13 % that one label gets under a plain token sum."""

LITTLE_ORDER = 0.1
"""Share of negative pairs from one document below which order is untested: a
convention. With none, order is judged at chance (52.0 %, ALBERT, table 5)."""

ONE_SIDED = 0.05
"""Share of a label below which always answering the other is nearly always right."""

PAIR_TOKENS = 254
"""Most tokens of a pair: with SEP and label, half a row of 512."""


def _same_document(traits: Traits) -> float:
    """Share of negatives that are from one document, further on or swapped."""
    return traits.kinds["further"] + traits.kinds["swapped"]


def _supply(traits: Traits) -> float:
    """Labels, in full if at least half of the negatives are from the same document.

    In proportion below that: negatives from other documents only teach the topic
    (ALBERT, Lan et al. 2019, table 5).
    """
    return traits.labels * min(1.0, 2 * _same_document(traits))


def _flaw(pairs: Traits) -> Flaw | None:
    """One label is nearly always right, or order is not tested."""
    if not pairs.labels:
        return None
    kinds = {f"negatives: {kind}": pairs.kinds[kind] for kind in NEGATIVE_KINDS}
    text = ""
    if not ONE_SIDED <= pairs.negatives <= 1 - ONE_SIDED:
        text = (
            f"{percent(pairs.negatives)} of the labels say that a pair does not "
            f"continue: one answer is nearly always right (below {percent(ONE_SIDED)} "
            "of either)"
        )
    elif _same_document(pairs) < LITTLE_ORDER:
        text = (
            f"of the negative pairs {percent(pairs.kinds['other'])} are with another "
            f"document and {percent(_same_document(pairs))} of the same one, further "
            f"on or swapped (little is below {percent(LITTLE_ORDER)}): order is not "
            "tested"
        )
    return Flaw({"negative pairs": pairs.negatives, **kinds}, text)


def _pairs(ids: SpecialIds, slots: int) -> Mapping[str, Any]:
    """Settings of the recipe `revised.gin`; sentences only where they are marked."""
    room = slots - 2  # with SEP and label
    if room < FEWEST_TOKENS:
        raise UsageError(
            f"continuation is acted on by pairs of {FEWEST_TOKENS} tokens or more, and "
            f"rows have {slots} slots; give rows of {FEWEST_TOKENS + 2} or more, or "
            "leave continuation out (--failures)."
        )
    return {
        "unit": "sentence" if marks_sentences(ids) else "token",
        "other": 0.1,
        "further": 0.2,
        "swapped": 0.2,
        "max_tokens": min(PAIR_TOKENS, room),
    }


register(
    Failure(
        name="continuation",
        title="incoherent continuation",
        symptom="a passage does not follow from the one before it",
        order=2,
        need=Need(
            traits=("labels",),
            name="labels of pairs",
            by="examples",
            unit="Examples",
            little=LITTLE,
            use="judging a next sentence (by label or by likelihood)",
            modes=("pair", "causal", "prefix"),
        ),
        supply=_supply,
        flaw=_flaw,
        probes={"continuation": choices(continuation_items, each_readout)},
        figures=(
            Figure("continuation, by likelihood", "AUC"),
            Figure("continuation, by label", "AUC"),
        ),
        headlines={
            "continuation, by label": ("AUC",),
            "continuation, by likelihood": ("AUC",),
        },
        # Judging topic is not judging order.
        by_kind=("continuation, by label", "continuation, by likelihood"),
        remedies=(
            Remedy(
                "sentence_pair",
                "a label with negatives from the same document makes the model judge "
                "order, not only topic.",
                _pairs,
            ),
        ),
        variant="order",
    )
)
