"""`sightline diagnose`: from failures to their causes, a revised mixture and a memo."""

import argparse
import datetime
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from flax import nnx
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ..diagnosis import complaints as findings, effects_file
from ..diagnosis.audit import Verdict, audit
from ..diagnosis.causes import causes
from ..diagnosis.complaints import Complaint
from ..diagnosis.document_fit import Packing, document_fits, document_lengths
from ..diagnosis.memo import memo
from ..diagnosis.probes.asking import MODES
from ..diagnosis.probes.battery import battery
from ..diagnosis.probes.future import leak_scores
from ..diagnosis.probes.material import Plan, material
from ..diagnosis.probes.subject import subject
from ..diagnosis.propose import propose
from ..diagnosis.score import FAILURES, Failure, Score
from ..diagnosis.traits import MixtureTraits, mixture_traits
from ..models.rows import RowShape
from ..tasks.mixture import Mixture, split_task
from ..tasks.tokenised_documents import TokenisedDocuments
from ..tasks.vocabulary import vocabulary
from .cli import gin_parser, parse_gin
from .diagnose_tables import cause_table, score_table
from .gin_mixture import architecture_of, mixture_of, rows_of
from .trained import Trained

_ABOUT = """\
Measure the three failures on a checkpoint, find their causes in its mixture, and write
a memo with a revised mixture: memo.md, memo.html, recommended.gin.

  sightline diagnose runs/mine --out=memo
  sightline diagnose runs/mine --corpus=python_docs --failures=findings.csv --out=memo
  sightline diagnose --gin_file=incumbent.gin --failures=drift --out=memo

Without a run the measured parts are marked as not measured. Findings are a CSV with the
columns failure,count,total; failures are drift, continuation, reconstruction.
"""

EXAMPLES = 1000
"""Packed to measure how full rows are and what share of the loss each objective has."""


class Given(NamedTuple):
    """What is diagnosed: a mixture on rows, and the run that it trained, if any."""

    mixture: Mixture
    rows: RowShape
    gin: str
    run: Trained | None


def main(arguments: Sequence[str]) -> int:
    """Writes the memo and prints what it comes to; returns the exit status."""
    parser = gin_parser("diagnose", _ABOUT, files="optional")
    parser.add_argument("run_dir", nargs="?", metavar="RUN_DIR")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument("--corpus", help="that the probes read; the mixture's first")
    parser.add_argument("--failures", help="a CSV of findings, or names: drift,…")
    parser.add_argument("--mode", choices=MODES, help="in which to ask the model")
    parser.add_argument("--documents", type=int, default=Plan().documents)
    parser.add_argument("--seed", type=int, default=0)
    options, bindings = parse_gin(parser, arguments)

    out = Path(options.out)
    memo.check(out)
    told = _complaints(options.failures)
    given = _given(options, bindings)
    console = Console(stderr=True)

    rng = np.random.default_rng(options.seed)
    lengths = _lengths(given.mixture, rng)
    traits, packing = _mixture(given, lengths, options.seed)
    scores, verdicts, left_out, mode = [], None, [], None
    corpus = options.corpus or split_task(next(iter(given.mixture.positive_rates())))[0]
    if given.run is not None:
        scores, verdicts, left_out, mode = _measured(
            given.run, traits, corpus, told, options, console
        )
    found = causes(
        traits,
        audit=verdicts,
        packing=packing,
        scores=scores or None,
        complaints=told or None,
    )
    effects = effects_file.shipped()
    proposal = propose(
        given.mixture,
        traits,
        found,
        scores,
        told,
        effects,
        rows=given.rows,
        lengths=lengths,
    )
    written = memo.write(
        memo.Memo(
            looked=memo.Looked(
                date=datetime.date.today().isoformat(),
                gin=given.gin,
                folder=str(out),
                corpus=corpus,
                architecture=architecture_of(given.rows),
                run=options.run_dir,
                step=None if given.run is None else given.run.step,
                mode=mode,
                parameters=None if given.run is None else _parameters(given.run),
                command=shlex.join(["sightline", "diagnose", *arguments]),
            ),
            mixture=given.mixture,
            rows=given.rows,
            traits=traits,
            causes=found,
            complaints=told,
            scores=tuple(scores),
            proposal=proposal,
            effects=effects,
            not_measured=tuple(left_out),
        ),
        out,
    )
    shown = Console()
    if scores:
        shown.print(score_table(scores))
    shown.print(cause_table(found))
    for path in written:
        shown.print(str(path), highlight=False)
    return 0


def _given(options: argparse.Namespace, bindings: Sequence[str]) -> Given:
    """What is to be diagnosed.

    Raises:
      ValueError: neither or both of a run and gin files, or a run without checkpoint.
    """
    if bool(options.run_dir) == bool(options.gin_file):
        raise ValueError(
            "diagnose takes a run's directory, or without a checkpoint the "
            "--gin_file of the current mixture; give one of them."
        )
    if options.run_dir:
        if bindings:
            raise ValueError(
                f"diagnose was given a run and {bindings[0]!r}; a run has its own "
                "config, so leave the bindings out."
            )
        from .trained import trained

        run = trained(Path(options.run_dir), compute_dtype="float32")
        config = Path(options.run_dir, "config.gin")
        return Given(run.mixture, run.rows, str(config), run)
    from .config import load

    config = load(options.gin_file, bindings)
    return Given(mixture_of(config), rows_of(config), options.gin_file[-1], None)


def _complaints(said: str | None) -> tuple[Complaint, ...]:
    """A CSV of findings where the text names a file, else names of failures."""
    if not said:
        return ()
    path = Path(said)
    if path.suffix or path.exists():
        return findings.read(path)
    return findings.named([name.strip() for name in said.split(",")])


def _lengths(mixture: Mixture, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Tokens of some documents of each corpus of the mixture."""
    words = vocabulary(mixture.vocabulary)
    names = {split_task(task)[0]: None for task in mixture.positive_rates()}
    return {
        name: document_lengths(
            TokenisedDocuments(mixture.corpus(name), "train", words), rng
        )
        for name in names
    }


def _mixture(
    given: Given, lengths: dict[str, np.ndarray], seed: int
) -> tuple[MixtureTraits, Packing]:
    """What the mixture asks of a model, and how its Examples fill rows."""
    from .mix_show import Asked, measure

    shown = measure(
        Asked(given.mixture, given.rows),
        argparse.Namespace(seed=seed, examples=EXAMPLES),
    )
    traits = mixture_traits(
        given.mixture,
        given.rows,
        lengths=lengths,
        loss=shown.loss,
        loss_source=f"{EXAMPLES:,} packed examples",
        seed=seed,
    )
    fits = document_fits(given.mixture, given.rows, lengths)
    return traits, Packing(fits, shown.packed.slots, EXAMPLES)


def _measured(
    run: Trained,
    traits: MixtureTraits,
    corpus: str,
    told: Sequence[Complaint],
    options: argparse.Namespace,
    console: Console,
) -> tuple[list[Score], list[Verdict], list[str], str]:
    """Scores, the leak audit, what could not be measured, and the mode asked in."""
    words = vocabulary(run.mixture.vocabulary)
    modes = {str(mode): s for mode, s in traits.overall["examples"].modes.items()}
    asked = subject(run.model, run.rows, words, trained=modes, mode=options.mode)
    plan = Plan(documents=options.documents, seed=options.seed)
    given = material(asked, run.mixture.corpus(corpus), plan)
    failures: Sequence[Failure] = [c.failure for c in told if c.count != 0] or FAILURES
    scores: list[Score] = []
    left_out: list[str] = []
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with bar:
        shown = bar.add_task("leak audit", total=None)
        verdicts = list(
            audit(
                run.model,
                run.mixture.objectives(),
                words.special_ids,
                architecture=architecture_of(run.rows),
                seed=options.seed,
            )
        )
        if "drift" in failures:
            scores += leak_scores(verdicts)
        for found in battery(
            asked,
            given,
            failures,
            progress=lambda name: bar.update(shown, description=name),
        ):
            if isinstance(found, str):
                left_out.append(found)
            else:
                scores.append(found)
    return scores, verdicts, left_out, asked.mode


def _parameters(run: Trained) -> int:
    return sum(x.size for x in jax.tree.leaves(nnx.state(run.model)))
