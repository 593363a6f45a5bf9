"""A score of a model: a statistic of items, with its interval."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from jaxtyping import Int

from ...scores.score import Score, Statistic, bootstrap
from .subject import Subject


def score_of(
    subject: Subject,
    statistic: Statistic,
    documents: Int[np.ndarray, " N"],
    *,
    probe: str,
    kind: str,
    metric: str,
    modes: Sequence[str],
    better: Literal["higher", "lower"] = "higher",
    chance: float | None = None,
    baselines: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Score:
    """Measures a statistic of items; other arguments are fields of `Score`.

    Args:
      subject: the model.
      statistic: of the items.
      documents: the document of each item.
      modes: in which the model was queried.
      seed: of the bootstrap.
    """
    value, low, high = bootstrap(statistic, documents, seed=seed)
    return Score(
        failure="",  # named by whoever runs the probe for a failure
        probe=probe,
        kind=kind,
        metric=metric,
        value=value,
        low=low,
        high=high,
        chance=chance,
        better=better,
        mode=" or ".join(modes),
        trained=all(map(subject.trains, modes)),
        baselines=baselines or {},
        items=len(documents),
        documents=len(set(documents.tolist())),
    )
