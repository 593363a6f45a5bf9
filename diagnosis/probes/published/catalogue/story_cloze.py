"""Story cloze: the right one of two endings of a story of four sentences."""

from collections.abc import Sequence

from .. import measures, shallow
from ..files import DataFile
from ..published_test import PublishedTest, Question
from ..sentence_pairs import text_of
from ..tables import columns, rows

_STORY = tuple(f"InputSentence{n}" for n in range(1, 5))
_ENDINGS = ("RandomFifthSentenceQuiz1", "RandomFifthSentenceQuiz2")
_ANSWER = "AnswerRightEnding"


def _recognises(file: DataFile) -> bool:
    return {*_STORY, *_ENDINGS, _ANSWER} <= {*columns(file)}


def _read(files: Sequence[DataFile]) -> list[Question]:
    questions = []
    for file in files:
        for number, row in rows(file):
            story = " ".join(text_of(file, number, row, key) for key in _STORY)
            pairs = tuple(
                (story, f" {text_of(file, number, row, key)}") for key in _ENDINGS
            )
            answer = text_of(file, number, row, _ANSWER)
            if answer not in ("1", "2"):
                raise file.error(number, f"{_ANSWER} is {answer!r}; it is 1 or 2.")
            questions.append(Question((file.parts[-1],), pairs, int(answer) - 1))
    return questions


TEST = PublishedTest(
    name="story cloze",
    about="which of two sentences ends a story",
    paper="Mostafazadeh et al. 2016, NAACL",
    licence="on request from its authors; not to be passed on",
    source="cs.rochester.edu/nlp/rocstories, the CSV files of the cloze test",
    levels=("file",),
    sample="items",
    average="groups",
    recognises=_recognises,
    read=_read,
    measure=measures.endings,
    baselines=shallow.of_choices_and_words,
    modes=lambda mode: True,
    published={"all": {"always the first": 0.513, "DSSM": 0.585, "people": 1.0}},
    note=(
        "Endings give themselves away by style: a classifier that never sees the "
        "story reaches .725 (Cai et al. 2017, ACL)."
    ),
)
