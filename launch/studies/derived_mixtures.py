"""Mixtures between an incumbent and its revision: one objective more, or one less."""

import dataclasses
from collections.abc import Mapping

from ...objectives.errors import UsageError
from ...objectives.registry import base_name, get
from ...tasks.examples.mixture import Mixture


def additions(incumbent: Mixture, revised: Mixture) -> dict[str, Mixture]:
    """The incumbent with each objective that it lacks, by `+objective`.

    The objective has the share of the examples and of the loss, and the settings, that
    it has in the revised mixture; the incumbent's own share the rest as before.

    Raises:
      UsageError: the revised mixture is one objective, which leaves them no rest.
    """
    new = [name for name in _bases(revised) if name not in _bases(incumbent)]
    if new and len(_bases(revised)) == 1:
        raise UsageError(
            f"mix {revised.name!r} is {new[0]} alone, and beside all of it nothing of "
            f"mix {incumbent.name!r} is left; bind Adaptation.additions = False."
        )
    return {f"+{name}": _added(incumbent, revised, name) for name in new}


def ablations(revised: Mixture) -> dict[str, Mixture]:
    """The revised mixture without each of its objectives, by `-objective`.

    The others share its examples and its loss in their own proportions.

    Raises:
      UsageError: it has one objective only.
    """
    if len(_bases(revised)) < 2:
        raise UsageError(
            f"mix {revised.name!r} has one objective, and none is left without it; "
            "bind Adaptation.ablations = False."
        )
    return {f"-{name}": _without(revised, name) for name in _bases(revised)}


def _added(incumbent: Mixture, revised: Mixture, name: str) -> Mixture:
    new = {n: rate for n, rate in _rates(revised).items() if base_name(n) == name}
    kept, loss = 1 - sum(new.values()), _loss_shares(revised)[name]
    own = {n: rate * kept for n, rate in _rates(incumbent).items()}
    shares = {n: s * (1 - loss) for n, s in _loss_shares(incumbent).items()}
    settings = dict(incumbent.settings)
    settings |= {n: s for n, s in revised.settings.items() if base_name(n) == name}
    return dataclasses.replace(
        incumbent,
        name=f"+{name}",
        rates={**own, **new},
        loss_shares={**shares, name: loss},
        settings=settings,
    )


def _without(revised: Mixture, name: str) -> Mixture:
    rates = {n: rate for n, rate in _rates(revised).items() if base_name(n) != name}
    shares = {n: s for n, s in _loss_shares(revised).items() if n != name}
    return dataclasses.replace(
        revised,
        name=f"-{name}",
        rates=rates,
        loss_shares=_summing_to_one(shares),
    )


def _rates(mixture: Mixture) -> dict[str, float]:
    """Shares of the examples, of objectives and variants, over all corpora."""
    return mixture.objective_rates()


def _loss_shares(mixture: Mixture) -> dict[str, float]:
    """Shares of the loss by objective."""
    shares = mixture.loss_share_array()
    return {name: float(shares[get(name).id]) for name in _bases(mixture)}


def _bases(mixture: Mixture) -> list[str]:
    return list(dict.fromkeys(o.base for o in mixture.objectives().values()))


def _summing_to_one(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}
