"""Fills `<mask>`s, each of which is one token, in any order.

`masked` training predicts them in place, on a canvas that sees itself whole; with
`masked.shift` ("shifted"), at the slot before. `permuted` training predicts them one
after another at their own positions; the most certain first costs it a look at each.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32

from ...models.decoding.canvas import canvas
from ...models.decoding.fill import Fill, make_fill
from ...models.decoding.permuted_fill import make_fill_permuted
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.masked import predicted_in_place
from ...objectives.permuted import in_order
from .asked import AskedModel
from .marks import MASK, Tokens, encode_pieces, text_after, text_of_pieces
from .mode import DRAWN, Answer, Mode, Row, text_of
from .settings import Settings
from .trained_forms import Form
from .writing import Listen, row_keys


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
    asked.require_fits(_example(asked, question, tokens, form), "the text")
    return question


def _example(asked: AskedModel, question: Masks, filled: Tokens, form: Form) -> Example:
    """The question as training lays it out, with the tokens that it predicts."""
    places = np.array(question.open, np.int64)
    if form == "permuted":
        return asked.with_mode_token(in_order(filled, places), form)
    shift = form == "shifted"
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
    ids, spare = asked.ids, asked.batch_rows - len(questions)
    filled = [*questions, *[questions[0]._replace(open=[])] * spare]
    # With shift a row begins with BOS, at position 0.
    first = int(form == "shifted")
    texts = [np.append([ids.bos] * first, q.tokens).astype(np.int32) for q in filled]
    open = [np.isin(np.arange(len(q.tokens)), q.open) for q in filled]
    shape = asked.rows.encoder or asked.rows.decoder
    batch = canvas(
        texts,
        open=[np.append([False] * first, each).astype(bool) for each in open],
        slots=shape.slots,
        positions=[1 - first + np.arange(len(text)) for text in texts],
    )
    fill = _filler(asked, form, settings)
    keys = row_keys(settings.seed, [q.number for q in filled])
    with asked.on_mesh():
        made = fill(asked.placed(batch), asked.placed(keys))
    return [
        _filled(
            asked,
            question,
            made.tokens[row, first : made.lengths[row]],
            made.log_probabilities[row, first:],
            made.filled_in[row, first:],
            form,
        )
        for row, question in enumerate(questions)
    ]


def _filler(asked: AskedModel, form: Form, settings: Settings) -> Fill:
    ids = asked.ids
    if form == "permuted":
        return make_fill_permuted(
            asked.trained.model,
            sampler=settings.sampler,
            bos=ids.bos,
            order=settings.order,
            pad=ids.pad,
            allowed=asked.allowed(),
        )
    return make_fill(
        asked.trained.model,
        sampler=settings.sampler,
        order=settings.order,
        per_pass=settings.per_pass,
        threshold=settings.threshold,
        shift=form == "shifted",
        pad=ids.pad,
        allowed=asked.allowed(),
    )


def _filled(
    asked: AskedModel,
    question: Masks,
    tokens: Tokens,
    log_p: Float32[np.ndarray, " N"],
    filled_in: Int32[np.ndarray, " N"],
    form: Form,
) -> Answer:
    """An answer; `filled_in` tells in which pass each mask was filled."""
    turns = np.array(question.open)
    turns = turns[np.argsort(filled_in[turns], kind="stable")]
    fields = {
        "text": asked.vocab.decode(tokens),
        "masks": [
            text_after(asked.vocab, tokens[:at], tokens[at : at + 1])
            for at in question.open
        ],
        "tokens": len(question.open),
        "log_probability": float(log_p[turns].astype(float).sum()),
    }
    if form == "permuted":
        example = _example(asked, question._replace(open=turns.tolist()), tokens, form)
        return Answer(fields, form, example, log_p[turns])
    return Answer(fields, form, _example(asked, question, tokens, form),
                  log_p[question.open])  # fmt: skip


MODE = Mode(
    name="masks",
    about=f"fills each {MASK} of `text`, one token each, in any order",
    keys=("text",),
    forms=("masked", "shifted", "permuted"),
    ask=_ask,
    answer=_answer,
    reads=DRAWN | {"order", "per_pass", "threshold"},
    read_by=dict.fromkeys(("per_pass", "threshold"), ("masked", "shifted")),
)
