"""What is diagnosed, and what the probes read: checked before anything heavy starts."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...diagnosis.failures.registry import names
from ...diagnosis.findings import complaints
from ...diagnosis.findings.complaints import Complaint
from ...diagnosis.memo.gin_text import START
from ...diagnosis.probes.asking.forms import MODES
from ...diagnosis.probes.material import LEAST, Plan
from ...diagnosis.revision.adapted import KEPT
from ...diagnosis.revision.limits import NO_LIMITS, Limits, check
from ...objectives.errors import UsageError, nearest, require_positive, require_seed
from ...tasks import corpora
from ...tasks.corpora import Corpus
from ...tasks.examples.mean_mixture import mean_of_phases
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.examples.packed_mixture import PackedMixture
from ..configuration import resolved
from ..configuration.config import Config, load
from ..configuration.files import find
from ..configuration.mixture import mixture_of, packed_mixture_of, rows_of
from ..configuration.statements import read_file
from ._diagnose_limits import Model, limits_of, model_of

ADAPT_SHARE = 0.1
"""Length of `adapt.gin`, of the slots that the run processed, if not told otherwise."""

_SUPPLIED = ("run_dir", "config", "mixture", "rows")
"""Parameters of `train` from the launcher and from the memo's own file."""

_REVISED = (
    "Mixture",
    "decoder_rows",
    "encoder_decoder_rows",
    "train.mixture",
    "train.rows",
    "train.normalisation",
    "train.start_from",
    "train.data",
)
"""What the memo's own file binds for a run, or has none of: recorded rows are of the
mixture that they were recorded of."""

_SCHEDULES = ("constant", "warmup_cosine", "warmup_rsqrt", "warmup_stable_decay")
_ADAPTED = (*_REVISED, *_SCHEDULES, "train.steps", "train.schedule")
"""What the file that adapts a run binds besides."""


class Trained(NamedTuple):
    """The run that is diagnosed, as far as it is adapted.

    Attributes:
      start: gin text of it, without mixture, rows, steps and schedule.
      peak: its highest learning rate.
    """

    start: str
    peak: float


class DiagnosisInput(NamedTuple):
    """What is diagnosed.

    Attributes:
      mixture: that is diagnosed, with its schedule.
      packed_mixture: the mean of its phases, which is measured and revised; its rows
        and batches, and its loss normalisation.
      gin: the file that binds it.
      start: gin text of a run, without its mixture and rows.
      corpus: read by the probes.
      settings: of the corpus, as the command line binds them.
      run: directory of the run trained on the mixture; None without a run.
      trained: what of that run is adapted; None without a run.
      model: that is trained on the mixture; None if gin files bind none.
      limits: what the team can afford.
    """

    mixture: Mixture
    packed_mixture: PackedMixture
    gin: str
    start: str
    corpus: Corpus
    settings: tuple[str, ...]
    run: Path | None
    trained: Trained | None = None
    model: Model | None = None
    limits: Limits = NO_LIMITS


def read_input(options: argparse.Namespace, bindings: Sequence[str]) -> DiagnosisInput:
    """Reads what the command line names, and checks what is quick to check.

    Args:
      options: `run_dir`, `gin_file`, `corpus`, `mode`, `documents`, `seed`,
        `adapt_share`, `adapt_keep`, and those of `add_limits`.
      bindings: `NAME=VALUE`; with a run, settings of corpora.

    Raises:
      ValueError: neither or both of a run and gin files; a run without config or
        checkpoint; an unknown mode or corpus, or an invalid number; any mistake in the
        mixture; a corpus whose documents are missing; limits that nothing keeps.
    """
    about = _input(options, bindings)
    limits = limits_of(options)
    present = list(about.packed_mixture.mixture.objectives())
    check(limits, present, about.model and about.model.row_cost)
    return about._replace(limits=limits)


def _input(options: argparse.Namespace, bindings: Sequence[str]) -> DiagnosisInput:
    _check_numbers(options)
    if bool(options.run_dir) == bool(options.gin_file):
        raise UsageError(
            "diagnose takes a run's directory, or without a checkpoint the "
            "--gin_file of the current mixture; give one of them."
        )
    if options.run_dir:
        return _of_run(Path(options.run_dir), options, bindings)
    _refuse_options_of_a_run(options)
    config = load(options.gin_file, bindings)
    mixture = _mixture(config)
    packed_mixture = _packed_mixture(config, mixture)
    corpus = _corpus(mixture, _probed(mixture, options.corpus))
    start = _start(config)
    return DiagnosisInput(
        *(mixture, packed_mixture, _file_of_rates(options.gin_file)),
        *(start, corpus, (), None),
        model=None if start == START else model_of(config, packed_mixture),
    )


def _refuse_options_of_a_run(options: argparse.Namespace) -> None:
    """Refuses what nothing would read without a model."""
    for name, usual, what in (
        ("mode", None, "is how to ask a model"),
        ("documents", Plan().documents, "is how many to probe a model with"),
        ("adapt_share", ADAPT_SHARE, "is how long to train a model on"),
        ("adapt_keep", KEPT, "is how much of a run's mixture to keep"),
    ):
        value = getattr(options, name)
        if value != usual:
            raise UsageError(
                f"--{name}={value} {what}, and there is none: give a run's directory, "
                f"or leave --{name} out."
            )


def read_complaints(failures: str | None, *, measured: bool) -> tuple[Complaint, ...]:
    """Reads the failures complained of.

    Args:
      failures: path of a CSV of findings, or names of failures.
      measured: whether a checkpoint is measured for failures. Without a checkpoint and
        without complaints, all failures are assumed to be named.

    Raises:
      ValueError: a name or a file is wrong, or reviewers found no failure at all.
    """
    if failures is None:
        return () if measured else complaints.named(names())
    path = Path(failures)
    if not failures or not (path.suffix or path.exists()):
        return complaints.named([name.strip() for name in failures.split(",")])
    reviewed = complaints.read(path)
    if not any(complaint.count for complaint in reviewed):
        raise UsageError(
            f"{path}: reviewers found none of these failures, so there is nothing to "
            "explain; leave --failures out to have a checkpoint measured for all."
        )
    return reviewed


def _check_numbers(options: argparse.Namespace) -> None:
    """Refuses options with which no probe can work."""
    if options.mode and options.mode not in MODES:
        raise UsageError(f"--mode: no {options.mode!r}; {nearest(options.mode, MODES)}")
    if options.documents < LEAST:
        raise UsageError(
            f"--documents={options.documents}: a probe needs {LEAST} or more for a "
            "meaningful confidence interval."
        )
    require_seed("--seed", options.seed)
    require_positive("--adapt_share", options.adapt_share)
    if not 0 <= options.adapt_keep < 1:
        raise UsageError(
            f"--adapt_keep is {options.adapt_keep}; it is the share of the mixture "
            "that stays, so set it from 0 to below 1."
        )


def _of_run(
    run_dir: Path, options: argparse.Namespace, bindings: Sequence[str]
) -> DiagnosisInput:
    """A run, configured by its own gin file; the probes' corpus may be rebound."""
    for binding in bindings:
        name = binding.partition("=")[0].rpartition(".")[0]
        if corpora.base_name(name) not in corpora.names():
            raise UsageError(
                f"a run has its own config, so --gin.{binding} would change nothing; "
                "leave it out. Only a setting of the --corpus may be bound, such as "
                "--gin.text.folder=FOLDER."
            )
    from ..inference.open import run_config, saved_config

    config = run_config(run_dir)
    path = str(run_dir / "config.gin")
    mixture = bound = _mixture(config)
    packed_mixture = _packed_mixture(config, mixture)
    probed = _probed(mixture, options.corpus)
    for binding in bindings:
        name = binding.partition("=")[0].rpartition(".")[0]
        if name != probed:
            raise UsageError(
                f"the probes read the corpus {probed!r}, so --gin.{binding} would "
                f"change nothing; give --corpus={name} too, or leave it out."
            )
    if bindings:
        bound = _mixture(saved_config(run_dir, bindings))
    corpus = _corpus(bound, probed)
    about = mixture, packed_mixture, path, _start(config), corpus
    return DiagnosisInput(
        *(*about, tuple(bindings), run_dir),
        trained=_trained(config),
        model=model_of(config, packed_mixture),
    )


def _trained(config: Config) -> Trained:
    """What of a run is adapted."""
    import jax.numpy as jnp

    from ..training.schedules import schedule_of

    settings = config.arguments("train", run_dir="", config="")
    steps = settings["steps"]
    rates = schedule_of(settings["schedule"], steps=steps)(jnp.arange(steps))
    start = resolved.text(config.bindings, "train", (), without=_ADAPTED).rstrip()
    return Trained(start, float(jnp.max(rates)))


def _packed_mixture(config: Config, mixture: Mixture) -> PackedMixture:
    """What is measured and revised: the mean of the phases, if there are several."""
    return packed_mixture_of(config, mean_of_phases(mixture), rows_of(config))


def _mixture(config: Config) -> Mixture:
    """The mixture bound to `train`, or else the only one."""
    bound = config.bindings.bound((), "train")
    if "mixture" in bound:
        return config.bindings.resolve(bound["mixture"].value)
    return mixture_of(config)


def _file_of_rates(files: Sequence[str]) -> str:
    """The last of the files that binds `Mixture.rates`, by itself or what it includes.

    The last file of all where none does: the command line has them.
    """
    binding = [
        file
        for file in files
        if any((s[1], s[2]) == ("Mixture", "rates") for s in read_file(find(file)))
    ]
    return (binding or files)[-1]


def _probed(trained: Mixture, name: str | None) -> str:
    """The corpus of the probes: the named one, or the first that is trained on."""
    name = name or split_task(next(iter(trained.positive_rates())))[0]
    if corpora.base_name(name) not in corpora.names():
        raise UsageError(f"--corpus: no {name!r}; {nearest(name, corpora.names())}")
    return name


def _corpus(bound: Mixture, name: str) -> Corpus:
    """A corpus with the settings of a mixture, all of whose documents are there."""
    corpus = bound.corpus(name)
    corpus.check()
    return corpus


def _start(config: Config) -> str:
    """Gin text of the bound run without its mixture; of a small run if none is."""
    needed = set(config.bindings.table["train"].required()) - set(_SUPPLIED)
    if not needed <= config.bindings.bound((), "train").keys():
        return START
    return resolved.text(config.bindings, "train", (), without=_REVISED).rstrip()
