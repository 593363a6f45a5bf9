"""Which of two texts a model prefers, with the prior of each removed."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from ...scores.score import Mean, Score
from ..asking.forms import Pair
from ..asking.scored import score_of
from ..asking.subject import Subject, Tokens, cut, fitted
from .items import Item, by_kind

Prior = Literal["removed", "kept"]

Baselines = Mapping[str, Mapping[str, float]]
"""Values of shallow baselines by kind of item and name."""

CHANCE = 0.5


def preference_scores(
    subject: Subject,
    items: Sequence[Item],
    *,
    probe: str,
    baselines: Baselines,
    prior: Prior = "removed",
    better: Literal["higher", "lower"] = "higher",
    seed: int = 0,
) -> list[Score]:
    """The share of items whose true pair is preferred, overall and by kind.

    Args:
      subject: the model.
      items: the choices.
      probe: its name.
      baselines: accuracy of shallow baselines by kind, with all items under "all".
      prior: whether a text's own likelihood is subtracted (`preferences`).
      better: "lower" reports the share whose false pair is preferred instead, as
        jump-ahead does.
      seed: of the bootstrap.
    """
    preferred = preferences(subject, items, prior=prior)
    if better == "higher":
        wins, metric = preferred.wins, "accuracy"
    else:
        wins, metric = 1 - preferred.wins, "share that jumps"
        baselines = {
            kind: {name: 1 - share for name, share in shallow.items()}
            for kind, shallow in baselines.items()
        }
    return [
        score_of(
            subject,
            Mean(wins[places]),
            documents,
            probe=probe,
            kind=kind,
            metric=metric,
            modes=[subject.mode],
            better=better,
            chance=CHANCE,
            baselines=baselines.get(kind),
            seed=seed,
        )
        for kind, places, documents in by_kind(items, preferred.item)
    ]


class Preferences(NamedTuple):
    """Scores of the items that fit the model's rows.

    Attributes:
      item: index of each item.
      true: score of its true pair, in nats.
      false: score of its false pair.
    """

    item: Int64[np.ndarray, " N"]
    true: Float64[np.ndarray, " N"]
    false: Float64[np.ndarray, " N"]

    @property
    def wins(self) -> Float64[np.ndarray, " N"]:
        """1 where the true pair is preferred, .5 at a tie."""
        return (np.sign(self.true - self.false) + 1) / 2


def preferences(
    subject: Subject, items: Sequence[Item], *, prior: Prior = "removed"
) -> Preferences:
    """Scores both pairs of each item: `s(after | before) - s(after | local)`.

    This is the pointwise mutual information of the two texts, so a text that is
    likelier by itself has no advantage. `s` sums log-probabilities; `local` is the
    begun sentence before `after` (`Item.local`), usually empty. `before` is cut from
    the left to fit rows; items whose `Item.needed` would be cut, or whose `after` does
    not fit, are left out.

    Args:
      subject: the model.
      items: the choices.
      prior: "kept" omits `s(after | local)`, for items without `before`.
    """
    contexts = 1 if prior == "kept" else 2
    kept: list[int] = []
    pairs: list[tuple[Tokens, Tokens]] = []
    for number, item in enumerate(items):
        fits = [_fit(subject, pair, item) for pair in (item.true, item.false)]
        complete = [pair for pair in fits if pair is not None]
        if len(complete) < 2:
            continue
        kept.append(number)
        for before, after, local in complete:
            alone = before[len(before) - local :]
            pairs += [(before, after), (alone, after)][:contexts]
    scores = np.array(likelihoods(subject, pairs), float).reshape(-1, 2, contexts)
    sums = scores[..., 0] - scores[..., 1:].sum(axis=-1)
    return Preferences(np.array(kept, np.int64), sums[:, 0], sums[:, 1])


def likelihoods(
    subject: Subject, pairs: Sequence[tuple[Tokens, Tokens]]
) -> list[float]:
    """`s(after | before)` of each pair, in nats, in the subject's mode."""
    examples = [subject.continuation_examples(*pair) for pair in pairs]
    answers = iter(subject.score([example for group in examples for example in group]))
    return [sum(float(next(answers).sum()) for _ in group) for group in examples]


def _fit(subject: Subject, pair: Pair, item: Item) -> tuple[Tokens, Tokens, int] | None:
    """`before` and `after`, cut to fit, and the number of local tokens."""
    before, after = cut(subject.vocab, pair)

    fit = fitted(subject, before, after)
    if fit is None or len(fit[0]) < _last(subject, pair, before, item.needed):
        return None
    return *fit, min(_last(subject, pair, before, item.local), len(fit[0]))


def _last(subject: Subject, pair: Pair, before: Tokens, characters: int) -> int:
    """Number of tokens of `before` that reach into its last characters."""
    at = len(pair[0]) - characters
    outside = cut(subject.vocab, (pair[0][:at], pair[0][at:] + pair[1]))[0]
    return len(before) - len(outside)
