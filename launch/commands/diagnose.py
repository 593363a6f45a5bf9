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
from ...diagnosis.failures.registry import failures, names
from ...diagnosis.findings.complaints import Complaint
from ...diagnosis.memo import memo
from ...diagnosis.memo.adapt_text import PEAK, Adaptation, steps_for
from ...diagnosis.probes.asking.forms import MODES
from ...diagnosis.probes.material import Plan, require_documents
from ...diagnosis.results import effects_file
from ...diagnosis.results.effects import Effects
from ...diagnosis.results.nearest import Run, ranked
from ...diagnosis.revision.adapted import KEPT, adapted
from ...diagnosis.revision.propose import Proposal, propose
from ...diagnosis.traits.traits import MixtureTraits
from ...tasks.tokens.vocabulary import vocabulary
from ..terminal.diagnosis import (
    cause_table,
    change_table,
    limit_table,
    score_table,
)
from ..terminal.progress import phases
from ..terminal.published import published_tables
from ._arguments import gin_parser, parse_gin
from ._diagnose_input import (
    ADAPT_SHARE,
    DiagnosisInput,
    read_complaints,
    read_input,
)
from ._diagnose_limits import add_limits, slots
from ._published import add_probe_data, check_probe_data, published_of_run

_ABOUT = """\
Measure failures on a checkpoint, find their causes in its mixture, and write
a memo with a revised mixture: memo.md, memo.html, recommended.gin; of a run also
adapt.gin, which trains it on instead of another one from scratch.

  sightline diagnose runs/mine --out=memo
  sightline diagnose runs/mine --corpus=python_docs --failures=findings.csv --out=memo
  sightline diagnose runs/mine --corpus=text --gin.text.folder=drafts --out=memo
  sightline diagnose --gin_file=incumbent.gin --failures={first} --out=memo
  sightline diagnose runs/mine --most_new=1 --keep=causal --most_cost=1.1 --out=memo
  sightline diagnose runs/mine --probe_data=blimp.tar.xz --out=memo

Without a run the measured parts are marked as not measured. Findings are a CSV with the
columns failure,count,total. Without --failures a checkpoint is measured for all that
are known, and without a run all are assumed:

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
    check_probe_data(options)
    command = shlex.join(["sightline", "diagnose", *arguments])
    with phases(Console(stderr=True)) as progress:
        contents = _memo(about, complaints, options, command, progress)
    paths = memo.write(contents, out)
    console = Console()
    if contents.scores:
        console.print(score_table(contents.scores))
    if contents.published:
        console.print(*published_tables(contents.published))
    console.print(cause_table(contents.causes))
    if contents.proposal.changes:
        console.print(change_table(contents.proposal.changes))
    if contents.proposal.limited:
        console.print(limit_table(contents.proposal.limited))
    for path in paths:
        console.print(str(path), highlight=False, markup=False, soft_wrap=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    known = failures()
    about = _ABOUT.format(first=next(iter(known)))
    about += "\n".join(f"  {name:16}{known[name].symptom}" for name in known)
    parser = gin_parser("diagnose", about, files="optional")
    parser.add_argument("run_dir", nargs="?", metavar="RUN_DIR")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument("--corpus", help="read by the probes (the mixture's first)")
    parser.add_argument("--failures", help="a CSV of findings, or names: NAME,…")
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
        default=ADAPT_SHARE,
        metavar="SHARE",
        help="length of adapt.gin, of the slots that the run processed (%(default)g)",
    )
    parser.add_argument(
        "--adapt_keep",
        type=float,
        default=KEPT,
        metavar="SHARE",
        help="of adapt.gin, divided as the run divides its mixture (%(default).3g)",
    )
    add_limits(parser)
    add_probe_data(parser)
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
    run = _run(about, measured, options.adapt_share)
    studies = ranked(effects_file.shipped(), run)
    proposal = propose(
        mixture,
        traits,
        checked_causes,
        scores,
        complaints,
        studies,
        rows=rows,
        lengths=lengths,
        limits=about.limits,
        row_cost=about.model and about.model.row_cost,
    )
    return memo.Memo(
        provenance=_provenance(about, measured, options, command),
        mixture=about.mixture,
        rows=rows,
        traits=traits,
        causes=checked_causes,
        complaints=tuple(complaints),
        scores=scores,
        proposal=proposal,
        effects=proposal.study or Effects(),
        not_measured=measured.left_out if measured else (),
        start=about.start,
        adaptation=_adaptation(about, measured, traits, proposal, options),
        studies=studies,
        about=run,
        published=published_of_run(about.run, about.corpus, options, progress),
    )


def _run(about: DiagnosisInput, measured: Measured | None, share: float) -> Run:
    """The run that follows from the memo: the adapted one, else one from scratch."""
    if measured is None:
        return about.model.run if about.model else Run()
    packed = about.packed_mixture
    read = measured.step * packed.batch_rows * slots(packed.rows)
    tokens = max(1, round(share * read)) if read else None  # None: imported
    return Run(measured.parameters, tokens, adapts=True)


def _adaptation(
    about: DiagnosisInput,
    measured: Measured | None,
    traits: MixtureTraits,
    proposal: Proposal,
    options: argparse.Namespace,
) -> Adaptation | None:
    """How the run is adapted; None without a run, or where nothing changes."""
    if measured is None or about.trained is None or not proposal.changes:
        return None
    before, step = about.packed_mixture, measured.step
    share, kept = options.adapt_share, options.adapt_keep
    steps = steps_for(share, step=step, before=before.rows, after=proposal.rows)
    peak = float(f"{PEAK * about.trained.peak:.3g}")
    return Adaptation(
        run=str(about.run),
        step=step,
        start=about.trained.start,
        steps=steps,
        share=share,
        kept=kept,
        peak=None if steps is None else peak,
        proposal=adapted(before.mixture, proposal, traits.loss, kept=kept),
    )


def _provenance(
    about: DiagnosisInput,
    measured: Measured | None,
    options: argparse.Namespace,
    command: str,
) -> memo.Provenance:
    origin = memo.Provenance(
        date=_today(),
        gin=about.gin,
        folder=options.out,
        corpus=about.corpus.name,
        settings=about.settings,
        imports=tuple(options.imports),
        asked=_asked(options),
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


def _asked(options: argparse.Namespace) -> tuple[str, ...]:
    """The options that ask another run the same, where they are not the defaults."""
    usual = {"mode": None, "documents": Plan().documents, "seed": Plan().seed}
    given = {name: getattr(options, name) for name in usual}
    return tuple(f"--{n}={v}" for n, v in given.items() if v != usual[n])


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
    reported: list[str] = [c.failure for c in complaints if c.count != 0]
    run = load_trained(about.run, compute_dtype="float32")
    return checkpoint_scores(
        run.model,
        about.packed_mixture,
        traits,
        about.corpus,
        Plan(documents=options.documents, seed=options.seed),
        step=run.step,
        failures=reported or names(),
        mode=options.mode,
        progress=progress,
    )
