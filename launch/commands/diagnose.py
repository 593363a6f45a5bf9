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
from ...diagnosis.memo.adapt_text import PEAK, Adaptation, steps_for
from ...diagnosis.probes.asking.forms import MODES
from ...diagnosis.probes.material import Plan, require_documents
from ...diagnosis.results import effects_file
from ...diagnosis.revision.adapted import adapted
from ...diagnosis.revision.propose import Proposal, propose
from ...diagnosis.scores.complaints import Complaint
from ...diagnosis.scores.score import FAILURES, Failure
from ...diagnosis.traits.traits import MixtureTraits
from ...tasks.tokens.vocabulary import vocabulary
from ..terminal.diagnosis import cause_table, change_table, score_table
from ..terminal.progress import phases
from ._arguments import gin_parser, parse_gin
from ._diagnose_input import DiagnosisInput, read_complaints, read_input

_ABOUT = """\
Measure the three failures on a checkpoint, find their causes in its mixture, and write
a memo with a revised mixture: memo.md, memo.html, recommended.gin; of a run also
adapt.gin, which trains it on instead of another one from scratch.

  sightline diagnose runs/mine --out=memo
  sightline diagnose runs/mine --corpus=python_docs --failures=findings.csv --out=memo
  sightline diagnose runs/mine --corpus=text --gin.text.folder=drafts --out=memo
  sightline diagnose --gin_file=incumbent.gin --failures=drift --out=memo

Without a run the measured parts are marked as not measured. Findings are a CSV with the
columns failure,count,total; failures are drift, continuation, reconstruction. Without
--failures a checkpoint is measured for all three, and without a run all are assumed.
"""


def main(arguments: Sequence[str]) -> int:
    """Writes the memo and prints its tables; returns the exit status.

    Mistakes in the arguments are reported before anything heavy starts, and the memo
    is written whole, at the very end.
    """
    options, bindings = parse_gin(_parser(), arguments)
    out = Path(options.out)
    memo.check(out)
    complaints = read_complaints(options.failures, measured=bool(options.run_dir))
    about = read_input(options, bindings)
    command = shlex.join(["sightline", "diagnose", *arguments])
    with phases(Console(stderr=True)) as progress:
        contents = _memo(about, complaints, options, command, progress)
    paths = memo.write(contents, out)
    console = Console()
    if contents.scores:
        console.print(score_table(contents.scores))
    console.print(cause_table(contents.causes))
    if contents.proposal.changes:
        console.print(change_table(contents.proposal.changes))
    for path in paths:
        console.print(str(path), highlight=False, soft_wrap=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = gin_parser("diagnose", _ABOUT, files="optional")
    parser.add_argument("run_dir", nargs="?", metavar="RUN_DIR")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument("--corpus", help="read by the probes (the mixture's first)")
    parser.add_argument("--failures", help="a CSV of findings, or names: drift,…")
    parser.add_argument("--mode", help=f"how to ask the model: {', '.join(MODES)}")
    parser.add_argument(
        "--documents", type=int, default=Plan().documents, help="to probe (300)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the probes' random draws (0)"
    )
    parser.add_argument(
        "--adapt_share",
        type=float,
        default=0.1,
        metavar="SHARE",
        help="length of adapt.gin, of the tokens that the run has read (%(default)g)",
    )
    return parser


def _memo(
    about: DiagnosisInput,
    complaints: Sequence[Complaint],
    options: argparse.Namespace,
    command: str,
    progress: Callable[[str], None],
) -> memo.Memo:
    """Measures, finds causes and proposes changes: the contents of the memo."""
    mixture, rows = about.packed_mixture.mixture, about.packed_mixture.rows
    if about.run is not None:
        progress(f"corpus {about.corpus.name}")
        require_documents(about.corpus, vocabulary(mixture.vocabulary))
    progress("mixture")
    lengths = corpus_lengths(mixture, seed=options.seed)
    traits, packing = mixture_figures(about.packed_mixture, lengths, seed=options.seed)
    measured = _checkpoint(about, complaints, traits, options, progress)
    scores = measured.scores if measured else ()
    progress("causes and changes")
    checked_causes = causes(
        traits,
        audit=measured.verdicts if measured else None,
        packing=packing,
        scores=scores if measured else None,
        complaints=complaints or None,
    )
    effects = effects_file.shipped()[0]
    proposal = propose(
        mixture,
        traits,
        checked_causes,
        scores,
        complaints,
        effects,
        rows=rows,
        lengths=lengths,
    )
    return memo.Memo(
        provenance=_provenance(about, measured, folder=options.out, command=command),
        mixture=mixture,
        rows=rows,
        traits=traits,
        causes=checked_causes,
        complaints=tuple(complaints),
        scores=scores,
        proposal=proposal,
        effects=effects,
        not_measured=measured.left_out if measured else (),
        start=about.start,
        adaptation=_adaptation(about, measured, traits, proposal, options.adapt_share),
    )


def _adaptation(
    about: DiagnosisInput,
    measured: Measured | None,
    traits: MixtureTraits,
    proposal: Proposal,
    share: float,
) -> Adaptation | None:
    """How the run is adapted; None without a run, or where nothing changes."""
    if measured is None or about.trained is None or not proposal.changes:
        return None
    before = about.packed_mixture
    return Adaptation(
        run=str(about.run),
        step=measured.step,
        start=about.trained.start,
        steps=steps_for(
            share, step=measured.step, before=before.rows, after=proposal.rows
        ),
        share=share,
        peak=float(f"{PEAK * about.trained.peak:.3g}"),
        proposal=adapted(before.mixture, proposal, traits.loss),
    )


def _provenance(
    about: DiagnosisInput, measured: Measured | None, *, folder: str, command: str
) -> memo.Provenance:
    origin = memo.Provenance(
        date=_today(),
        gin=about.gin,
        folder=folder,
        corpus=about.corpus.name,
        settings=about.settings,
        architecture=about.packed_mixture.rows.architecture,
        command=command,
    )
    if measured is None:
        return origin
    return origin._replace(
        run=str(about.run),
        step=measured.step,
        mode=measured.mode,
        parameters=measured.parameters,
    )


def _today() -> str:
    return datetime.date.today().isoformat()


def _checkpoint(
    about: DiagnosisInput,
    complaints: Sequence[Complaint],
    traits: MixtureTraits,
    options: argparse.Namespace,
    progress: Callable[[str], None],
) -> Measured | None:
    """The scores of the run's newest checkpoint; None without a run."""
    if about.run is None:
        return None
    from ..inference.open import load_trained

    progress("checkpoint")
    reported: list[Failure] = [c.failure for c in complaints if c.count != 0]
    run = load_trained(about.run, compute_dtype="float32")
    return checkpoint_scores(
        run.model,
        about.packed_mixture,
        traits,
        about.corpus,
        Plan(documents=options.documents, seed=options.seed),
        step=run.step,
        failures=reported or FAILURES,
        mode=options.mode,
        progress=progress,
    )
