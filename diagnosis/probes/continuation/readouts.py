"""Does B continue A? By the label of pairs, by likelihood, and how well calibrated."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from ....tasks.rows.layout import capacities, layout
from ...scores.score import Score, Statistic, bootstrap
from ..asking.forms import pair
from ..asking.subject import Subject, Tokens, cut
from ..choices.items import Item
from ..choices.preferences import preferences
from ..choices.preferred import CHANCE, Baselines

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
    number, evidence = (_labelled if readout == "label" else _likelihood)(
        subject, items
    )
    kinds = np.array([items[n].kind for n in number], dtype=object)
    documents = np.array([items[n].document for n in number], np.int64)
    mode = "pair" if readout == "label" else subject.mode
    scores = []
    for kind in ("all", *dict.fromkeys(item.kind for item in items)):
        mine = np.ones(len(kinds), bool) if kind == "all" else kinds == kind
        asked = evidence[mine]
        for metric, statistic, chance in (
            ("AUC", _auc_of(asked, kinds[mine]), CHANCE),
            ("accuracy", _accuracy_of(asked), CHANCE),
            ("calibration error", _calibration_of(asked), None),
        ):
            value, low, high = bootstrap(statistic, documents[mine], seed=seed)
            scores.append(
                Score(
                    failure="continuation",
                    probe=f"continuation, by {readout}",
                    kind=kind,
                    metric=metric,
                    value=value,
                    low=low,
                    high=high,
                    chance=chance,
                    better="lower" if chance is None else "higher",
                    mode=mode,
                    trained=subject.knows(mode),
                    baselines={} if chance is None else baselines.get(kind, {}),
                    items=int(mine.sum()),
                    documents=len(set(documents[mine].tolist())),
                )
            )
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
    names, which = np.unique(kinds.astype(str), return_inverse=True)

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


def _likelihood(
    subject: Subject, items: Sequence[Item]
) -> tuple[Int[np.ndarray, " N"], Evidence]:
    found = preferences(subject, items)
    return found.item, np.stack([found.true, found.false], axis=1)


def _labelled(
    subject: Subject, items: Sequence[Item]
) -> tuple[Int[np.ndarray, " N"], Evidence]:
    texts = [
        (cut(subject.words, item.true), cut(subject.words, item.false))
        for item in items
    ]
    has_room = _room(subject)
    kept = [n for n, pairs in enumerate(texts) if all(map(has_room, pairs))]
    ids = subject.words.special_ids
    asked = [
        subject.showing(pair(*tokens, ids, label=label), "pair")
        for n in kept
        for tokens in texts[n]
        for label in (1, 0)
    ]
    answers = np.array([float(a.sum()) for a in subject.score(asked)]).reshape(-1, 2, 2)
    return np.array(kept, np.int64), answers[:, :, 0] - answers[:, :, 1]


def _room(subject: Subject) -> Callable[[tuple[Tokens, Tokens]], bool]:
    """Tells whether rows hold a pair whole; cut, it would be another question."""
    ids = subject.words.special_ids
    place = layout(subject.shape, bos=ids.bos)
    room = np.array(capacities(subject.shape))

    def has_room(tokens: tuple[Tokens, Tokens]) -> bool:
        example = subject.showing(pair(*tokens, ids, label=1), "pair")
        return bool((np.array(place(example).sizes) <= room).all())

    return has_room
