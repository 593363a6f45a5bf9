"""Everything that a memo is written from."""

from typing import NamedTuple

from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ..causes.cause import Cause
from ..results.effects import Effects
from ..revision.propose import Proposal
from ..scores.complaints import Complaint
from ..scores.score import Score
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
