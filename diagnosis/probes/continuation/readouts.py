"""Does B continue A? Read out from pair labels or likelihoods, with calibration."""

import functools
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from ....objectives.example import Example
from ...scores.score import Mean, Score, Statistic, times_drawn
from ..asking.forms import pair
from ..asking.scored import score_of
from ..asking.subject import Subject, cut
from ..choices.items import Item, by_kind
from ..choices.preferences import CHANCE, Baselines, preferences

Readout = Literal["label", "likelihood"]

READOUTS: tuple[Readout, ...] = ("label", "likelihood")

BINS = 10
"""Bins of equal mass for the calibration error."""


def continuation_scores(
    subject: Subject,
    items: Sequence[Item],
    *,
    readout: Readout,
    baselines: Baselines,
    seed: int = 0,
) -> list[Score]:
    """AUC, accuracy and calibration error of the answers, for each negative type.

    "all" takes the types together; its AUC is the mean of the types' AUCs, where
    "further, 2 on" and "further, 3-5 on" are of one type. Each pair of
    an item is a separate question, so each type has equally many positives and
    negatives. The evidence that B continues A, in nats, is

        label       log p(continues) - log p(does not), the objective's own answer
        likelihood  log p(B | A) - log p(B), the pointwise mutual information

    and the answer is "continues" if it is above 0.

    Args:
      subject: the model.
      items: the pairs; `kind` is the negative type.
      readout: source of the answer.
      baselines: values of shallow baselines, by kind.
      seed: of the bootstrap.
    """
    if readout == "label":
        mode, (number, evidence) = "pair", _labelled(subject, items)
    else:
        mode, (number, *pair_scores) = subject.mode, preferences(subject, items)
        evidence = np.stack(pair_scores, axis=1)
    scores = []
    for kind, places, documents in by_kind(items, number):
        values = evidence[places]
        kinds = np.array([items[n].kind.split(",")[0] for n in number[places]], str)
        score = functools.partial(
            score_of,
            subject,
            documents=documents,
            probe=f"continuation, by {readout}",
            kind=kind,
            modes=[mode],
            seed=seed,
        )
        shallow = {"chance": CHANCE, "baselines": baselines.get(kind)}
        scores += [
            score(Auc(values, kinds), metric="AUC", **shallow),
            score(Mean(_right(values)), metric="accuracy", **shallow),
            score(_calibration_of(values), metric="calibration error", better="lower"),
        ]
    return scores


def auc(true: Float[np.ndarray, " N"], false: Float[np.ndarray, " M"]) -> float:
    """The probability that a true pair scores above a false one; ties count half."""
    if not (true.size and false.size):
        return float("nan")
    order = np.sort(false)
    below = np.searchsorted(order, true, side="left")
    upto = np.searchsorted(order, true, side="right")
    return float((below + upto).mean() / (2 * len(false)))


def calibration_error(
    probability: Float[np.ndarray, " N"], truth: Bool[np.ndarray, " N"]
) -> float:
    """Expected calibration error: |mean probability - share true| over bins.

    Bins have equal mass and are weighted by it (Naeini et al. 2015; Nixon et al. 2019).
    Equal probabilities share a bin, so the result does not depend on order. Noise in
    bins makes it positive even for a calibrated model.
    """
    edges = np.quantile(probability, np.arange(1, BINS) / BINS)
    bins = np.searchsorted(edges, probability, side="right")
    gaps = np.abs(np.bincount(bins, weights=probability - truth))
    return float(gaps.sum() / len(probability))


Evidence = Float[np.ndarray, "N 2"]
"""The evidence for the true pair and for the false pair of each item."""


class Auc(NamedTuple):
    """The mean over kinds of items of the AUC of each.

    Attributes:
      evidence: of the items.
      kinds: the kind of each item, [N].
    """

    evidence: Evidence
    kinds: Shaped[np.ndarray, " N"]

    def __call__(self, items: Int[np.ndarray, " n"]) -> float:
        evidence, kinds = self.evidence[items], self.kinds[items]
        parts = [evidence[kinds == kind] for kind in np.unique(self.kinds)]
        return float(np.mean([auc(part[:, 0], part[:, 1]) for part in parts]))

    def resampled(
        self, which: Int[np.ndarray, " N"], chosen: Int[np.ndarray, "R D"]
    ) -> Float[np.ndarray, " R"]:
        """As `auc` of every resample, with how often each item was drawn as weights."""
        parts, drawn = [], times_drawn(which, chosen)
        for kind in np.unique(self.kinds):
            of_kind = self.kinds == kind
            true, false = self.evidence[of_kind].T
            weights = drawn[:, of_kind]
            order = np.argsort(false)
            ranked = np.cumsum(weights[:, order], axis=1)
            ranked = np.pad(ranked, ((0, 0), (1, 0)))
            below = ranked[:, np.searchsorted(false[order], true, side="left")]
            upto = ranked[:, np.searchsorted(false[order], true, side="right")]
            wins, total = (weights * (below + upto)).sum(1), weights.sum(1)
            none = np.full(len(chosen), np.nan)
            parts.append(np.divide(wins, 2 * total**2, out=none, where=total > 0))
        return np.mean(parts, axis=0)


def _right(evidence: Evidence) -> Float[np.ndarray, " N"]:
    """The share of each item's two answers that is right; undecided counts half."""
    return (np.sign(evidence * [1, -1]) + 1).mean(1) / 2


def _calibration_of(evidence: Evidence) -> Statistic:
    probability = 0.5 * (1 + np.tanh(evidence / 2))
    truth = np.broadcast_to([True, False], evidence.shape)
    return lambda items: calibration_error(
        probability[items].ravel(), truth[items].ravel()
    )


def _labelled(
    subject: Subject, items: Sequence[Item]
) -> tuple[Int[np.ndarray, " N"], Evidence]:
    """Answers for items whose pairs fit uncut; a cut would change the question."""
    ids = subject.vocab.special_ids
    kept: list[int] = []
    examples: list[Example] = []
    for n, item in enumerate(items):
        questions = [
            subject.with_mode_token(pair(*tokens, ids, label=label), "pair")
            for tokens in (
                cut(subject.vocab, item.true),
                cut(subject.vocab, item.false),
            )
            for label in (1, 0)
        ]
        if all(subject.overflow(example) <= 0 for example in questions):
            kept.append(n)
            examples += questions
    sums = [float(answer.sum()) for answer in subject.score(examples)]
    answers = np.array(sums).reshape(-1, 2, 2)
    return np.array(kept, np.int64), answers[:, :, 0] - answers[:, :, 1]
