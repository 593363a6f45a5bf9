"""Fills `<blank>`s, each of a length that the model chooses.

`span_corruption` training fills all of them at once: each blank is a sentinel.
`fill_in_middle` training fills one at a time, from the first to the last: what is
before it, with the blanks that are filled, is the prefix, and what follows it up to the
next blank the suffix.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.fill_in_middle import middle_last
from ...objectives.span_corruption import without_spans
from .asked import AskedModel
from .continuing import answered
from .marks import BLANK, Tokens, encode_pieces, text_after
from .mode import DRAWN, Answer, Mode, Row, text_of
from .settings import Settings
from .trained_forms import Form
from .writing import Listen, Question, write


class Blanks(NamedTuple):
    """A text with blanks.

    Attributes:
      number: of the row.
      pieces: the text between the blanks, one more than there are blanks.
      question: the first that is asked about it.
    """

    number: int
    pieces: Sequence[Tokens]
    question: Question


def _ask(
    asked: AskedModel, row: Row, number: int, form: Form, settings: Settings
) -> Blanks:
    pieces = encode_pieces(asked.vocab, text_of(row, "text"), BLANK)
    if len(pieces) < 2:
        raise UsageError(f"the text has no {BLANK}; put one where text is missing.")
    blanks = len(pieces) - 1
    if form == "middle":
        return Blanks(number, pieces, _middle(asked, number, pieces, (), settings))
    if any(not len(piece) for piece in pieces[1:-1]):
        raise UsageError(
            f"two {BLANK}s stand side by side; write one for both, as its length is "
            "the model's to choose."
        )
    if blanks > len(asked.ids.sentinels):
        raise UsageError(
            f"the text has {blanks} blanks, and the vocabulary "
            f"{len(asked.ids.sentinels)} sentinels to tell them apart; use fewer."
        )
    hole = np.array([asked.ids.pad], np.int32)
    parts = [part for piece in pieces for part in (piece, hole)][:-1]
    dropped = np.concatenate(
        [np.full(len(part), n % 2 == 1) for n, part in enumerate(parts)]
    )
    example = without_spans(np.concatenate(parts), dropped, asked.ids)
    return Blanks(number, pieces, _question(asked, number, example, "span", settings))


def _question(
    asked: AskedModel, number: int, example: Example, form: Form, settings: Settings
) -> Question:
    """A question whose every target is free, but for the three ids of filling."""
    given = len(example.targets) - 2 if form == "middle" else 0
    example = asked.with_mode_token(example, form)
    room = asked.room(example, given, "the text")
    most = min(room, settings.max_tokens)
    return Question(number, example, given, most, before=np.zeros(0, np.int32))


def _middle(
    asked: AskedModel,
    number: int,
    pieces: Sequence[Tokens],
    filled: Sequence[Tokens],
    settings: Settings,
) -> Question:
    """Asks for the blank that comes next, with the suffix first if that was trained.

    The middle then goes on from the prefix. The question leaves room to ask for the
    last blank, with a token in each before.

    Raises:
      UsageError: there is none, which is so at the first blank or never.
    """
    hole = np.array([asked.ids.pad], np.int32)
    order = "spm" if asked.forms.setting("middle", "spm") > 0 else "psm"

    def ask(filled: Sequence[Tokens]) -> Question:
        at = len(filled)
        before = _joined(pieces[: at + 1], filled)
        example = middle_last(before, hole, pieces[at + 1], asked.ids, order=order)
        return _question(asked, number, example, "middle", settings)

    to_come = len(pieces) - 2 - len(filled)
    last = ask([*filled, *[hole] * to_come])
    # Of this blank's tokens, one is in the last question already.
    return ask(filled)._replace(most=last.most)


def _joined(pieces: Sequence[Tokens], filled: Sequence[Tokens]) -> Tokens:
    """Pieces and what was filled between them."""
    parts = [pieces[0]]
    for fill, piece in zip(filled, pieces[1:], strict=True):
        parts += [fill, piece]
    return np.concatenate(parts).astype(np.int32)


def _answer(
    asked: AskedModel,
    questions: Sequence[Blanks],
    form: Form,
    settings: Settings,
    listen: Listen | None,
) -> list[Answer]:
    del listen  # blanks are not written in the order of the text
    if form == "middle":
        return _one_by_one(asked, questions, settings)
    written = write(
        asked,
        [q.question for q in questions],
        settings,
        extra_ids=asked.ids.sentinels,
    )
    answers = []
    for question, answer in zip(questions, written, strict=True):
        by_sentinel = _after_sentinels(answer.tokens, asked.ids.sentinels)
        blanks = len(question.pieces) - 1
        fills = [by_sentinel.get(number, answer.tokens[:0]) for number in range(blanks)]
        fields = _fields(asked, question.pieces, fills)
        fields["log_probability"] = float(answer.log_probabilities.sum())
        fields["ended"] = answer.ended
        example = answered(question.question, answer, asked.ids.eos)
        answers.append(Answer(fields, form, example))
    return answers


def _one_by_one(
    asked: AskedModel, questions: Sequence[Blanks], settings: Settings
) -> list[Answer]:
    fills: list[list[Tokens]] = [[] for _ in questions]
    totals, ended = [0.0] * len(questions), ["eos"] * len(questions)
    examples = [q.question.example for q in questions]
    for turn in range(max(len(q.pieces) for q in questions) - 1):
        rows = [n for n, q in enumerate(questions) if turn < len(q.pieces) - 1]
        turns = [
            _middle(asked, questions[n].number, questions[n].pieces, fills[n], settings)
            for n in rows
        ]
        for n, question, answer in zip(
            rows, turns, write(asked, turns, settings, turn=turn), strict=True
        ):
            fills[n].append(answer.tokens)
            totals[n] += float(answer.log_probabilities.sum())
            ended[n] = answer.ended if answer.ended != "eos" else ended[n]
            examples[n] = answered(question, answer, asked.ids.eos)
    answers = []
    for n, question in enumerate(questions):
        fields = _fields(asked, question.pieces, fills[n])
        fields |= {"log_probability": totals[n], "ended": ended[n]}
        answers.append(Answer(fields, "middle", examples[n]))
    return answers


def _fields(
    asked: AskedModel, pieces: Sequence[Tokens], fills: Sequence[Tokens]
) -> dict[str, object]:
    texts = [
        text_after(asked.vocab, _joined(pieces[: n + 1], fills[:n]), fill)
        for n, fill in enumerate(fills)
    ]
    return {
        "text": asked.vocab.decode(_joined(pieces, fills)),
        "blanks": texts,
        "tokens": sum(map(len, fills)),
    }


def _after_sentinels(answer: Tokens, sentinels: Sequence[int]) -> dict[int, Tokens]:
    """The tokens after the first occurrence of each sentinel, up to the next one."""
    places = [n for n, token in enumerate(answer.tolist()) if token in sentinels]
    found: dict[int, Tokens] = {}
    for start, stop in itertools.pairwise([*places, len(answer)]):
        found.setdefault(sentinels.index(int(answer[start])), answer[start + 1 : stop])
    return found


MODE = Mode(
    name="fill",
    about=f"fills each {BLANK} of `text`, whatever its length",
    keys=("text",),
    forms=("span", "middle"),
    ask=_ask,
    answer=_answer,
    reads=DRAWN | {"max_tokens"},
)
