"""Whether a second text continues a first.

`sentence_pair` training answers with a label: `continues` is the probability of the
positive one among the two. Training that continues texts answers by likelihood:
`log p(second | first) - log p(second)`, in nats, which is above 0 where the first text
makes the second more likely (pointwise mutual information). Texts that no space parts
are taken as words apart: the second is read as behind a space.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...objectives.causal import left_to_right
from ...objectives.errors import UsageError
from ...objectives.example import Example
from ...objectives.prefix import cut_at
from ...objectives.sentence_pair import labelled
from .asked import AskedModel
from .marks import Tokens, encode_inside, encode_pieces
from .mode import Answer, Mode, Row, text_of
from .settings import Settings
from .trained_forms import Form
from .writing import Listen


class Asked(NamedTuple):
    """A pair as its Examples: of both labels, or after the first text and alone."""

    examples: tuple[Example, Example]


def _ask(
    asked: AskedModel, row: Row, number: int, form: Form, settings: Settings
) -> Asked:
    del number, settings
    (first,) = encode_pieces(asked.vocab, text_of(row, "first"), None)
    encode_pieces(asked.vocab, text_of(row, "second"), None)  # refuses reserved names
    if not row["first"] or not row["second"]:
        raise UsageError("a text of the pair is empty; give both.")
    apart = not (row["first"][-1:].isspace() or row["second"][:1].isspace())
    second = encode_inside(asked.vocab, " " * apart + row["second"])
    if form == "pair":
        pair = [
            labelled(first, second, asked.ids, continues=continues)
            for continues in (True, False)
        ]
    else:
        pair = [_after(first, second, form), _after(first[:0], second, form)]
    shown = [
        asked.require_fits(asked.with_mode_token(each, form), "the pair")
        for each in pair
    ]
    return Asked((shown[0], shown[1]))


def _after(first: Tokens, second: Tokens, form: Form) -> Example:
    """The Example that predicts the second text after the first."""
    text = np.concatenate([first, second])
    if form == "prefix":
        return cut_at(text, len(first))
    weights = (np.arange(len(text)) >= len(first)).astype(np.float32)
    return left_to_right(text)._replace(targets_weights=weights)


def _answer(
    asked: AskedModel,
    questions: Sequence[Asked],
    form: Form,
    settings: Settings,
    listen: Listen | None,
) -> list[Answer]:
    del settings, listen
    scores = iter(asked.score([e for q in questions for e in q.examples]))
    answers = []
    for question in questions:
        one, other = (float(next(scores).astype(float).sum()) for _ in range(2))
        if form == "pair":
            fields = {"continues": float(np.exp(one - np.logaddexp(one, other)))}
        else:
            fields = {
                "log_likelihood": one,
                "log_likelihood_ratio": one - other,
            }
        answers.append(Answer(fields, form, question.examples[0]))
    return answers


MODE = Mode(
    name="pairs",
    about="scores whether `second` continues `first`, by its label or by likelihood",
    keys=("first", "second"),
    forms=("pair", "causal", "prefix"),
    ask=_ask,
    answer=_answer,
)
