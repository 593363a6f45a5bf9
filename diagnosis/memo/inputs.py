"""Everything that a memo is written from, and what its parts take out of it."""

import math
from typing import NamedTuple

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..causes.cause import Cause
from ..results.effects import Effect, Effects, compared
from ..revision.propose import Change, Proposal
from ..scores.complaints import Complaint
from ..scores.headlines import headlines
from ..scores.score import Failure, Score
from ..scores.severity import perfect, reference
from ..traits.traits import MixtureTraits
from .gin_text import START


class Provenance(NamedTuple):
    """Which model, mixture and corpus were examined, and by which command.

    Attributes:
      date: of the memo.
      gin: the file that gives the mixture: `incumbent.gin`, `runs/base/config.gin`.
      folder: of the memo, as commands name it.
      corpus: that the probes read.
      settings: of that corpus, `NAME=VALUE`, where the command line bound any.
      architecture: "decoder" or "encoder_decoder".
      run: the run's directory; None where there is no checkpoint.
      step: of the checkpoint.
      mode: in which the model was asked how a text goes on.
      parameters: of the model.
      command: that wrote the memo.
    """

    date: str
    gin: str
    folder: str
    corpus: str
    architecture: str
    settings: tuple[str, ...] = ()
    run: str | None = None
    step: int | None = None
    mode: str | None = None
    parameters: int | None = None
    command: str = ""


class Memo(NamedTuple):
    """Everything that a memo is written from.

    Attributes:
      provenance: which model, mixture and corpus were examined.
      mixture: as it is.
      rows: that it fills.
      traits: of it.
      causes: in the order in which they were checked.
      complaints: of reviewers, or named.
      scores: of the checkpoint; none where there is none.
      proposal: what is recommended.
      effects: of the study; without mixes where it was not run.
      not_measured: what else was not, a sentence each, such as probes that a corpus is
        too small for.
      start: gin text that binds all of a run but its mixture and rows.
    """

    provenance: Provenance
    mixture: Mixture
    rows: RowShape
    traits: MixtureTraits
    causes: tuple[Cause, ...]
    complaints: tuple[Complaint, ...]
    scores: tuple[Score, ...]
    proposal: Proposal
    effects: Effects
    not_measured: tuple[str, ...] = ()
    start: str = START

    @property
    def failures(self) -> list[Failure]:
        """Those that are there."""
        return [severity.failure for severity in self.proposal.severities]

    @property
    def acting(self) -> list[Change]:
        """The changes that give an objective more."""
        return [c for c in self.proposal.changes if c.action in ("add", "raise")]

    @property
    def study_mix(self) -> str | None:
        """The study's mix that the proposal follows, else the one nearest to it."""
        wanted = self.proposal.mixture.loss_shares or {}
        overlap = {
            name: sum(min(s, wanted.get(n, 0.0)) for n, s in mix.loss_shares.items())
            for name, mix in self.effects.mixes.items()
            if name != self.effects.incumbent
        }
        nearest = max(overlap, key=lambda name: overlap[name], default=None)
        return self.proposal.precedent or nearest

    def pair(self, failure: Failure) -> tuple[Effect, Effect] | None:
        """What the study's incumbent and `study_mix` came to on a failure."""
        mix = self.study_mix
        return compared(self.effects, mix, failure) if mix else None

    def lead(self, failure: Failure) -> Score | None:
        """The checkpoint's score of the probe and metric that the study goes by."""
        own = [s for s in self.scores if s.failure == failure]
        scores = headlines([s for s in own if math.isfinite(s.value)])
        # A reference that is itself perfect cannot be beaten: the leak audit has one.
        scores = [s for s in scores if reference(s) not in (None, perfect(s))]
        mix = self.effects.mixes.get(self.effects.incumbent)
        first = mix.effect(failure) if mix else None
        alike = [s for s in scores if first and s[1:4:2] == (first.probe, first.metric)]
        return next(iter(alike or scores), None)

    def causes_of(self, failure: Failure) -> list[Cause]:
        """Those that were found and explain a failure; an earlier one comes first."""
        return [cause for cause in self.causes if failure in cause.reasons]
