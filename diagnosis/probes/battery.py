"""Runs the probes of failures on a model and a corpus."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ...objectives.special_ids import MissingIdError
from ..scores.score import Score
from .asking.subject import Subject
from .choices.items import Item
from .material import Material

Probe = Callable[[Subject], list[Score]]
"""Measures a model on prepared items."""

Prepare = Callable[[Subject, Material], Probe]
"""Prepares the items and baselines of a probe, for the model given or any of the same
shape. Raises `NotApplicable`."""

Make = Callable[[Material, str, np.random.Generator], list[Item]]
"""Makes the items of a probe from the documents of a split."""

Probes = Mapping[str, Mapping[str, Prepare]]
"""Probes by the name of the failure that they measure, and by their own."""


class NotApplicable(Exception):
    """A probe cannot measure this model on this corpus; says why."""


def battery(
    subject: Subject,
    material: Material,
    probes: Probes,
    *,
    progress: Callable[[str], None] = lambda name: None,
) -> Iterator[Score | str]:
    """Runs probes.

    Args:
      subject: the model.
      material: the corpus.
      probes: to run, as `failures.registry.probes` gives them.
      progress: called with the name of each probe when it begins.

    Yields:
      Scores, and a sentence for each probe that is not applicable.
    """
    for named in probes.values():
        for name, prepare in named.items():
            progress(name)
            try:
                scores = prepare(subject, material)(subject)
            except (NotApplicable, MissingIdError) as reason:
                yield f"{name}: {reason}"
                continue
            yield from scores


def measuring(failure: str, prepare: Prepare) -> Prepare:
    """A probe whose scores name the failure that they measure."""

    def prepared(subject: Subject, material: Material) -> Probe:
        probe = prepare(subject, material)
        return lambda tested: [s._replace(failure=failure) for s in probe(tested)]

    return prepared
