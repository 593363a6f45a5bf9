"""The proposal for a run that is trained on: it must not forget what it knows.

Replay of the old data keeps a model from forgetting (Ibrahim et al. 2024, arXiv
2403.08763, section 4: 5 % of it under a weak shift, 50 % under a strong one). Here what
may be forgotten are objectives, and their data is free: they are made of the same text.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeVar

from ...objectives.registry import base_name
from ...tasks.examples.mixture import Mixture, split_task
from .propose import Change, Proposal
from .revision import rounded

KEPT = 1 / 3
"""Share of the examples, and of the loss, that is divided as the run divided it, where
nothing else is asked for."""

Key = TypeVar("Key", bound=str)


def left_of(before: Mixture, after: Mixture) -> tuple[list[str], list[str]]:
    """The objectives and variants of a run's mixture that another one has, or not."""
    names = after.objectives()
    own = list(before.objectives())
    return [n for n in own if n in names], [n for n in own if n not in names]


def adapted(
    before: Mixture, proposal: Proposal, loss: Mapping[str, float], *, kept: float
) -> Proposal:
    """The proposal, with at least a share of it as the run has it.

    Args:
      before: the mixture that the run is trained on, without a schedule.
      proposal: for a run from scratch.
      loss: share of the loss that each objective or variant had.
      kept: that share of the examples and of the loss.
    """
    after = proposal.mixture
    shares: defaultdict[str, float] = defaultdict(float)
    for name, share in loss.items():
        shares[base_name(name)] += share
    mixture = Mixture(
        "adapted",
        rounded(keeping(after.rates, before.rates, least=kept)),
        corpora=dict(after.corpora),
        loss_shares=rounded(keeping(after.loss_shares or shares, shares, least=kept)),
        settings=after.settings,
        vocabulary=after.vocabulary,
    )
    changes = tuple(_followed(change, mixture) for change in proposal.changes)
    return proposal._replace(mixture=mixture, changes=changes)


def keeping(
    after: Mapping[Key, float], before: Mapping[Key, float], *, least: float
) -> dict[Key, float]:
    """`after`, with as much of `before` mixed in as makes `least` of it `before`'s.

    What `after` keeps of `before` is the largest part of it that is divided in the
    proportions of `before`: the least ratio of their shares. What `after` does not name
    is ruled out, and the others of `before` alone keep their proportions.

    Args:
      after: shares of any sum.
      before: likewise.
      least: share, below 1.

    Returns:
      Shares that sum to 1.
    """
    left = {name: s for name, s in before.items() if s > 0 and name in after}
    new, old = _normalised(after), _normalised(left)
    kept = min((new[name] / share for name, share in old.items()), default=1.0)
    own = max(0.0, (least - kept) / (1 - kept)) if kept < 1 else 0.0
    return {n: (1 - own) * share + own * old.get(n, 0.0) for n, share in new.items()}


def _normalised(shares: Mapping[Key, float]) -> dict[Key, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _followed(change: Change, mixture: Mixture) -> Change:
    """A change with the shares of examples that the mixture has."""
    share = sum(
        rate
        for task, rate in _normalised(mixture.rates).items()
        if split_task(task)[1] == change.name
    )
    return change._replace(rate=(change.rate[0], share))
