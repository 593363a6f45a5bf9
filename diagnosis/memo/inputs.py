"""The inputs of a memo, and what its parts derive from them."""

import math
import shlex
from typing import NamedTuple

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..causes.cause import Cause
from ..failures import registry
from ..findings.complaints import Complaint
from ..findings.headlines import headlines
from ..findings.severity import perfect, reference
from ..probes.published.published import PublishedResult
from ..results.effects import Effect, Effects, compared
from ..results.nearest import Run
from ..revision.propose import Change, Proposal
from ..scores.score import Score
from ..traits.traits import MixtureTraits
from .adapt_text import Adaptation
from .gin_text import START


class Provenance(NamedTuple):
    """Which model, mixture and corpus were examined, and by which command.

    Attributes:
      date: of the memo.
      gin: the file that binds the mixture: `incumbent.gin`, `runs/base/config.gin`.
      folder: of the memo, as used in commands.
      corpus: that the probes read.
      settings: of that corpus bound on the command line, as `NAME=VALUE`.
      imports: a user's modules, which every command needs too.
      asked: other options of how the model was asked, as `--mode=prefix`.
      architecture: "decoder" or "encoder_decoder".
      run: the run directory; None without a checkpoint.
      step: of the checkpoint.
      mode: in which the model was asked to continue texts.
      parameters: number of parameters of the model.
      command: that wrote the memo.
    """

    date: str
    gin: str
    folder: str
    corpus: str
    architecture: str
    settings: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    run: str | None = None
    step: int | None = None
    mode: str | None = None
    parameters: int | None = None
    command: str = ""


class Memo(NamedTuple):
    """The inputs of a memo.

    Attributes:
      provenance: which model, mixture and corpus were examined.
      mixture: the present one, with its schedule; all else is of its phases' mean.
      rows: of the mixture.
      traits: of the mixture.
      causes: in the order of the checks.
      complaints: of reviewers, or named.
      scores: of the checkpoint; empty without one.
      proposal: the recommendation.
      effects: of the study; without mixes if none was run.
      not_measured: a sentence for each other measurement that is missing, such as a
        probe for which the corpus is too small.
      start: gin text that binds all of a run except its mixture and rows.
      adaptation: of the run; None without one, or where nothing changes.
      studies: all, the nearest to the run first; what `effects` does not have is taken
        from the next that does.
      about: the run that follows from the memo.
      published: scores on published tests; None without any.
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
    adaptation: Adaptation | None = None
    studies: tuple[Effects, ...] = ()
    about: Run = Run()
    published: PublishedResult | None = None

    @property
    def failures(self) -> list[str]:
        """The failures that are present."""
        return [severity.failure for severity in self.proposal.severities]

    @property
    def acting(self) -> list[Change]:
        """The changes that give an objective more."""
        return [c for c in self.proposal.changes if c.action in ("add", "raise")]

    @property
    def study_mix(self) -> str | None:
        """The mix of the study that the proposal follows, else the nearest one."""
        proposed = self.proposal.mixture.loss_shares or {}
        overlap = {
            name: sum(min(s, proposed.get(n, 0.0)) for n, s in mix.loss_shares.items())
            for name, mix in self.effects.mixes.items()
            if name != self.effects.incumbent
        }
        nearest = max(overlap, key=lambda name: overlap[name], default=None)
        return self.proposal.precedent or nearest

    def pair(self, failure: str) -> tuple[Effect, Effect] | None:
        """The effects of the study's incumbent and of `study_mix` on a failure."""
        mix = self.study_mix
        return compared(self.effects, mix, failure) if mix else None

    def lead(self, failure: str) -> Score | None:
        """The checkpoint's score on the study's primary probe and metric."""
        of_failure = [s for s in self.scores if s.failure == failure]
        scores = headlines([s for s in of_failure if math.isfinite(s.value)])
        # A perfect reference cannot be beaten; the leak audit has one.
        scores = [s for s in scores if reference(s) not in (None, perfect(s))]
        mix = self.effects.mixes.get(self.effects.incumbent)
        first = mix.effect(failure) if mix else None
        alike = [s for s in scores if first and s[1:4:2] == (first.probe, first.metric)]
        return next(iter(alike or scores), None)

    def path(self, name: str) -> str:
        """The path of a file of the memo, quoted for a shell."""
        return shlex.quote(f"{self.provenance.folder.rstrip('/')}/{name}")

    @property
    def imports(self) -> str:
        """` --import=MODULE` of each module that commands need, quoted for a shell."""
        modules = map(shlex.quote, self.provenance.imports)
        return "".join(f" --import={module}" for module in modules)

    @property
    def blind(self) -> bool:
        """Whether a checkpoint was to be measured, and no failure could be."""
        asked = self.provenance.run is not None
        return asked and not any(self.lead(name) for name in registry.names())

    def counts_of(self, failure: str) -> list[Complaint]:
        """The reviews in which texts with a failure were counted."""
        of_failure = [c for c in self.complaints if c.failure == failure]
        return [complaint for complaint in of_failure if complaint.share is not None]

    def causes_of(self, failure: str) -> list[Cause]:
        """The causes found that explain a failure, in order."""
        return [cause for cause in self.causes if failure in cause.reasons]
