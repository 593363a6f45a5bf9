"""Discourse coherence of DiscoEval: six sentences, or five and one from elsewhere.

The files hold both of each passage one after the other, so the question here is which
of the two is the whole one; the paper classifies each by itself.
"""

from collections.abc import Sequence

from .. import measures, shallow
from ..discoeval import LICENCE, NOTE, PAPER, SOURCE, domain, is_split, text
from ..files import DataFile
from ..published_test import PublishedTest, Question
from ..tables import fields

_SENTENCES = 6


def _read(files: Sequence[DataFile]) -> list[Question]:
    questions = []
    for file in files:
        lines = list(fields(file, count=_SENTENCES + 1))
        for (_, one), (number, two) in zip(lines[::2], lines[1::2], strict=False):
            same = sum(a == b for a, b in zip(one[1:], two[1:], strict=True))
            if {one[0], two[0]} != {"0", "1"} or same != _SENTENCES - 1:
                raise file.error(
                    number,
                    "not the line before with one sentence replaced; passages stand "
                    "in pairs, labelled 0 and 1.",
                )
            passages = tuple(("", text(" ".join(line[1:]))) for line in (one, two))
            questions.append(Question((domain(file),), passages, int(one[0] == "0")))
        if len(lines) % 2:
            raise file.error(lines[-1][0], "a passage without the other of its pair.")
    return questions


TEST = PublishedTest(
    name="discourse coherence",
    about="which of two passages has a sentence of another",
    paper=PAPER,
    licence=LICENCE,
    source=f"{SOURCE}/DC",
    levels=("domain",),
    sample="items",
    average="groups",
    recognises=lambda file: is_split(file, "dc"),
    read=_read,
    measure=measures.long_texts,
    baselines=shallow.of_choices_and_words,
    modes=lambda mode: mode != "pair",
    published={"all": {"BERT-base, trained classifier": 0.589}},
    note=f"{NOTE} They are of single passages, which is harder than a choice of two.",
)
