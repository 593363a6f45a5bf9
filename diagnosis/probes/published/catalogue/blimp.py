"""BLiMP: 67 paradigms of 1,000 minimal pairs, an acceptable sentence against another.

Published: the authors' table of every paradigm (raw_results in their repository).
"""

from collections.abc import Sequence

from .. import measures, shallow
from ..files import DataFile
from ..published_test import PublishedTest, Question
from ..sentence_pairs import BAD, GOOD, pair_of, text_of

_PARADIGM, _PHENOMENON, _FIELD = "UID", "linguistics_term", "field"

_MODELS = ("5-gram", "LSTM", "Transformer-XL", "GPT-2")

_PUBLISHED = {
    "all": (0.612, 0.698, 0.696, 0.830),
    "anaphor_agreement": (0.479, 0.917, 0.941, 0.993),
    "argument_structure": (0.719, 0.732, 0.722, 0.818),
    "binding": (0.644, 0.735, 0.747, 0.809),
    "control_raising": (0.685, 0.670, 0.715, 0.819),
    "determiner_noun_agreement": (0.701, 0.854, 0.830, 0.958),
    "ellipsis": (0.369, 0.676, 0.772, 0.894),
    "filler_gap_dependency": (0.602, 0.739, 0.666, 0.813),
    "irregular_forms": (0.795, 0.891, 0.782, 0.919),
    "island_effects": (0.572, 0.466, 0.483, 0.727),
    "npi_licensing": (0.455, 0.517, 0.552, 0.768),
    "quantifiers": (0.535, 0.645, 0.693, 0.790),
    "subject_verb_agreement": (0.603, 0.801, 0.760, 0.864),
}


def _recognises(file: DataFile) -> bool:
    return {GOOD, BAD, _PARADIGM, _PHENOMENON, _FIELD} <= file.first_object.keys()


def _read(files: Sequence[DataFile]) -> list[Question]:
    return [
        Question(
            (
                text_of(file, number, row, _PARADIGM),
                text_of(file, number, row, _PHENOMENON),
                # The data spell one field in two ways.
                text_of(file, number, row, _FIELD).replace("/", "_"),
            ),
            pair_of(file, number, row),
        )
        for file in files
        for number, row in file.objects()
    ]


TEST = PublishedTest(
    name="BLiMP",
    about="which of two sentences that differ in one point of grammar is acceptable",
    paper="Warstadt et al. 2020, TACL 8",
    licence="CC-BY 4.0",
    source="github.com/alexwarstadt/blimp, data/*.jsonl",
    levels=("paradigm", "phenomenon", "field"),
    sample="pairs",
    average="groups",
    recognises=_recognises,
    read=_read,
    measure=measures.whole_texts,
    baselines=shallow.of_choices,
    modes=lambda mode: mode != "pair",
    published={
        kind: dict(zip(_MODELS, values, strict=True))
        for kind, values in _PUBLISHED.items()
    },
    note=(
        "People agree with .964 of the pairs, each of them with .886. A tie counts "
        "half; evaluators that count it as right, or ask in another mode, are not "
        "comparable, and untrained models do not score .5 in each paradigm."
    ),
)
