"""Sentence position of DiscoEval: where among five does the first sentence belong?"""

from collections.abc import Sequence

from .. import measures, shallow
from ..discoeval import LICENCE, NOTE, PAPER, SOURCE, domain, is_split, text
from ..files import DataFile
from ..published_test import PublishedTest, Question
from ..tables import fields

_PLACES = 5


def _read(files: Sequence[DataFile]) -> list[Question]:
    questions = []
    for file in files:
        for number, (label, *parts) in fields(file, count=_PLACES + 1):
            if label not in map(str, range(_PLACES)):
                raise file.error(
                    number, f"the place {label!r} is none of 0 to {_PLACES - 1}."
                )
            moved, *others = map(text, parts)
            orders = (
                ("", " ".join([*others[:at], moved, *others[at:]]))
                for at in range(_PLACES)
            )
            questions.append(Question((domain(file),), tuple(orders), int(label)))
    return questions


TEST = PublishedTest(
    name="sentence position",
    about="at which of five places of a passage a sentence stands",
    paper=PAPER,
    licence=LICENCE,
    source=f"{SOURCE}/SP",
    levels=("domain",),
    sample="items",
    average="groups",
    recognises=lambda file: is_split(file, "sp"),
    read=_read,
    measure=measures.long_texts,
    baselines=shallow.of_choices,
    modes=lambda mode: mode != "pair",
    published={"all": {"BERT-base, trained classifier": 0.531}},
    note=NOTE,
)
