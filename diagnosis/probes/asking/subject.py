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
from ....tasks.rows.layout import capacities, layout
from ....tasks.tokens.vocabulary import Vocabulary
from .forms import MODES, Mode, Pair, Tokens, going_on
from .scoring import Answers, make_answers


class Subject(NamedTuple):
    """A model under test.

    Attributes:
      model: of either architecture.
      score: log-probabilities of what Examples ask for (`scoring.make_answers`).
      guess: the tokens that it finds most probable there.
      shape: of the rows that Examples are laid into; as long as those of training.
      vocab: its vocabulary.
      mode: in which it is asked how a text goes on.
      trained: the share of its training Examples in each mode; empty: not known.
      mode_tokens: the mode token that its training Examples show, by mode.
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
        """The Example with the mode token that training showed in this mode.

        A model that saw it every time needs it (UL2, Tay et al. 2022, §3.1.2).
        """
        ids = self.vocab.special_ids
        return show_mode(example, ids, mode=self.mode_tokens.get(mode, "none"))

    def continuation_examples(self, before: Tokens, after: Tokens) -> list[Example]:
        """How it is asked for `after` behind `before`: `going_on` in its mode."""
        ids = self.vocab.special_ids
        return [
            self.with_mode_token(example, self.mode)
            for example in going_on(self.mode, before, after, ids)
        ]

    def overflow(self, example: Example) -> int:
        """By how much an Example is more than a row holds; 0 or less where it fits."""
        place = layout(self.shape, bos=self.vocab.special_ids.bos)
        sizes = np.array(place(example).sizes)
        return int((sizes - capacities(self.shape)).max())

    @property
    def slots(self) -> int:
        """Of a row; of an encoder–decoder's two streams those of the shorter one."""
        streams = (self.shape.decoder, self.shape.encoder)
        return min(stream.slots for stream in streams if stream)


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
    """A model as probes see it; its scoring is compiled when it is first used.

    Args:
      model: either architecture.
      shape: of the rows that it was trained on.
      vocab: its vocabulary.
      trained: the share of its training Examples in each mode.
      mode_tokens: the mode token that they show, by mode; None is none.
      mode: in which to ask it; the first of `MODES` that it was trained in unless
        told, "causal" where there is none.
      batch_rows: rows scored at a time.

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
    """The first of `MODES` that was trained; "causal" where none was."""
    known: list[Mode] = [mode for mode in MODES if trained.get(mode, 0.0) > 0]
    return known[0] if known else "causal"


def scoring_rows(shape: RowShape) -> RowShape:
    """Rows of as many slots, in which every slot can be asked."""
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
    ids = vocab.special_ids
    labels = [id_ for id_ in ids.labels if id_ >= known]
    lacks = f"label tokens {labels}" if labels else f"ids from {known} on"
    raise UsageError(
        f"the model's table has {known} ids, but vocabulary {vocab.name!r} has "
        f"{vocab.size}: it lacks {lacks}. Give the vocabulary that the model was "
        "trained with (Mixture.vocabulary), or probe another checkpoint."
    )


def cut(vocab: Vocabulary, pair: Pair) -> tuple[Tokens, Tokens]:
    """The tokens of a pair, cut where those of the first text alone end to agree.

    The texts are tokenised as one; what the boundary changes belongs to the second.
    """
    first, both = vocab.encode(pair[0]), vocab.encode(pair[0] + pair[1])
    shorter = min(len(first), len(both))
    differing = np.flatnonzero(first[:shorter] != both[:shorter])
    boundary = int(differing[0]) if differing.size else shorter
    return both[:boundary], both[boundary:]


def fitted(
    subject: Subject, before: Tokens, after: Tokens
) -> tuple[Tokens, Tokens] | None:
    """The pair with `before` cut from its left to what rows hold; None: no room.

    No more of it is cut than must be.
    """

    def overflow(before: Tokens) -> int:
        return subject.overflow(subject.continuation_examples(before, after)[0])

    while (excess := overflow(before)) > 0:
        if not len(before):
            return None
        # Half, for a token that is restored takes two slots of a decoder's row.
        before = before[max(1, excess // 2) :]
    return before, after
