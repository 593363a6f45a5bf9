"""Binary sentence ordering of DiscoEval: do two sentences stand in their order?"""

from collections.abc import Sequence

from .. import measures, shallow
from ..discoeval import LICENCE, NOTE, PAPER, SOURCE, domain, is_split, text
from ..files import DataFile
from ..published_test import PublishedTest, Question
from ..tables import fields


def _read(files: Sequence[DataFile]) -> list[Question]:
    questions = []
    for file in files:
        for _, parts in fields(file, count=2):
            one, two = map(text, parts)
            pairs = ((one, f" {two}"), (two, f" {one}"))
            questions.append(Question((domain(file),), pairs))
    return questions


TEST = PublishedTest(
    name="sentence order",
    about="which of two neighbouring sentences stands first",
    paper=PAPER,
    licence=LICENCE,
    source=f"{SOURCE}/BSO",
    levels=("domain",),
    sample="items",
    average="groups",
    recognises=lambda file: is_split(file, "bso"),
    read=_read,
    measure=measures.long_texts,
    baselines=shallow.of_choices_and_words,
    modes=lambda mode: True,
    published={"all": {"BERT-base, trained classifier": 0.685}},
    note=NOTE,
)
