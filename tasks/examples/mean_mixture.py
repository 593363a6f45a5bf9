"""A mixture that changes over a run, as one that does not."""

import dataclasses

import numpy as np

from .mixture import Mixture


def mean_of_phases(mixture: Mixture) -> Mixture:
    """The mixture without a schedule, at the means of its phases' shares.

    As in `Mixture.positive_rates`, phases count alike, whatever their length; corpora
    are written out. A mixture without a schedule is returned as it is.
    """
    if not mixture.schedule:
        return mixture
    each = [phase.loss_share_array() for phase in mixture.phases().values()]
    shares = np.stack(each).astype(np.float64).mean(axis=0)
    ids = {o.base: o.id for o in mixture.objectives().values()}
    return dataclasses.replace(
        mixture,
        rates=mixture.positive_rates(),
        corpora={},
        loss_shares={base: float(shares[id_]) for base, id_ in ids.items()},
        settings=mixture.all_settings(),
        schedule={},
    )
