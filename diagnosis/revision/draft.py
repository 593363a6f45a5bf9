"""A mixture that may be proposed, and what it revises."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..findings.severity import Severity
from ..results.effects import Effects
from ..traits.traits import MixtureTraits, mixture_traits
from .revision import Part, fitting_rows, open_rows, revised


class Precedent(NamedTuple):
    """The mix of a study that a proposal follows, by name."""

    study: Effects
    mix: str


class Proposed(NamedTuple):
    """What is to be added on some rows.

    Attributes:
      followed: the mix of a study whose shares the parts have; None if by rule.
      parts: to add.
      replaced: failures whose own part is left out, as another betters them, and why.
    """

    followed: Precedent | None
    parts: Sequence[Part]
    replaced: Mapping[str, str] = {}


class Draft(NamedTuple):
    """A mixture that may be proposed.

    Attributes:
      mixture: the revised one.
      rows: that fit it.
      traits: of the mixture, on the rows.
      parts: that it adds; empty if nothing changes.
      followed: the mix of a study whose shares it has; None if by rule or by limits.
      replaced: as of `Proposed`.
    """

    mixture: Mixture
    rows: RowShape
    traits: MixtureTraits
    parts: tuple[Part, ...]
    followed: Precedent | None
    replaced: Mapping[str, str] = {}


class Revision(NamedTuple):
    """What is revised, and how.

    Attributes:
      mixture: the present one.
      rows: of the mixture.
      traits: of the mixture, on the rows.
      severities: of the failures that are present.
      parts_on: what is to be added, without limits, on some rows.
      lengths: of documents, as for `mixture_traits`.
      examples: of each task, to measure traits.
    """

    mixture: Mixture
    rows: RowShape
    traits: MixtureTraits
    severities: Sequence[Severity]
    parts_on: Callable[[RowShape], Proposed]
    lengths: Mapping[str, Int[np.ndarray, " D"]] | None
    examples: int


def draft(revision: Revision) -> Draft:
    """The revised mixture without limits."""
    mixture, rows = revision.mixture, revision.rows
    followed, parts, replaced = revision.parts_on(open_rows(rows))
    after = revised(mixture, parts, revision.traits.loss)
    fitting = fitting_rows(rows, after) if parts else rows
    traits = measured(revision, after, fitting)
    return Draft(after, fitting, traits, tuple(parts), followed, replaced)


def measured(revision: Revision, mixture: Mixture, rows: RowShape) -> MixtureTraits:
    """Traits of a mixture on some rows, as precisely as those of the present one."""
    return mixture_traits(
        mixture, rows, lengths=revision.lengths, examples=revision.examples
    )
