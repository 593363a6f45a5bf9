"""The probes of a study, whose items are made once for all of its models."""

import functools
from collections.abc import Mapping

from ...diagnosis.failures import registry as failures
from ...diagnosis.probes.asking.subject import Subject
from ...diagnosis.probes.battery import NotApplicable, Prepare, Probe
from ...diagnosis.probes.material import Material, material
from ...objectives.errors import UsageError, nearest
from .study import Study


def named_probes(study: Study) -> dict[str, Prepare]:
    """The probes that a study asks for, by name, before their items are made.

    Raises:
      UsageError: there is none of a name in `study.probes`.
    """
    by_failure = failures.probes(failures.names())
    known = {name: p for each in by_failure.values() for name, p in each.items()}
    for name in study.probes:
        if name not in known:
            raise UsageError(f"study.probes: no probe {name!r}; {nearest(name, known)}")
    return {n: known[n] for n in study.probes or known}


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
