"""The arms of a study: each a mixture, where it begins, and how long it is trained."""

from collections.abc import Callable
from typing import NamedTuple

import optax

from ...objectives.errors import UsageError
from ...tasks.examples.mixture import Mixture
from .adaptation import BASE
from .derived_mixtures import ablations, additions
from .study import Study


class Arm(NamedTuple):
    """One mixture trained in one way, with every seed.

    Attributes:
      name: of the arm; names files.
      mixture: what is trained on.
      schedule: makes the learning rate from the `steps` of a run.
      lengths: tokens at which it is measured, ascending: a run for each, as long as
        that, whose beginning is shared as far as their learning rates agree.
      points: tokens of the longest run at which it is measured on the way.
      base: the arm with whose parameters it begins; None from scratch.
      reference: the arm with which it is compared at equal tokens; None for that arm.
    """

    name: str
    mixture: Mixture
    schedule: Callable[..., optax.Schedule]
    lengths: tuple[int, ...]
    points: tuple[int, ...] = ()
    base: str | None = None
    reference: str | None = None

    @property
    def measured(self) -> tuple[int, ...]:
        """Every number of tokens at which it is measured, ascending."""
        return tuple(sorted({*self.points, *self.lengths}))


def arms(study: Study, *, own_share: float) -> dict[str, Arm]:
    """The arms of a study by name, the base and the references first.

    Args:
      study: of mixes side by side, or of an adaptation.
      own_share: of the tokens that the revised mix processes, that of the incumbent's
        objectives; only for an adaptation with a grown budget.
    """
    listed = (
        _side_by_side(study)
        if study.adaptation is None
        else (_adaptation(study, own_share))
    )
    return {arm.name: arm for arm in listed}


def _side_by_side(study: Study) -> list[Arm]:
    points = [study.tokens * n // study.points for n in range(1, study.points)]
    incumbent = study.incumbent
    names = sorted(study.mixes, key=lambda name: name != incumbent)
    return [
        Arm(
            name,
            study.mixture(name),
            study.schedule,
            (study.tokens,),
            tuple(points),
            reference=None if name == incumbent else incumbent,
        )
        for name in names
    ]


def _adaptation(study: Study, own_share: float) -> list[Arm]:
    settings = study.adaptation
    assert settings is not None
    incumbent = study.mixture(study.incumbent)
    revised = study.mixture(settings.revised)
    mixtures = {study.incumbent: incumbent, settings.revised: revised}
    mixtures |= {name: study.mixture(name) for name in study.mixes}
    if settings.additions:
        mixtures |= additions(incumbent, revised)
    if settings.ablations:
        mixtures |= ablations(revised)
    lengths = settings.lengths(study.tokens)
    scratch = {"equal": study.tokens}
    if "grown" in settings.scratch:
        scratch["grown"] = _grown(study, settings.revised, own_share)
    return [
        Arm(BASE, incumbent, study.schedule, (study.tokens,)),
        *(
            Arm(
                name,
                mixture,
                settings.schedule,
                lengths,
                base=BASE,
                reference=None if name == study.incumbent else study.incumbent,
            )
            for name, mixture in mixtures.items()
        ),
        *(
            Arm(
                f"{settings.revised}.{kind}",
                revised,
                study.schedule,
                (scratch[kind],),
                reference=BASE,
            )
            for kind in settings.scratch
        ),
    ]


def _grown(study: Study, revised: str, own_share: float) -> int:
    """Tokens in which the incumbent's objectives see as many as in the base."""
    if own_share <= 0:
        raise UsageError(
            f"mix {revised!r} has none of the incumbent's objectives, so that no "
            "budget gives them as many tokens as before; bind Adaptation.scratch = "
            "('equal',)."
        )
    return round(study.tokens / own_share)
