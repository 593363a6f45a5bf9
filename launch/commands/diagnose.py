"""`sightline diagnose`: measure failures, find their causes, revise the mixture."""

import argparse
import datetime
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from ...diagnosis.causes.causes import causes
from ...diagnosis.examination import (
    Measured,
    checkpoint_scores,
    corpus_lengths,
    mixture_figures,
)
from ...diagnosis.memo import memo
from ...diagnosis.probes.asking.forms import MODES
from ...diagnosis.probes.material import Plan, require_documents
from ...diagnosis.results import effects_file
from ...diagnosis.revision.propose import propose
from ...diagnosis.scores.complaints import Complaint
from ...diagnosis.scores.score import FAILURES, Failure
from ...diagnosis.traits.traits import MixtureTraits
from ...tasks.tokens.vocabulary import vocabulary
from ..terminal.diagnosis import cause_table, change_table, score_table
from ..terminal.progress import phases
from ._arguments import gin_parser, parse_gin
from ._diagnose_input import Given, given, told

_ABOUT = """\
Measure the three failures on a checkpoint, find their causes in its mixture, and write
a memo with a revised mixture: memo.md, memo.html, recommended.gin.

  sightline diagnose runs/mine --out=memo
  sightline diagnose runs/mine --corpus=python_docs --failures=findings.csv --out=memo
  sightline diagnose runs/mine --corpus=text --gin.text.folder=drafts --out=memo
  sightline diagnose --gin_file=incumbent.gin --failures=drift --out=memo

Without a run the measured parts are marked as not measured. Findings are a CSV with the
columns failure,count,total; failures are drift, continuation, reconstruction. Left out,
a checkpoint is measured for all three, and without one all three are taken for named.
"""


def main(arguments: Sequence[str]) -> int:
    """Writes the memo and prints what it comes to; returns the exit status.

    Whatever the arguments can have wrong is found before anything heavy starts, and
    the memo is written at the very end, whole.
    """
    options, bindings = parse_gin(_parser(), arguments)
    out = Path(options.out)
    memo.check(out)
    complaints = told(options.failures, measured=bool(options.run_dir))
    about = given(options, bindings)
    command = shlex.join(["sightline", "diagnose", *arguments])
    with phases(Console(stderr=True)) as progress:
        written = _memo(about, complaints, options, command, progress)
    paths = memo.write(written, out)
    shown = Console()
    if written.scores:
        shown.print(score_table(written.scores))
    shown.print(cause_table(written.causes))
    if written.proposal.changes:
        shown.print(change_table(written.proposal.changes))
    for path in paths:
        shown.print(str(path), highlight=False, soft_wrap=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = gin_parser("diagnose", _ABOUT, files="optional")
    parser.add_argument("run_dir", nargs="?", metavar="RUN_DIR")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument("--corpus", help="that the probes read; the mixture's first")
    parser.add_argument("--failures", help="a CSV of findings, or names: drift,…")
    parser.add_argument("--mode", help=f"in which to ask the model: {', '.join(MODES)}")
    parser.add_argument(
        "--documents", type=int, default=Plan().documents, help="that are probed (300)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of what probes draw at random (0)"
    )
    return parser


def _memo(
    about: Given,
    complaints: Sequence[Complaint],
    options: argparse.Namespace,
    command: str,
    progress: Callable[[str], None],
) -> memo.Memo:
    """Measures, finds causes, proposes: all that the memo says."""
    mixture, rows = about.asked.mixture, about.asked.rows
    if about.run is not None:
        progress(f"corpus {about.corpus.name}")
        require_documents(about.corpus, vocabulary(mixture.vocabulary))
    progress("mixture")
    lengths = corpus_lengths(mixture, seed=options.seed)
    traits, packing = mixture_figures(about.asked, lengths, seed=options.seed)
    found = _checkpoint(about, complaints, traits, options, progress)
    scores = found.scores if found else ()
    progress("causes and changes")
    checked = causes(
        traits,
        audit=found.verdicts if found else None,
        packing=packing,
        scores=scores if found else None,
        complaints=complaints or None,
    )
    effects = effects_file.shipped()
    proposal = propose(
        mixture,
        traits,
        checked,
        scores,
        complaints,
        effects,
        rows=rows,
        lengths=lengths,
    )
    return memo.Memo(
        provenance=_provenance(about, found, folder=options.out, command=command),
        mixture=mixture,
        rows=rows,
        traits=traits,
        causes=checked,
        complaints=tuple(complaints),
        scores=scores,
        proposal=proposal,
        effects=effects,
        not_measured=found.left_out if found else (),
        start=about.start,
    )


def _provenance(
    about: Given, found: Measured | None, *, folder: str, command: str
) -> memo.Provenance:
    origin = memo.Provenance(
        date=_today(),
        gin=about.gin,
        folder=folder,
        corpus=about.corpus.name,
        settings=about.settings,
        architecture=about.asked.rows.architecture,
        command=command,
    )
    if found is None:
        return origin
    return origin._replace(
        run=str(about.run),
        step=found.step,
        mode=found.mode,
        parameters=found.parameters,
    )


def _today() -> str:
    return datetime.date.today().isoformat()


def _checkpoint(
    about: Given,
    complaints: Sequence[Complaint],
    traits: MixtureTraits,
    options: argparse.Namespace,
    progress: Callable[[str], None],
) -> Measured | None:
    """What the run's newest checkpoint scores; None without a run."""
    if about.run is None:
        return None
    from ..inference.open import trained

    progress("checkpoint")
    had: list[Failure] = [c.failure for c in complaints if c.count != 0]
    run = trained(about.run, compute_dtype="float32")
    return checkpoint_scores(
        run.model,
        about.asked,
        traits,
        about.corpus,
        Plan(documents=options.documents, seed=options.seed),
        step=run.step,
        failures=had or FAILURES,
        mode=options.mode,
        progress=progress,
    )
