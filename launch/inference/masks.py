"""Fills `<mask>`s, each of which is one token, in any order.

`masked` training predicts them in place, on a canvas that sees itself whole; with
`masked.shift`, at the slot before. `permuted` training predicts them one after another
at their own positions, in the order that is asked for; it cannot choose the most
certain first, as what it predicts next is fixed before it is seen.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from ...models.canvas import canvas
from ...models.fill import make_fill
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.masked import predicted_in_place
from ...objectives.permuted import in_order
from .asked import AskedModel
from .marks import MASK, Tokens, encode_pieces, text_after, text_of_pieces
from .mode import DRAWN, Answer, Mode, Row, text_of
from .settings import Settings
from .trained_forms import Form
from .writing import Listen, Question, row_keys, write

Filling = tuple[Tokens, Float32[np.ndarray, " masks"], Example]
"""A text that is filled, the log p of what fills it, and the Example that asked."""


class Masks(NamedTuple):
    """A text with marked tokens.

    Attributes:
      number: of the row.
      tokens: of the text, the mask's id where one is marked.
      open: places of the marks.
    """

    number: int
    tokens: Tokens
    open: Sequence[int]


def _ask(
    asked: AskedModel, row: Row, number: int, form: Form, settings: Settings
) -> Masks:
    pieces = encode_pieces(asked.vocab, text_of(row, "text"), MASK)
    if len(pieces) < 2:
        raise UsageError(f"the text has no {MASK}; put one for each missing token.")
    tokens = text_of_pieces(pieces, asked.ids.mask)
    question = Masks(number, tokens, np.flatnonzero(tokens == asked.ids.mask).tolist())
    if form == "permuted" and settings.order == "certain":
        raise UsageError(
            "order 'certain' asks for masked training, and this model is asked as "
            "permuted training does, whose order is fixed before the tokens are seen; "
            "take --order=left_to_right or --order=random."
        )
    asked.require_fits(_example(asked, question, tokens, form), "the text")
    return question


def _example(asked: AskedModel, question: Masks, filled: Tokens, form: Form) -> Example:
    """The question as training lays it out, with the tokens that it predicts."""
    places = np.array(question.open)
    if form == "permuted":
        return asked.with_mode_token(in_order(filled, places), form)
    shift = bool(asked.forms.setting("masked", "shift"))
    weights = np.isin(np.arange(len(filled)), places).astype(np.float32)
    return predicted_in_place(question.tokens, filled, weights, asked.ids, shift=shift)


def _answer(
    asked: AskedModel,
    questions: Sequence[Masks],
    form: Form,
    settings: Settings,
    listen: Listen | None,
) -> list[Answer]:
    del listen
    fill = _fill_canvas if form == "masked" else _fill_in_order
    answers = []
    for question, (tokens, log_p, example) in zip(
        questions, fill(asked, questions, settings), strict=True
    ):
        fields = {
            "text": asked.vocab.decode(tokens),
            "masks": [
                text_after(asked.vocab, tokens[:at], tokens[at : at + 1])
                for at in question.open
            ],
            "tokens": len(question.open),
            "log_probability": round(float(log_p.astype(float).sum()), 4),
        }
        answers.append(Answer(fields, form, example, log_p))
    return answers


def _fill_canvas(
    asked: AskedModel, questions: Sequence[Masks], settings: Settings
) -> list[Filling]:
    shift = bool(asked.forms.setting("masked", "shift"))
    ids, spare = asked.ids, asked.batch_rows - len(questions)
    filled = [*questions, *[questions[0]._replace(open=[])] * spare]
    examples = [_example(asked, q, q.tokens, "masked") for q in filled]
    shape = asked.rows.encoder or asked.rows.decoder
    batch = canvas(
        [e.inputs for e in examples],
        open=[np.isin(np.arange(len(e.inputs)), np.array(q.open) + shift)
              for e, q in zip(examples, filled, strict=True)],
        slots=shape.slots,
        positions=[e.inputs_positions for e in examples],
    )  # fmt: skip
    fill = make_fill(
        asked.trained.model,
        sampler=settings.sampler,
        order=settings.order,
        per_pass=settings.per_pass,
        shift=shift,
        pad=ids.pad,
        allowed=asked.allowed(),
    )
    keys = row_keys(settings.seed, [q.number for q in filled])
    with asked.on_mesh():
        made = fill(asked.placed(batch), asked.placed(keys))
    results = []
    for row, question in enumerate(questions):
        tokens = made.tokens[row, shift : made.lengths[row]]
        example = _example(asked, question, tokens, "masked")
        log_p = made.log_probabilities[row, np.array(question.open) + shift]
        results.append((tokens, log_p, example))
    return results


def _fill_in_order(
    asked: AskedModel, questions: Sequence[Masks], settings: Settings
) -> list[Filling]:
    orders = [
        np.array(question.open)
        if settings.order == "left_to_right"
        else np.random.default_rng([settings.seed, question.number]).permutation(
            question.open
        )
        for question in questions
    ]
    examples = [
        asked.with_mode_token(in_order(question.tokens, order), "permuted")
        for question, order in zip(questions, orders, strict=True)
    ]
    none = np.zeros(0, np.int32)
    asks = [
        Question(question.number, example, 0, len(question.open), before=none)
        for question, example in zip(questions, examples, strict=True)
    ]
    results = []
    for question, order, example, answer in zip(
        questions,
        orders,
        examples,
        write(asked, asks, settings, ends=False),
        strict=True,
    ):
        tokens = question.tokens.copy()
        tokens[order] = answer.tokens
        example = example._replace(targets=answer.tokens)
        results.append((tokens, answer.log_probabilities, example))
    return results


MODE = Mode(
    name="masks",
    about=f"fills each {MASK} of `text`, one token each, in any order",
    keys=("text",),
    forms=("masked", "permuted"),
    ask=_ask,
    answer=_answer,
    reads=DRAWN | {"order", "per_pass"},
)
