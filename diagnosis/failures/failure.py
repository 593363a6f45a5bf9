"""What a failure is: everything that a diagnosis knows of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...objectives.registry import base_name
from ...objectives.special_ids import SpecialIds
from ..audit.audit import Verdict
from ..probes.battery import Prepare
from ..scores.score import Score
from ..traits.objective_traits import Traits
from ..traits.traits import By


class Need(NamedTuple):
    """The supervision whose lack leads to a failure.

    Attributes:
      traits: that measure it together: fields of `Traits`, shares that add up.
      name: of the supervision.
      by: the share in which its presence is measured.
      unit: what that is a share of.
      little: share of the loss that counts as too little.
      use: the use of a model in which the failure shows.
      modes: of that use, as `trained_modes` names them.
    """

    traits: tuple[str, ...]
    name: str
    by: By
    unit: str
    little: float
    use: str
    modes: tuple[str, ...]

    def amount(self, traits: Traits) -> float:
        """The share of an objective or a mixture that meets the need."""
        return sum(getattr(traits, name) for name in self.traits)


class Remedy(NamedTuple):
    """An objective that acts on a failure, by hypothesis: a study tests it.

    Attributes:
      objective: its name.
      why: it may act, a sentence of the memo.
      settings: of the objective, from reserved ids and the slots of a row.
    """

    objective: str
    why: str
    settings: Callable[[SpecialIds, int], Mapping[str, Any]] = lambda ids, slots: {}


class Flaw(NamedTuple):
    """What is wrong with supervision that a mixture has.

    Attributes:
      shares: that were looked at, by what they are of.
      text: the fault, a clause; "" where there is none.
    """

    shares: Mapping[str, float]
    text: str


class Figure(NamedTuple):
    """A score that stands for a failure.

    Attributes:
      probe: its name.
      metric: of the probe.
      kind: of items.
    """

    probe: str
    metric: str
    kind: str = "all"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failure, as its file states it.

    Attributes:
      name: in `--failures` and in records.
      title: the name that product teams use, in the middle of a sentence.
      symptom: what a reader of the text sees, a clause.
      aliases: other names that reviewers use in their findings.
      order: failures are listed by it, then by name.
      need: the supervision whose lack leads to it.
      supply: the share of an objective that acts on it, 0 to 1; None for all that
        meets the need.
      flaw: what is wrong with a mixture's Examples although they meet the need; None
        where nothing is known or can be.
      needs_start: whether it follows if windows hide the start of the document.
      probes: how each is prepared, by name.
      audited: scores of a leak audit that stand for it.
      remark: what else its section in the memo says of a model's scores on its probes,
        sentences; "" for nothing.
      figures: scores that a study reports; the first one is primary.
      headlines: main metrics of probes that have several; of other probes all are.
      by_kind: probes of which every kind of items is shown.
      counts: metrics that are counts, not shares, and so have no upper limit.
      remedies: objectives that act on it; the first one is added if none is there.
      variant: prefix of that objective if the mixture has its name already.
    """

    name: str
    title: str
    symptom: str
    need: Need
    probes: Mapping[str, Prepare]
    figures: tuple[Figure, ...]
    remedies: tuple[Remedy, ...]
    variant: str
    aliases: tuple[str, ...] = ()
    order: int = 100
    supply: Callable[[Traits], float] | None = None
    flaw: Callable[[Traits], Flaw | None] = lambda traits: None
    needs_start: bool = False
    audited: Callable[[Sequence[Verdict]], list[Score]] = lambda verdicts: []
    remark: Callable[[Sequence[Score]], str] = lambda scores: ""
    headlines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_kind: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title, capitalised."""
        return self.title[0].upper() + self.title[1:]

    def why(self, objective: str) -> str:
        """Why an objective may act on it: by its remedy, else as the first one."""
        base = base_name(objective)
        reasons = {remedy.objective: remedy.why for remedy in self.remedies}
        return reasons.get(base, self.remedies[0].why)

    def supplied_by(self, traits: Traits) -> float:
        """The share of an objective or a mixture that acts on the failure, 0 to 1."""
        return (self.supply or self.need.amount)(traits)


def marks_sentences(ids: SpecialIds) -> bool:
    """Whether a vocabulary tells where sentences end, so that they can be moved."""
    return bool(len(ids.sentence_ends) and len(ids.word_starts))
