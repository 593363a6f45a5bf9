"""Every failure by name. A file in this folder is found by itself."""

import functools
from collections.abc import Iterable, Sequence

from ...objectives import registry as objectives
from ...objectives.discovery import modules_of
from ...objectives.errors import UsageError, nearest
from ...tasks import user_modules
from ..audit.audit import Verdict
from ..probes.battery import Probes, measuring
from ..scores.score import Score
from ..traits.forms import EXAMPLE_MODES
from ..traits.objective_traits import MIDDLE_LAST, SUFFIX_FIRST, Traits
from .failure import Failure

_FAILURES: dict[str, Failure] = {}


def register(failure: Failure) -> Failure:
    """Makes a failure known to everything that diagnoses.

    Raises:
      UsageError: there is one of the name or the title; its need is
        no trait, a mode is unknown; it has no remedy, no figure, or its remedy is no
        objective.
    """
    where = f"failure {failure.name!r}"
    for other in _FAILURES.values():
        if shared := {failure.name, failure.title} & {other.name, other.title}:
            raise UsageError(
                f"{where}: {min(shared)!r} is known already, as {other.symptom!r}; "
                "rename it."
            )
    need, modes = failure.need, (*EXAMPLE_MODES, MIDDLE_LAST, SUFFIX_FIRST)
    for what, value, known in (
        *(("trait", trait, Traits._fields) for trait in need.traits),
        *(("mode", mode, modes) for mode in need.modes),
    ):
        if value not in known:
            raise UsageError(f"{where}: no {what} {value!r}; {nearest(value, known)}")
    for what, values in (("remedy", failure.remedies), ("figure", failure.figures)):
        if not values:
            raise UsageError(f"{where} has no {what}; give at least one.")
    for remedy in failure.remedies:
        objectives.get(remedy.objective)
    _FAILURES[failure.name] = failure
    return failure


@functools.cache
def _discover() -> None:
    modules_of(__package__ or "failures")


def failures() -> dict[str, Failure]:
    """Every failure, by name, in the order in which they are listed."""
    _discover()
    user_modules.load()  # in a process that was started, they are noted only
    return dict(sorted(_FAILURES.items(), key=lambda item: (item[1].order, item[0])))


def names() -> tuple[str, ...]:
    """The names of all failures, in order."""
    return tuple(failures())


def get(name: str) -> Failure:
    """The failure of that name.

    Raises:
      UsageError: there is none; the message names the nearest.
    """
    known = failures()
    if name not in known:
        raise UsageError(f"no failure {name!r}; {nearest(name, known)}")
    return known[name]


def probes(of: Iterable[str]) -> Probes:
    """The probes of some failures; their scores name the failure."""
    return {
        name: {
            probe: measuring(name, prepare)
            for probe, prepare in get(name).probes.items()
        }
        for name in of
    }


def audited(of: Iterable[str], verdicts: Sequence[Verdict]) -> list[Score]:
    """The scores of a leak audit that stand for some failures."""
    return [
        score._replace(failure=name)
        for name in of
        for score in get(name).audited(verdicts)
    ]
