"""The primary probe scores of proxies: the targets that a mixture is chosen for."""

from collections.abc import Iterator, Mapping, Sequence

import jax
from flax import nnx
from jaxtyping import PyTree

from ...diagnosis.failures.registry import probes
from ...diagnosis.probes.asking.subject import Subject, subject
from ...diagnosis.probes.battery import NotApplicable, Probe
from ...diagnosis.results.measures import primary
from ...diagnosis.traits.objective_traits import mode_tokens, trained_modes
from ...diagnosis.traits.traits import mixture_traits
from ...objectives.errors import UsageError, nearest
from ...tasks.examples.mixture import Mixture
from ...tasks.tokens.vocabulary import vocabulary
from ..training.program import Program
from .prepared_probes import named_probes, prepared_probes
from .study import Study


def failures_asked(study: Study) -> tuple[str, ...]:
    """The failures whose primary probe a study asks for.

    Raises:
      UsageError: there is no probe of a name in `study.probes`.
    """
    named_probes(study)
    return tuple(
        name for name in primary() if not study.probes or _probe(name) in study.probes
    )


def failures_of(names: Sequence[str]) -> tuple[str, ...]:
    """The failures of these names; "none" alone stands for none.

    Raises:
      UsageError: there is none of a name.
    """
    if list(names) == ["none"]:
        return ()
    for name in names:
        if name not in primary():
            raise UsageError(f"no failure {name!r}; {nearest(name, primary())}")
    return tuple(failure for failure in primary() if failure in names)


def corpora_of(study: Study, failures: Sequence[str]) -> set[str]:
    """The corpora that held-out losses and the probes of failures are of."""
    return {study.corpus} | {
        study.probes.get(_probe(f), study.corpus) for f in failures
    }


class ProxyProbes:
    """Measures one score of each failure; items are made once for all proxies.

    Attributes:
      failures: in the order of the columns.
    """

    def __init__(self, study: Study, program: Program, failures: Sequence[str]):
        """Makes the items.

        Raises:
          UsageError: a failure's probe cannot be asked on the study's corpus.
        """
        self.failures = tuple(failures)
        self._study = study
        self._graph = nnx.graphdef(nnx.eval_shape(program.fresh_model))
        self._probes = dict(self._prepared(program))

    def scores(self, mixture: Mixture, params: PyTree) -> dict[str, float]:
        """The primary score of every failure; NaN where there was nothing to measure.

        Args:
          mixture: that the model was trained on.
          params: of the model, which are kept as they are.
        """
        model = self._subject(mixture, params)
        found: dict[str, float] = {}
        for failure, probe in self._probes.items():
            score = primary()[failure].chosen(probe(model))
            found[failure] = float("nan") if score is None else score.value
        return found

    def _prepared(self, program: Program) -> Iterator[tuple[str, Probe]]:
        """The probe of each failure's primary score."""
        mixture = self._study.mixture(self._study.incumbent)
        untrained = self._subject(mixture, program.initial_state().params)
        by_failure = probes(self.failures)
        named = {_probe(f): every[_probe(f)] for f, every in by_failure.items()}
        found = prepared_probes(self._study, named, untrained)
        for failure in self.failures:
            name = _probe(failure)
            probe = found[name]
            if isinstance(probe, NotApplicable):
                others = [f for f in self.failures if f != failure]
                raise UsageError(
                    f"the probe {name!r} of {failure} cannot measure proxies of this "
                    f"study: {probe} Bind more (study.documents, policies), or leave "
                    f"it out: --failures={','.join(others) or 'none'}."
                ) from probe
            yield failure, probe

    def _subject(self, mixture: Mixture, params: PyTree) -> Subject:
        traits: Mapping = mixture_traits(mixture, self._study.rows).overall
        of_examples = traits["examples"]
        return subject(
            nnx.merge(self._graph, jax.tree.map(lambda x: x.copy(), params)),
            self._study.rows,
            vocabulary(self._study.vocabulary),
            trained=trained_modes(of_examples),
            mode_tokens=mode_tokens(of_examples),
        )


def _probe(failure: str) -> str:
    """The probe of a primary score, whose name may add how it asked."""
    return primary()[failure].probe.partition(",")[0]
