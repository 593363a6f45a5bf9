"""The model under test, as probes see it."""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ....models.build import Model
from ....models.rows import Capacity, RowShape
from ....objectives.errors import UsageError
from ....objectives.example import Example
from ....objectives.mode import ShownMode, show_mode
from ....objectives.special_ids import reserved_ids
from ....tasks.rows.layout import capacities, layout
from ....tasks.tokens.vocabulary import Vocabulary
from .forms import MODES, Mode, Pair, Tokens, going_on
from .scoring import Answers, make_answers


class Subject(NamedTuple):
    """A model under test.

    Attributes:
      model: of either architecture.
      score: log-probabilities of supervised tokens (`scoring.make_answers`).
      guess: the most probable tokens in their place.
      shape: of rows as long as those of training.
      vocab: its vocabulary.
      mode: in which it is asked to continue a text.
      trained: share of its training Examples in each mode; empty if unknown.
      mode_tokens: the mode token of its training Examples, by mode.
    """

    model: Model
    score: Answers
    guess: Answers
    shape: RowShape
    vocab: Vocabulary
    mode: Mode
    trained: Mapping[str, float]
    mode_tokens: Mapping[str, ShownMode] = {}

    def trains(self, mode: str) -> bool:
        """Whether its mixture trains a mode."""
        return self.trained.get(mode, 0.0) > 0

    def with_mode_token(self, example: Example, mode: str) -> Example:
        """The Example with the mode token that training used in this mode.

        A model that always saw it depends on it (UL2, Tay et al. 2022, §3.1.2).
        """
        ids = self.vocab.special_ids
        return show_mode(example, ids, mode=self.mode_tokens.get(mode, "none"))

    def continuation_examples(self, before: Tokens, after: Tokens) -> list[Example]:
        """The Examples that score `after` following `before`, in its mode."""
        ids = self.vocab.special_ids
        return [
            self.with_mode_token(example, self.mode)
            for example in going_on(self.mode, before, after, ids)
        ]

    def overflow(self, example: Example) -> int:
        """By how much an Example exceeds a row; 0 or less if it fits."""
        place = layout(self.shape, bos=self.vocab.special_ids.bos)
        sizes = np.array(place(example).sizes)
        return int((sizes - capacities(self.shape)).max())

    @property
    def slots(self) -> int:
        """Slots of a row; for an encoder–decoder, of the shorter stream of its mode.

        A stream that holds none of the text, as the encoder in causal mode, may be as
        short as one slot.
        """
        if self.shape.encoder is None:
            return self.shape.decoder.slots
        some, ids = np.zeros(1, np.int32), self.vocab.special_ids
        example = going_on(self.mode, some, some, ids)[0]
        parts = (
            (self.shape.encoder, example.inputs),
            (self.shape.decoder, example.targets),
        )
        return min(stream.slots for stream, part in parts if len(part))


def subject(
    model: Model,
    shape: RowShape,
    vocab: Vocabulary,
    *,
    trained: Mapping[str, float],
    mode_tokens: Mapping[str, ShownMode] | None = None,
    mode: Mode | None = None,
    batch_rows: int = 8,
) -> Subject:
    """A model as probes see it; its scoring is compiled at first use.

    Args:
      model: either architecture.
      shape: of the rows that it was trained on.
      vocab: its vocabulary.
      trained: share of its training Examples in each mode.
      mode_tokens: the mode token of these Examples, by mode.
      mode: in which to query it; None for the first of `MODES` that it was trained in,
        or "causal".
      batch_rows: rows in a batch.

    Raises:
      ValueError: the model has fewer ids than the vocabulary, so that some, such as
        the labels of pairs, mean nothing to it.
    """
    require_ids(model, vocab)
    shape = scoring_rows(shape)
    answers = functools.partial(
        make_answers, model, shape, bos=vocab.special_ids.bos, batch_rows=batch_rows
    )
    return Subject(
        model,
        answers(answer="log-probability"),
        answers(answer="guess"),
        shape,
        vocab,
        mode or best_mode(trained),
        trained,
        mode_tokens or {},
    )


def best_mode(trained: Mapping[str, float]) -> Mode:
    """The first of `MODES` that was trained, or "causal"."""
    known: list[Mode] = [mode for mode in MODES if trained.get(mode, 0.0) > 0]
    return known[0] if known else "causal"


def scoring_rows(shape: RowShape) -> RowShape:
    """Rows of as many slots, each of which may predict."""
    full = [
        None if stream is None else Capacity(stream.slots, stream.slots)
        for stream in (shape.decoder, shape.encoder)
    ]
    assert full[0] is not None
    return RowShape(full[0], full[1])


def require_ids(model: Model, vocab: Vocabulary) -> None:
    """Refuses a model whose table lacks ids of the vocabulary.

    Raises:
      ValueError: naming the first reserved ids that are missing.
    """
    known = model.projection().shape[0]
    if known >= vocab.size:
        return
    labels = [i for i in reserved_ids(vocab.special_ids)["labels"] if i >= known]
    lacks = f"label tokens {labels}" if labels else f"ids from {known} on"
    raise UsageError(
        f"the model's table has {known} ids, but vocabulary {vocab.name!r} has "
        f"{vocab.size}: it lacks {lacks}. Give the vocabulary that the model was "
        "trained with (Mixture.vocabulary), or probe another checkpoint."
    )


def cut(vocab: Vocabulary, pair: Pair) -> tuple[Tokens, Tokens]:
    """The tokens of a pair, split where those of the first text alone differ.

    The texts are tokenised as one; tokens that span the boundary go to the second.
    """
    first, both = vocab.encode(pair[0]), vocab.encode(pair[0] + pair[1])
    shorter = min(len(first), len(both))
    differing = np.flatnonzero(first[:shorter] != both[:shorter])
    boundary = int(differing[0]) if differing.size else shorter
    return both[:boundary], both[boundary:]


def fitted(
    subject: Subject, before: Tokens, after: Tokens
) -> tuple[Tokens, Tokens] | None:
    """The pair with `before` cut from the left to fit; None if it cannot."""
    while True:
        (example, *_) = subject.continuation_examples(before, after)
        excess = subject.overflow(example)
        if excess <= 0:
            return before, after
        if not len(before):
            return None
        # Half: a token to restore takes two slots of a decoder row.
        before = before[max(1, excess // 2) :]
