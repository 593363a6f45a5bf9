"""What is diagnosed, and what the probes read: checked before anything heavy starts."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ...diagnosis.memo.gin_text import START
from ...diagnosis.probes.asking.forms import MODES
from ...diagnosis.probes.material import LEAST
from ...diagnosis.scores import complaints
from ...diagnosis.scores.complaints import Complaint
from ...diagnosis.scores.score import FAILURES
from ...objectives.errors import UsageError, nearest, require_seed
from ...tasks import corpora
from ...tasks.corpora import Corpus
from ...tasks.examples.mixture import Mixture, split_task
from ...tasks.examples.packed_mixture import PackedMixture
from ..configuration import resolved
from ..configuration.config import Config, load
from ..configuration.mixture import checked, mixture_of, rows_of

_MADE = ("run_dir", "config", "mixture", "rows")
"""Of `train`: what the launcher gives, and what the memo's own file binds."""

_REVISED = (
    "Mixture",
    "decoder_rows",
    "encoder_decoder_rows",
    "train.mixture",
    "train.rows",
    "train.normalisation",
)
"""What the memo's own file binds of a run."""


class Given(NamedTuple):
    """What is diagnosed.

    Attributes:
      asked: the mixture, on rows, in batches, and the normalisation of its loss.
      gin: the file that gives it.
      start: gin text of a run but for its mixture and rows.
      corpus: that the probes read.
      settings: of the corpus, as the command line binds them.
      run: the directory of the run that the mixture trained; None where there is none.
    """

    asked: PackedMixture
    gin: str
    start: str
    corpus: Corpus
    settings: tuple[str, ...]
    run: Path | None


def given(options: argparse.Namespace, bindings: Sequence[str]) -> Given:
    """Reads what the command line names, and checks all that is quick to check.

    Args:
      options: `run_dir`, `gin_file`, `corpus`, `mode`, `documents`, `seed`.
      bindings: `NAME=VALUE`; with a run, settings of corpora.

    Raises:
      ValueError: neither or both of a run and gin files; a run without config or
        checkpoint; a mode, a corpus or a number that there is none of; a mixture that
        is wrong in any way, or a corpus whose documents are missing.
    """
    _check_numbers(options)
    if bool(options.run_dir) == bool(options.gin_file):
        raise UsageError(
            "diagnose takes a run's directory, or without a checkpoint the "
            "--gin_file of the current mixture; give one of them."
        )
    if options.run_dir:
        return _of_run(Path(options.run_dir), options, bindings)
    if options.mode:
        raise UsageError(
            f"--mode={options.mode} is how a model is asked, and there is none: give a "
            "run's directory, or leave the mode out."
        )
    config = load(options.gin_file, bindings)
    asked = _asked(config)
    corpus = _corpus(asked.mixture, asked.mixture, options.corpus)
    return Given(asked, options.gin_file[-1], _start(config), corpus, (), None)


def told(said: str | None, *, measured: bool) -> tuple[Complaint, ...]:
    """The failures that are complained of.

    Args:
      said: a CSV of findings where the text names a file, else names of failures.
      measured: whether a checkpoint says which failures there are. Where neither it
        nor reviewers do, all are taken for named.

    Raises:
      ValueError: a name or a file is wrong, or reviewers found no failure at all.
    """
    if said is None:
        return () if measured else complaints.named(FAILURES)
    path = Path(said)
    if not said or not (path.suffix or path.exists()):
        return complaints.named([name.strip() for name in said.split(",")])
    found = complaints.read(path)
    if not any(one.count for one in found):
        raise UsageError(
            f"{path}: reviewers found none of these failures, so there is nothing to "
            "explain; leave --failures out to have a checkpoint measured for all."
        )
    return found


def _check_numbers(options: argparse.Namespace) -> None:
    """Refuses options that no probe could do with."""
    if options.mode and options.mode not in MODES:
        raise UsageError(f"--mode: no {options.mode!r}; {nearest(options.mode, MODES)}")
    if options.documents < LEAST:
        raise UsageError(
            f"--documents={options.documents}: a probe needs {LEAST} or more for an "
            "interval to mean something."
        )
    require_seed("--seed", options.seed)


def _of_run(
    run_dir: Path, options: argparse.Namespace, bindings: Sequence[str]
) -> Given:
    """A run: its config is a gin file; the corpus of the probes may be bound anew."""
    for binding in bindings:
        name = binding.partition("=")[0].rpartition(".")[0]
        if name not in corpora.names():
            raise UsageError(
                f"a run has its own config, so --gin.{binding} would change nothing; "
                "leave it out. Only a setting of the --corpus may be bound, such as "
                "--gin.text.folder=FOLDER."
            )
    from ..inference.open import run_config

    config = run_config(run_dir)
    path = str(run_dir / "config.gin")
    asked = _asked(config)
    bound = _asked_mixture(load([path], bindings)) if bindings else asked.mixture
    corpus = _corpus(asked.mixture, bound, options.corpus)
    return Given(asked, path, _start(config), corpus, tuple(bindings), run_dir)


def _asked(config: Config) -> PackedMixture:
    mixture, rows = _asked_mixture(config), rows_of(config)
    return checked(config, mixture, rows)


def _asked_mixture(config: Config) -> Mixture:
    """The mixture that a run trains; else the only one."""
    bound = config.bindings.bound((), "train")
    if "mixture" in bound:
        return config.bindings.resolve(bound["mixture"].value)
    return mixture_of(config)


def _corpus(trained: Mixture, bound: Mixture, name: str | None) -> Corpus:
    """The corpus of the probes: one that is named, or the first that is trained on."""
    name = name or split_task(next(iter(trained.positive_rates())))[0]
    if name not in corpora.names():
        raise UsageError(f"--corpus: no {name!r}; {nearest(name, corpora.names())}")
    corpus = bound.corpus(name)
    corpus.check()
    return corpus


def _start(config: Config) -> str:
    """The run that a configuration binds, without its mixture; a small one if none."""
    needed = set(config.bindings.table["train"].required()) - set(_MADE)
    if not needed <= config.bindings.bound((), "train").keys():
        return START
    return resolved.text(config.bindings, "train", (), without=_REVISED).rstrip()
