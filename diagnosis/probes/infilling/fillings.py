"""Does a model fill a blank with what the text after it says?"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from ...scores.score import Failure, Mean, Score
from ..asking.forms import Tokens
from ..asking.scored import score_of
from ..asking.subject import Subject
from ..choices.items import Item, by_kind
from ..choices.preferences import CHANCE, Baselines, likelihoods
from .filling_forms import FILLING_MODES, FillingMode, filling_in

FROM_THE_LEFT, WHOLE_TEXT = "filled from the left", "by the whole text"


class Filled(NamedTuple):
    """A blank with a filling, as tokens.

    Attributes:
      left: text before the blank.
      filling: text in it.
      right: text after it.
    """

    left: Tokens
    filling: Tokens
    right: Tokens


Likelihood = Callable[[Subject, Sequence[Filled]], Float64[np.ndarray, " N"]]
"""How likely each filling is in its place, in nats."""


def infilling_scores(
    subject: Subject,
    items: Sequence[Item],
    *,
    failure: Failure,
    baselines: Baselines,
    probe: str = "infilling pairs",
    seed: int = 0,
) -> list[Score]:
    """The share of blanks for which a model prefers the true filling.

    First in the way in which the model would fill the blank:

        both sides in sight   s(filling | left, right) - s(filling | left)
        past alone            s(filling | left)

    the former, pointwise mutual information with the text on the right, if it trains
    any of `FILLING_MODES`; the latter, which is what a strictly-past model writes, if
    not. Then, as a control or as what such a model could still tell:

        "filled from the left"   s(filling | left), of a model that sees both sides: it
                                 must be at chance, as nothing on the left tells
        "by the whole text"      s(right | left, filling), of a strictly-past model: by
                                 Bayes' rule the same information, but as a judgement of
                                 fillings that something else proposes

    Args:
      subject: the model.
      items: as of `infilling_pairs`.
      failure: that the probe is about.
      baselines: accuracy of shallow baselines by kind, with all items under "all".
      probe: its name.
      seed: of the bootstrap.
    """
    mode = filling_mode(subject)
    ways: list[tuple[str, str, Likelihood]]
    if mode:
        in_place = _from_both_sides(mode)
        ways = [
            (probe, mode, in_place),
            (f"{probe}, {FROM_THE_LEFT}", subject.mode, _from_the_left),
        ]
    else:
        ways = [
            (probe, subject.mode, _from_the_left),
            (f"{probe}, {WHOLE_TEXT}", subject.mode, _of_what_follows),
        ]
    kept, fillings = _fitting(subject, items, mode)
    scores: list[Score] = []
    for name, asked, likelihood in ways:
        values = likelihood(subject, fillings).reshape(-1, 2)
        wins = (np.sign(values[:, 0] - values[:, 1]) + 1) / 2
        scores += [
            score_of(
                subject,
                Mean(wins[places]),
                documents,
                failure=failure,
                probe=name,
                kind=kind,
                metric="accuracy",
                modes=[asked],
                chance=CHANCE,
                baselines=baselines.get(kind),
                seed=seed,
            )
            for kind, places, documents in by_kind(items, kept)
        ]
    return scores


def filling_mode(subject: Subject) -> FillingMode | None:
    """The first of `FILLING_MODES` that was trained; None of a strictly-past model."""
    return next((mode for mode in FILLING_MODES if subject.trains(mode)), None)


def blanked(subject: Subject, item: Item) -> tuple[Filled, Filled]:
    """Both fillings of an item, with the same tokens on either side.

    Tokens that span the border of the blank belong to the filling.
    """
    encode = subject.vocab.encode
    texts = [encode("".join(pair)) for pair in (item.true, item.false)]
    after = item.true[1]
    left, right = encode(item.true[0]), encode(after[len(after) - item.right :])
    begin = min(_common(left, text) for text in texts)
    end = min(_common(right[::-1], text[::-1]) for text in texts)
    # A filling has a token at least, also where one text is the other's beginning.
    end = min(end, *(len(text) - begin - 1 for text in texts))
    true, false = (
        Filled(text[:begin], text[begin : len(text) - end], text[len(text) - end :])
        for text in texts
    )
    return true, false


def _common(first: Tokens, second: Tokens) -> int:
    """Number of tokens with which both begin."""
    shorter = min(len(first), len(second))
    differing = np.flatnonzero(first[:shorter] != second[:shorter])
    return int(differing[0]) if differing.size else shorter


def _fitting(
    subject: Subject, items: Sequence[Item], mode: FillingMode | None
) -> tuple[Int64[np.ndarray, " N"], list[Filled]]:
    """The items that fit rows with all of their right side, and their fillings.

    The left side is cut from the left as far as need be, in both alike.
    """
    kept: list[int] = []
    fillings: list[Filled] = []
    for number, item in enumerate(items):
        pair = _cut(subject, blanked(subject, item), mode)
        if pair:
            kept.append(number)
            fillings += pair
    return np.array(kept, np.int64), fillings


def _cut(
    subject: Subject, pair: tuple[Filled, Filled], mode: FillingMode | None
) -> list[Filled] | None:
    """The pair with as much of the left side as fits; None if the rest does not."""
    left = pair[0].left
    while True:
        shorter = [filled._replace(left=left) for filled in pair]
        excess = max(_excess(subject, filled, mode) for filled in shorter)
        if excess <= 0:
            return shorter
        if not len(left):
            return None
        left = left[max(1, excess // 2) :]


def _excess(subject: Subject, filled: Filled, mode: FillingMode | None) -> int:
    """By how much the longest question about a filling exceeds a row."""
    text = np.concatenate(filled[1:])
    questions = subject.continuation_examples(filled.left, text)
    if mode:
        questions += filling_in(mode, *filled, subject.vocab.special_ids)[:1]
    return max(map(subject.overflow, questions))


def _from_both_sides(mode: FillingMode) -> Likelihood:
    """How much likelier the text on the right makes a filling, asked in a mode."""

    def likelihood(
        subject: Subject, fillings: Sequence[Filled]
    ) -> Float64[np.ndarray, " N"]:
        ids = subject.vocab.special_ids
        both = [*fillings, *(f._replace(right=f.right[:0]) for f in fillings)]
        groups = [
            [
                subject.with_mode_token(example, mode)
                for example in filling_in(mode, *filled, ids)
            ]
            for filled in both
        ]
        answers = iter(subject.score([x for group in groups for x in group]))
        sums = [sum(float(next(answers).sum()) for _ in group) for group in groups]
        seen, alone = np.array(sums).reshape(2, -1)
        return seen - alone

    return likelihood


def _from_the_left(
    subject: Subject, fillings: Sequence[Filled]
) -> Float64[np.ndarray, " N"]:
    """`s(filling | left)` in the mode in which the model goes on."""
    return np.array(likelihoods(subject, [(f.left, f.filling) for f in fillings]))


def _of_what_follows(
    subject: Subject, fillings: Sequence[Filled]
) -> Float64[np.ndarray, " N"]:
    """`s(right | left filling)` in the mode in which the model goes on."""
    pairs = [(np.concatenate(f[:2]), f.right) for f in fillings]
    return np.array(likelihoods(subject, pairs))
