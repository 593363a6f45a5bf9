"""A study: which mixes are compared, on what and for how long."""

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optax

from ...diagnosis.probes.material import Plan
from ...diagnosis.probes.published.published import ITEMS, PAIRS
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
from ...tasks import corpora
from ...tasks.examples.mixture import Mixture
from ...tasks.files import sha256_of_all
from ...tasks.recorded.identity import digest_of
from ...tasks.tokens.vocabulary import vocabulary
from ..training.mesh import MeshShape, check_rows, make_mesh
from ..training.program import Program
from .adaptation import Adaptation

MEASURING = (
    *("documents", "fitted", "written", "restored", "rates", "probes", "held_out"),
    *("published", "pairs", "items"),
)
"""Settings of a study that say what is measured. They may change while its checkpoints
are kept: then everything is measured again."""

DESCRIBING = (
    *("name", "text", "beside", "ungated", "keep_checkpoints", "data_workers"),
    "deterministic",
)
"""Settings that change neither what is trained nor what is measured. Without
`deterministic` a GPU adds in any order: with it a run is one of those that it might
have been anyway."""

ADDING = ("mixes", "seeds")
"""Settings that say which runs there are. A folder's runs stay as they are when others
come: what a mix is, its identity says."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """The mixes compared. They share model, rows, batches and learning rate.

    Attributes:
      mixes: by name, a mixture file or an objective to train alone.
      incumbent: compared with the other mixes; held-out losses are of its objectives.
      corpus: that probes read, and that all mixes are trained on, whatever their
        files say.
      corpora: relative rates of the corpora that all mixes are trained on instead.
      vocabulary: of all mixes.
      seeds: of parameters and data; a run for each mix and seed.
      tokens: processed by each run: filled slots, in every stream.
      points: measurements of a run, evenly spaced in tokens; the last is at the end.
      model: dimensions.
      rows: capacities of a row.
      batch_rows: B.
      schedule: makes the learning rate by update, from the `steps` of a run; runs
        differ in these, as rows are not equally full.
      optimizer: from a schedule to an optax transformation.
      documents: of the validation split, for probe items.
      fitted: documents of the train split that shallow baselines are fitted to.
      written: texts to generate freely.
      restored: excerpts to restore for each corruption.
      rates: of corruption of the excerpts.
      probes: which probes to run, each with the corpus that it reads; empty for all
        of them, on `corpus`.
      published: folders and files of published tests to score every model on, in each
        mode that it was trained in (`diagnosis.probes.published`).
      pairs: minimal pairs of each paradigm of such a test.
      items: items of each file of such a test.
      held_out: batches of each task, of validation text.
      ungated: objectives that a run may fail to learn and still count
        (`diagnosis.results.gates`).
      name: of the study, and of its files of effects.
      text: what the corpora are, in words: "English prose"; else their names.
      beside: folders of the same study at other sizes, on the same corpora, for the
        picture of scores over size.
      adaptation: branches from the trained incumbent, instead of the mixes side by
        side; `points` then mean nothing.
      data: folder of recorded rows, which every arm is trained on; None makes them
        from the corpora.
      data_workers: processes of each run that make rows; 0 for none but its own.
      keep_checkpoints: whether checkpoints stay once they are measured, so that they
        can be measured again; without them another measurement trains again.
      deterministic: whether GPU kernels that add in any order are ruled out, as of
        `train`.
      settings: of the corpus, and of objectives that are trained alone.
      read: reads the mixture of a file.

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
    corpora: Mapping[str, float | int] = dataclasses.field(default_factory=dict)
    probes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    published: Sequence[str] = ()
    pairs: int = PAIRS
    items: int = ITEMS
    ungated: Sequence[str] = ()
    name: str = "study"
    text: str = ""
    beside: Sequence[str] = ()
    adaptation: Adaptation | None = None
    data: str | None = None
    data_workers: int = 0
    keep_checkpoints: bool = True
    deterministic: bool = False

    def __post_init__(self):
        if self.incumbent not in self.mixes:
            raise UsageError(
                f"study.incumbent is {self.incumbent!r}, which is no mix; "
                + nearest(self.incumbent, self.mixes)
            )
        if not self.seeds:
            raise UsageError(
                "study.seeds is empty; give at least one seed, as in (0,)."
            )
        for seed in self.seeds:
            require_seed("study.seeds", seed)
        if len(set(self.seeds)) < len(self.seeds):
            raise UsageError(
                f"study.seeds is {tuple(self.seeds)}; give each seed once: it is a run "
                "of each mix."
            )
        counts = ("points", "batch_rows", "documents", "fitted", "held_out")
        for name in (*counts, "pairs", "items"):
            require_count(f"study.{name}", getattr(self, name))
        for name in ("written", "restored"):
            require_count(f"study.{name}", getattr(self, name), least=0)
        require_count("study.tokens", self.tokens, most=2**53)
        for rate in self.rates:
            require_share("study.rates", rate)
        for probe, corpus in self.probes.items():
            corpora.require(f"study.probes[{probe!r}]", corpus, self.settings)
        for name in self.mixes:
            if not re.fullmatch(r"[\w.+-]+", name):
                raise UsageError(
                    f"study.mixes has the name {name!r}, which names files of "
                    "records; use letters, digits and any of _ . + -"
                )
            self.mixture(name)
        require_count("study.data_workers", self.data_workers, least=0)
        if self.adaptation:
            self.adaptation.require_names(self.mixes, incumbent=self.incumbent)
            self.adaptation.lengths(self.tokens)
        for objective in self.ungated:
            registry.get(objective)

    @property
    def trained_on(self) -> dict[str, float | int]:
        """Relative rates of the corpora that all mixes are trained on."""
        return dict(self.corpora) or {self.corpus: 1}

    @property
    def text_name(self) -> str:
        """Names those corpora in effects, of which others are of other texts."""
        return ", ".join(self.trained_on)

    def mixture(self, mix: str) -> Mixture:
        """A mix on the study's corpora, with the study's vocabulary.

        Raises:
          ValueError: its file is wrong, or names corpora task by task.
        """
        source = self.mixes[mix]
        trained_on = self.trained_on
        read = dict.fromkeys([*trained_on, self.corpus, *self.probes.values()])
        corpus_settings = {n: dict(self.settings.get(n, {})) for n in read}
        if not source.endswith(".gin"):
            registry.get(source)
            objective_settings = {
                n: v for n, v in self.settings.items() if n in registry.objectives()
            }
            rates, shares, settings = {source: 1.0}, None, objective_settings
            schedule = {}
        else:
            file_mixture = self.read(source)
            rates = file_mixture.at(0).objective_rates()
            shares, settings = file_mixture.loss_shares, file_mixture.settings
            schedule = file_mixture.schedule
        return Mixture(
            mix,
            rates,
            corpora=trained_on,
            loss_shares=shares,
            settings={**settings, **corpus_settings},
            vocabulary=self.vocabulary,
            schedule=schedule,
        )

    def program(self, *, steps: int) -> Program:
        """The program of a run with that many steps; each run sets its own seed."""
        mesh = make_mesh(MeshShape(data=-1))
        check_rows(self.batch_rows, microbatches=1, mesh=mesh)
        return Program(
            model=self.model,
            vocabulary_size=vocabulary(self.vocabulary).size,
            rows=self.rows,
            batch_rows=self.batch_rows,
            transformation=self.optimizer(self.schedule(steps=steps)),
            mesh=mesh,
            deterministic=self.deterministic,
        )

    @property
    def batch_tokens(self) -> int:
        """Slots of a batch, in all streams."""
        streams = (self.rows.decoder, self.rows.encoder)
        return self.batch_rows * sum(stream.slots for stream in streams if stream)

    def plan_digest(self) -> str:
        """Of what says what is measured; it changes no training.

        The settings, and the contents of published tests when it is first asked for.
        """
        named: dict[str, Any] = {n: repr(getattr(self, n)) for n in MEASURING}
        if self.published:  # older records of others keep their digest
            named["contents"] = self._contents
        return digest_of(named)[:12]

    @functools.cached_property
    def _contents(self) -> dict[str, dict[str, str]]:
        """sha256 of the files of published tests, by name, by path."""
        return {path: sha256_of_all(Path(path)) for path in self.published}

    def plan(self) -> Plan:
        """How much each point measures."""
        return Plan(
            documents=self.documents,
            fitted=self.fitted,
            written=self.written,
            restored=self.restored,
            rates=tuple(self.rates),
        )
