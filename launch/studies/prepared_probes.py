"""The probes of a study, whose items are made once for all of its models."""

import functools
from collections.abc import Mapping

from ...diagnosis.probes.asking.subject import Subject
from ...diagnosis.probes.battery import NotApplicable, Prepare, Probe
from ...diagnosis.probes.material import Material, material
from .study import Study


def prepared_probes(
    study: Study, named: Mapping[str, Prepare], untrained: Subject
) -> dict[str, Probe | NotApplicable]:
    """Probes by name; where the text of one allows none, the reason.

    Args:
      study: says what text each is asked on, and how much of it.
      named: before their items are made.
      untrained: a model of the study.
    """
    mixture = study.mixture(study.incumbent)

    @functools.cache
    def read(corpus: str) -> Material:
        return material(untrained, mixture.corpus(corpus), study.plan())

    found: dict[str, Probe | NotApplicable] = {}
    for name, prepare in named.items():
        corpus = study.probes.get(name, study.corpus)
        try:
            found[name] = prepare(untrained, read(corpus))
        except NotApplicable as reason:
            found[name] = reason
    return found
