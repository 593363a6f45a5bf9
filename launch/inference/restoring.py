"""Restores a corrupted text, as `reconstruction` trains it: it writes the whole text.

What was corrupted is the model's to find; a `<mask>` stands for lost tokens, as many as
there may be (text infilling, Lewis et al. 2019, §2.2).
"""

from collections.abc import Sequence

import numpy as np

from ...objectives.reconstruction import restoring
from .asked import AskedModel
from .continuing import answered
from .marks import MASK, encode_pieces, text_of_pieces
from .mode import DRAWN, Answer, Mode, Row, text_of
from .settings import Settings
from .trained_forms import Form
from .writing import Listen, Question, write


def _ask(
    asked: AskedModel, row: Row, number: int, form: Form, settings: Settings
) -> Question:
    pieces = encode_pieces(asked.vocab, text_of(row, "text"), MASK)
    corrupted = text_of_pieces(pieces, asked.ids.mask)
    hole = np.zeros(0, np.int32)
    example = asked.with_mode_token(restoring(corrupted, hole, asked.ids), form)
    room = asked.room(example, 0, "the text")
    return Question(number, example, 0, min(room, settings.max_tokens), before=hole)


def _answer(
    asked: AskedModel,
    questions: Sequence[Question],
    form: Form,
    settings: Settings,
    listen: Listen | None,
) -> list[Answer]:
    written = write(asked, questions, settings, listen=listen)
    return [
        Answer(answer.fields(), form, answered(question, answer, asked.ids.eos))
        for question, answer in zip(questions, written, strict=True)
    ]


MODE = Mode(
    name="restore",
    about="writes `text`, which is corrupted, as it was",
    keys=("text",),
    forms=("reconstruction",),
    ask=_ask,
    answer=_answer,
    reads=DRAWN | {"max_tokens"},
)
