"""Does B continue A? By the label of pairs, by likelihood, and how well calibrated."""

import functools
from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from ....objectives.example import Example
from ...scores.score import Score, Statistic
from ..asking.forms import pair
from ..asking.scored import score_of
from ..asking.subject import Subject, cut
from ..choices.items import Item, by_kind
from ..choices.preferences import CHANCE, Baselines, preferences

Readout = Literal["label", "likelihood"]

READOUTS: tuple[Readout, ...] = ("label", "likelihood")

BINS = 10
"""Of the calibration error: as many answers in each."""


def continuation_scores(
    subject: Subject,
    items: Sequence[Item],
    *,
    readout: Readout,
    baselines: Baselines,
    seed: int = 0,
) -> list[Score]:
    """AUC, accuracy and calibration error of the answers, for each negative type.

    Those of "all" are of the types together; their AUC is the mean of the types' AUCs.
    Every pair of an item is a question of its own, so that each type has as many that
    continue as not. Evidence that B continues A, in nats, is

        label       log p(continues) - log p(does not), the objective's own answer
        likelihood  log p(B | A) - log p(B): the log-odds that B was drawn after A
                    rather than by itself

    and the answer is "continues" where it is above 0.

    Args:
      subject: the model.
      items: the pairs; `kind` is the negative type.
      readout: how it is asked.
      baselines: of shallow baselines, by kind.
      seed: of the bootstrap.
    """
    if readout == "label":
        mode, (number, evidence) = "pair", _labelled(subject, items)
    else:
        mode, preferred = subject.mode, preferences(subject, items)
        number, evidence = (
            preferred.item,
            np.stack([preferred.true, preferred.false], axis=1),
        )
    scores = []
    for kind, places, documents in by_kind(items, number):
        values = evidence[places]
        kinds = np.array([items[n].kind for n in number[places]], str)
        score = functools.partial(
            score_of,
            subject,
            documents=documents,
            failure="continuation",
            probe=f"continuation, by {readout}",
            kind=kind,
            modes=[mode],
            seed=seed,
        )
        shallow = {"chance": CHANCE, "baselines": baselines.get(kind)}
        scores += [
            score(_auc_of(values, kinds), metric="AUC", **shallow),
            score(_accuracy_of(values), metric="accuracy", **shallow),
            score(_calibration_of(values), metric="calibration error", better="lower"),
        ]
    return scores


def auc(true: Float[np.ndarray, " N"], false: Float[np.ndarray, " M"]) -> float:
    """The chance that a true one scores above a false one; a tie counts half."""
    if not (true.size and false.size):
        return float("nan")
    order = np.sort(false)
    below = np.searchsorted(order, true, side="left")
    upto = np.searchsorted(order, true, side="right")
    return float((below + upto).mean() / (2 * len(false)))


def calibration_error(
    probability: Float[np.ndarray, " N"], truth: Bool[np.ndarray, " N"]
) -> float:
    """Mean distance between the probability said and the share that is true.

    Over bins of as many answers each, weighted by them (Naeini et al. 2015; equal mass
    as in Nixon et al. 2019). Answers that are said alike share a bin, so their order
    is no matter. Even a calibrated model has some, by the bins' noise.
    """
    edges = np.quantile(probability, np.arange(1, BINS) / BINS)
    bins = np.searchsorted(edges, probability, side="right")
    gaps = np.abs(np.bincount(bins, weights=probability - truth))
    return float(gaps.sum() / len(probability))


Evidence = Float[np.ndarray, "N 2"]
"""Of each item, the evidence for its true pair and for its false one."""


def _auc_of(evidence: Evidence, kinds: Shaped[np.ndarray, " N"]) -> Statistic:
    """The mean over the kinds of the AUC of each."""
    names, which = np.unique(kinds, return_inverse=True)

    def statistic(items: Int[np.ndarray, " n"]) -> float:
        parts = [items[which[items] == kind] for kind in range(len(names))]
        return float(np.mean([auc(evidence[p, 0], evidence[p, 1]) for p in parts]))

    return statistic


def _accuracy_of(evidence: Evidence) -> Statistic:
    right = (np.sign(evidence * [1, -1]) + 1) / 2
    return lambda items: float(right[items].mean())


def _calibration_of(evidence: Evidence) -> Statistic:
    probability = 0.5 * (1 + np.tanh(evidence / 2))
    truth = np.broadcast_to([True, False], evidence.shape)
    return lambda items: calibration_error(
        probability[items].ravel(), truth[items].ravel()
    )


def _labelled(
    subject: Subject, items: Sequence[Item]
) -> tuple[Int[np.ndarray, " N"], Evidence]:
    """Of items whose pairs all have room whole; cut, they would be other questions."""
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
    answers = np.array([float(a.sum()) for a in subject.score(examples)]).reshape(
        -1, 2, 2
    )
    return np.array(kept, np.int64), answers[:, :, 0] - answers[:, :, 1]
