"""Minimal pairs in general: the format of BLiMP without its phenomena."""

from collections.abc import Sequence

from .. import measures, shallow
from ..files import DataFile
from ..published_test import PublishedTest, Question
from ..sentence_pairs import BAD, GOOD, pair_of
from ..tables import columns, rows
from .blimp import TEST as BLIMP

_PARADIGMS = ("UID", "paradigm", "phenomenon")


def _recognises(file: DataFile) -> bool:
    keys = {*columns(file), *file.first_object}
    return {GOOD, BAD} <= keys and not BLIMP.recognises(file)


def _read(files: Sequence[DataFile]) -> list[Question]:
    questions = []
    for file in files:
        own = file.objects() if file.name.endswith(".jsonl") else rows(file)
        for number, row in own:
            given = (row.get(key) for key in _PARADIGMS)
            named = (str(name) for name in given if name not in (None, ""))
            paradigm = next(named, file.parts[-1])
            questions.append(Question((paradigm,), pair_of(file, number, row)))
    return questions


TEST = PublishedTest(
    name="minimal pairs",
    about="which of two texts that differ in one point is right",
    paper="the protocol of Warstadt et al. 2020; data of your own or of others",
    licence="of the data",
    source=f"JSON lines, CSV or TSV with {GOOD} and {BAD}, and UID for a paradigm",
    levels=("paradigm",),
    sample="pairs",
    average="groups",
    recognises=_recognises,
    read=_read,
    measure=measures.whole_texts,
    baselines=shallow.of_choices,
    modes=lambda mode: mode != "pair",
    published={},
)
