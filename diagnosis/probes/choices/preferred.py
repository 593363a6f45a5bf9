"""Scores of a preference probe: how often a model prefers what the document says."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from ...scores.score import Failure, Mean, Score, bootstrap
from ..asking.subject import Subject
from .items import Item
from .preferences import Prior, preferences

Baselines = Mapping[str, Mapping[str, float]]
"""Of each kind of item, what each shallow baseline has on it."""

CHANCE = 0.5


def preference_scores(
    subject: Subject,
    items: Sequence[Item],
    *,
    failure: Failure,
    probe: str,
    baselines: Baselines,
    prior: Prior = "removed",
    better: Literal["higher", "lower"] = "higher",
    seed: int = 0,
) -> list[Score]:
    """The share of items whose true pair is preferred, for all and for each kind.

    Args:
      subject: the model.
      items: the choices.
      failure: that the probe is about.
      probe: its name.
      baselines: accuracy of shallow baselines on all of the items, by kind; that of all
        items is under "all".
      prior: whether a text's own likelihood is taken away (`preferences`).
      better: "lower" reports the share whose false pair is preferred, as jump-ahead
        does.
      seed: of the bootstrap.
    """
    found = preferences(subject, items, prior=prior)
    wins = found.wins if better == "higher" else 1 - found.wins
    kinds = np.array([items[n].kind for n in found.item], dtype=object)
    documents = np.array([items[n].document for n in found.item], np.int64)
    scores = []
    for kind in ("all", *dict.fromkeys(item.kind for item in items)):
        mine = np.ones(len(kinds), bool) if kind == "all" else kinds == kind
        value, low, high = bootstrap(Mean(wins[mine]), documents[mine], seed=seed)
        shallow = baselines.get(kind, {})
        scores.append(
            Score(
                failure=failure,
                probe=probe,
                kind=kind,
                metric="accuracy" if better == "higher" else "share that jumps",
                value=value,
                low=low,
                high=high,
                chance=CHANCE,
                better=better,
                mode=subject.mode,
                trained=subject.knows(subject.mode),
                baselines=shallow
                if better == "higher"
                else {name: 1 - share for name, share in shallow.items()},
                items=int(mine.sum()),
                documents=len(set(documents[mine].tolist())),
            )
        )
    return scores
