"""A study: which mixes are compared, on what, and for how long."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optax

from ...diagnosis.probes.material import Plan
from ...models.config import ModelConfig
from ...models.rows import RowShape
from ...objectives import registry
from ...objectives.errors import (
    UsageError,
    nearest,
    require_count,
    require_seed,
    require_share,
)
from ...tasks.examples.mixture import Mixture
from ...tasks.tokens.vocabulary import vocabulary
from ..training.mesh import MeshShape, check_rows, make_mesh
from ..training.program import Program


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """What is compared. All mixes share model, rows, batches and learning rate.

    Attributes:
      mixes: by name: a mixture file, or the name of an objective to train alone.
      incumbent: the mix that others are compared with; its own losses are held out.
      corpus: that all mixes are trained and probed on, whatever their files say.
      vocabulary: of all mixes.
      seeds: of parameters and data; a run for each mix and seed.
      tokens: processed by each run: filled slots, in every stream.
      points: measurements of a run, at equal steps of tokens; the last is at the end.
      model: dimensions.
      rows: capacities of a row.
      batch_rows: B.
      schedule: makes the learning rate by update, of the updates that a run has
        (`steps`); runs differ in them, as rows are not equally full.
      optimizer: from a schedule to an optax transformation.
      documents: of the validation split, that items of probes are made of.
      fitted: of the train split, that shallow baselines are fitted to.
      written: texts that are written freely.
      restored: excerpts that are restored, for each corruption.
      rates: at which excerpts are corrupted.
      held_out: batches of each of the incumbent's objectives.
      settings: of the corpus, and of objectives that are trained alone.
      read: the mixture of a file.

    Raises:
      ValueError: an incumbent that is no mix, or numbers that are not positive.
    """

    mixes: Mapping[str, str]
    incumbent: str
    corpus: str
    vocabulary: str
    seeds: Sequence[int]
    tokens: int
    points: int
    model: ModelConfig
    rows: RowShape
    batch_rows: int
    schedule: Callable[..., optax.Schedule]
    optimizer: Callable[[optax.Schedule], optax.GradientTransformation]
    read: Callable[[str], Mixture]
    documents: int = 128
    fitted: int = 400
    written: int = 32
    restored: int = 48
    rates: Sequence[float] = (0.3,)
    held_out: int = 16
    settings: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if self.incumbent not in self.mixes:
            raise UsageError(
                f"study.incumbent is {self.incumbent!r}, no mix; "
                + nearest(self.incumbent, self.mixes)
            )
        if not self.seeds:
            raise UsageError("study.seeds is empty; give one seed at least: (0,).")
        for seed in self.seeds:
            require_seed("study.seeds", seed)
        for name in ("points", "batch_rows", "documents", "fitted", "held_out"):
            require_count(f"study.{name}", getattr(self, name))
        for name in ("written", "restored"):
            require_count(f"study.{name}", getattr(self, name), least=0)
        require_count("study.tokens", self.tokens, most=2**53)
        for rate in self.rates:
            require_share("study.rates", rate)
        for name in self.mixes:
            if not re.fullmatch(r"[\w.+-]+", name):
                raise UsageError(
                    f"study.mixes has the name {name!r}, and files of records are "
                    "named by it; use letters, digits and any of _ . + -"
                )
            self.mixture(name)

    def mixture(self, mix: str) -> Mixture:
        """A mix on the study's corpus, with the study's vocabulary.

        Raises:
          ValueError: its file is wrong, or names corpora task by task.
        """
        source = self.mixes[mix]
        own = {self.corpus: dict(self.settings.get(self.corpus, {}))}
        if not source.endswith(".gin"):
            registry.get(source)
            alone = {
                n: v for n, v in self.settings.items() if n in registry.objectives()
            }
            rates, shares, settings = {source: 1.0}, None, alone
        else:
            found = self.read(source)
            rates, shares = found.objective_rates(), found.loss_shares
            settings = found.settings
        return Mixture(
            mix,
            rates,
            corpora={self.corpus: 1},
            loss_shares=shares,
            settings={**settings, **own},
            vocabulary=self.vocabulary,
        )

    def program(self, *, steps: int) -> Program:
        """What a run of so many steps computes; the seed is a run's own."""
        mesh = make_mesh(MeshShape(data=-1))
        check_rows(self.batch_rows, microbatches=1, mesh=mesh)
        return Program(
            model=self.model,
            vocabulary_size=vocabulary(self.vocabulary).size,
            rows=self.rows,
            batch_rows=self.batch_rows,
            transformation=self.optimizer(self.schedule(steps=steps)),
            mesh=mesh,
        )

    def plan(self) -> Plan:
        """How much each point measures."""
        return Plan(
            documents=self.documents,
            fitted=self.fitted,
            written=self.written,
            restored=self.restored,
            rates=tuple(self.rates),
        )
