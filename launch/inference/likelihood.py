"""Log-likelihood of texts, token by token.

`causal` training gives `log p(x)` as a sum over the text, each token from those before
it. `masked` training gives the pseudo-log-likelihood (Salazar et al. 2020, §2): each
token from all others, one hidden at a time; after training with `masked.shift`
("shifted") the slot before predicts it.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from ...objectives.causal import left_to_right
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.masked import predicted_in_place
from .asked import AskedModel
from .marks import Tokens, encode_pieces
from .mode import Answer, Mode, Row, text_of
from .settings import Settings
from .trained_forms import Form
from .writing import Listen

_BATCHES = 4
"""Full batches of Examples that are laid out and scored at a time."""


class Scored(NamedTuple):
    """A text, and the form in which its Examples predict each of its tokens once."""

    tokens: Tokens
    form: Form


def _ask(
    asked: AskedModel, row: Row, number: int, form: Form, settings: Settings
) -> Scored:
    del number, settings
    (tokens,) = encode_pieces(asked.vocab, text_of(row, "text"), None)
    return scored(asked, tokens, form)


def scored(asked: AskedModel, tokens: Tokens, form: Form) -> Scored:
    """Lays a text out so that each of its tokens is predicted.

    Raises:
      UsageError: there is no token, or more than a row holds.
    """
    if not len(tokens):
        raise UsageError("the text is empty, and has no likelihood; give a character.")
    question = Scored(tokens, form)
    asked.require_fits(next(examples_of(asked, question)), "the text")
    return question


def examples_of(asked: AskedModel, question: Scored) -> Iterator[Example]:
    """Makes the Examples of a text one by one: of N masked tokens, N of N tokens."""
    tokens, form = question
    if form == "causal":
        yield asked.with_mode_token(left_to_right(tokens), form)
        return
    for at in range(len(tokens)):
        yield _hiding(asked, tokens, at, form)


def _hiding(asked: AskedModel, tokens: Tokens, at: int, form: Form) -> Example:
    shown, weights = tokens.copy(), np.zeros(len(tokens), np.float32)
    shown[at], weights[at] = asked.ids.mask, 1.0
    shift = form == "shifted"
    return predicted_in_place(shown, tokens, weights, asked.ids, shift=shift)


def likelihoods(
    asked: AskedModel, questions: Sequence[Scored]
) -> list[Float[np.ndarray, " N"]]:
    """Log p of each token of each text, in nats."""
    answers = _scores(asked, questions)
    counts = [1 if q.form == "causal" else len(q.tokens) for q in questions]
    return [np.concatenate([next(answers) for _ in range(n)]) for n in counts]


def _scores(
    asked: AskedModel, questions: Sequence[Scored]
) -> Iterator[Shaped[np.ndarray, " predictions"]]:
    """Scores of all Examples in turn; no more than a few batches of them are held."""
    held, size = [], 0
    most = _BATCHES * asked.batch_rows * asked.rows.decoder.slots
    for question in questions:
        for example in examples_of(asked, question):
            held.append(example)
            size += len(question.tokens)
            if size >= most:
                yield from asked.score(held)
                held, size = [], 0
    yield from asked.score(held)


def _answer(
    asked: AskedModel,
    questions: Sequence[Scored],
    form: Form,
    settings: Settings,
    listen: Listen | None,
) -> list[Answer]:
    del settings, listen
    answers = []
    for question, log_p in zip(questions, likelihoods(asked, questions), strict=True):
        fields = {
            "log_likelihood": float(log_p.astype(float).sum()),
            "tokens": len(question.tokens),
            "per_token": [
                [asked.vocab.spell(token), float(value)]
                for token, value in zip(question.tokens.tolist(), log_p, strict=True)
            ],
        }
        alone = next(examples_of(asked, question)) if form == "causal" else None
        answers.append(Answer(fields, form, alone))
    return answers


MODE = Mode(
    name="likelihood",
    about="scores each token of `text`, by causal training or by masks",
    keys=("text",),
    forms=("causal", "masked", "shifted"),
    ask=_ask,
    answer=_answer,
)
