"""Answers that are written one token after another, many rows together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float32, Key

from ...models.decoding.generate import Generated, make_stream
from ...models.decoding.prompts import Prompts, prompts
from ...models.decoding.stop_texts import StopTexts
from ...objectives.example import Example
from .asked import AskedModel
from .marks import Tokens
from .settings import Ended, Settings

Listen = Callable[[str], object]
"""Called with what a text has grown to, as it is written."""

_LEAST = 32
"""Least width that inputs and targets are padded to."""


class Question(NamedTuple):
    """What is asked of the model.

    Attributes:
      number: of the row; its randomness depends on it and the seed alone.
      example: as training lays it out; targets from `given` on are placeholders.
      given: leading targets that are forced.
      most: most tokens to write.
      before: tokens that the answer's text stands behind.
    """

    number: int
    example: Example
    given: int
    most: int
    before: Tokens


class Written(NamedTuple):
    """What the model wrote.

    Attributes:
      tokens: without EOS.
      log_probabilities: of the tokens, and of EOS if it came, in nats.
      text: of the tokens, up to the stop text if one came.
      ended: by EOS, by a stop text, or by its length.
    """

    tokens: Tokens
    log_probabilities: Float32[np.ndarray, " n"]
    text: str
    ended: Ended

    def fields(self) -> dict[str, object]:
        """What an answer says of it."""
        return {
            "text": self.text,
            "tokens": len(self.tokens),
            "log_probability": float(self.log_probabilities.sum()),
            "ended": self.ended,
        }


def write(
    asked: AskedModel,
    questions: Sequence[Question],
    settings: Settings,
    *,
    extra_ids: Sequence[int] = (),
    ends: bool = True,
    turn: int = 0,
    listen: Listen | None = None,
) -> list[Written]:
    """Writes the answers of at most `asked.batch_rows` questions, in one batch.

    A row's answer is a function of the question, its number and the seed, whatever
    stands beside it.

    Args:
      asked: the model.
      questions: at least one.
      settings: of the draws, and the stop texts.
      extra_ids: reserved ids that may be written besides text and EOS.
      ends: whether EOS ends an answer; if not, each has all of its `most` tokens.
      turn: number of times that these rows were asked before: draws differ by it.
      listen: hears of the first row's text as it grows.
    """
    ids, (batch, filled) = asked.ids, batch_of(asked, questions)
    eos = [ids.eos] if ends else []
    before = [q.before for q in filled]
    stops = StopTexts(asked.vocab.decode, settings.stop, before=before)
    stream = make_stream(
        asked.trained.model,
        sampler=settings.sampler,
        bos=ids.bos,
        eos=ids.eos if ends else None,
        pad=ids.pad,
        allowed=asked.allowed(*eos, *extra_ids),
        steps=16 if settings.stop or listen else asked.rows.decoder.slots,
    )
    keys = row_keys(settings.seed, [q.number for q in filled], turn=turn)
    with asked.on_mesh():
        pieces = stream(
            asked.placed(batch), asked.placed(keys), stops if settings.stop else None
        )
        made = None
        for piece in pieces:
            made = piece.generated
            if listen is not None:
                given, end = filled[0].given, made.lengths[0]
                tokens = content(made.targets[0, given:end], ids.eos)
                listen(stops.settled(0, tokens))
    assert made is not None  # rows that are not done have a piece to come
    return read_rows(asked, questions, made, settings)


def row_keys(
    seed: int, numbers: Sequence[int], *, turn: int = 0
) -> Key[jax.Array, " rows"]:
    """A key for each row, a function of the seed, its number and the turn."""
    base = jax.random.fold_in(jax.random.key(seed), turn)
    return jax.vmap(jax.random.fold_in, (None, 0))(base, np.array(numbers, np.uint32))


def batch_of(
    asked: AskedModel, questions: Sequence[Question]
) -> tuple[Prompts, list[Question]]:
    """Questions as prompts, and the questions of its rows.

    A constant number of rows, so that one compiled program serves all: the first
    question, cut short, fills what is left.
    """
    shape, spare = asked.rows, asked.batch_rows - len(questions)
    filled = [*questions, *[questions[0]._replace(most=1)] * spare]
    lengths = [q.given + q.most for q in filled]
    inputs = (shape.encoder or shape.decoder).slots
    batch = prompts(
        [q.example for q in filled],
        given=[q.given for q in filled],
        inputs=_width(max(len(q.example.inputs) for q in filled), inputs),
        targets=_width(max(lengths), shape.decoder.slots),
        lengths=lengths,
    )
    return batch, filled


def read_rows(
    asked: AskedModel,
    questions: Sequence[Question],
    generated: Generated,
    settings: Settings,
) -> list[Written]:
    """What was written in the rows of a batch, up to a stop text."""
    before = [q.before for q in questions]
    stops = StopTexts(asked.vocab.decode, settings.stop, before=before)
    whole = StopTexts(asked.vocab.decode, (), before=before)
    written = []
    for row, question in enumerate(questions):
        free = slice(question.given, int(generated.lengths[row]))
        targets = generated.targets[row, free]
        tokens = content(targets, asked.ids.eos)
        cut = stops.cut(row, tokens)
        ended: Ended = "eos" if len(tokens) < len(targets) else "length"
        if cut.text != whole.cut(row, tokens).text:
            ended, tokens = "stop", tokens[: cut.tokens]
        log_p = generated.log_probabilities[row, free]
        log_p = log_p[: len(tokens) + (ended == "eos")]
        written.append(Written(tokens, log_p, cut.text, ended))
    return written


def content(tokens: Tokens, eos: int) -> Tokens:
    """The tokens without a final EOS."""
    return tokens[:-1] if len(tokens) and tokens[-1] == eos else tokens


def _width(size: int, most: int) -> int:
    """The next power of two, at most `most`: few widths mean few compiled programs."""
    if size == 0:
        return 0
    return min(max(_LEAST, 1 << (size - 1).bit_length()), max(most, size))
