"""`sightline audit`: prove that no slot sees what it must not."""

import argparse
import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from flax import nnx
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ...diagnosis.audit.audit import ATTENTION, SHAPES, Verdict, audit
from ...diagnosis.audit.dependence import make_measure
from ...diagnosis.audit.picture import (
    SEED as PICTURES_SEED,
    telling_objectives,
    write_pictures,
)
from ...diagnosis.audit.random_tokens import RandomTokenLoss, random_token_losses
from ...models.build import Model, build
from ...models.config import ModelConfig
from ...objectives import registry
from ...objectives.errors import UsageError, require_seed
from ...objectives.registry import Objective
from ...tasks.tokens.vocabulary import Vocabulary, vocabulary
from ..configuration.mixture import mixture_of
from ._arguments import gin_parser, parse_gin, require_folders

_ABOUT = """\
Check, for every objective and architecture, that the logits of each slot depend on
exactly the tokens that the slot may see, and that nothing can be learned from random
tokens. Exit status 1 if anything leaks or is blind.

  sightline audit
  sightline audit --gin_file=ul2.gin --format=json
  sightline audit --run_dir=runs/mine
"""

T = TypeVar("T")

MODEL = ModelConfig(
    layers=2,
    d_model=32,
    heads=4,
    kv_heads=2,
    head_dim=8,
    d_hidden=64,
    compute_dtype="float32",
)
"""The model to audit where neither a run nor a gin file gives one."""


class Subject(NamedTuple):
    """What is audited: models by architecture, on which objectives.

    Attributes:
      config: dimensions, computing in float32.
      models: by architecture.
      objectives: with their settings.
      vocab: the vocabulary.
    """

    config: ModelConfig
    models: Mapping[str, Model]
    objectives: Mapping[str, Objective]
    vocab: Vocabulary


def main(arguments: Sequence[str]) -> int:
    """Prints a table or JSON; status 1 on leaks, blind slots or losses below chance."""
    parser = gin_parser("audit", _ABOUT, files="optional")
    parser.add_argument("--run_dir", metavar="FOLDER", help="a run, with a checkpoint")
    parser.add_argument("--format", choices=("table", "json"), help="(table)")
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help=f"of texts and models (0; with --pictures {PICTURES_SEED})",
    )
    parser.add_argument(
        "--pictures", metavar="FOLDER", help="draw what slots see instead of auditing"
    )
    options, bindings = parse_gin(parser, arguments)
    default = 0 if options.pictures is None else PICTURES_SEED
    seed = default if options.seed is None else options.seed
    require_seed("--seed", seed)
    if options.pictures is not None:
        if options.format is not None:
            raise UsageError(
                "--pictures prints the files' names only; leave out --format."
            )
        require_folders("--pictures", Path(options.pictures))
    subject = subject_of(options, bindings)
    if options.pictures is not None:
        return _draw(Path(options.pictures), subject, seed=seed)

    names = f"{len(subject.objectives)} objectives × {', '.join(subject.models)}"
    print(f"Auditing {names}, {subject.config.layers} layers.", file=sys.stderr)
    verdicts = list(_tracked(_verdicts(subject, seed=seed), subject, "Dependence"))
    for remark in remarks(verdicts):
        print(remark, file=sys.stderr)
    losses = _random_losses(subject, seed=seed)
    random_losses = list(_tracked(losses, subject, "Random tokens"))
    if options.format == "json":
        print(json.dumps([verdict._asdict() for verdict in verdicts], indent=2))
    else:
        Console().print(table(verdicts, random_losses))
    below_chance = [pair for pair in random_losses if pair[1].below_chance]
    for architecture, result in below_chance:
        print(
            f"{result.objective} ({architecture}): on random tokens the loss fell to "
            f"{result.loss:.3f} ± {result.error:.3f}, below chance, "
            f"{result.chance:.3f}: the answer leaks.",
            file=sys.stderr,
        )
    return int(bool(below_chance) or any(v.leaks or v.blind for v in verdicts))


def subject_of(options: argparse.Namespace, bindings: Sequence[str]) -> Subject:
    """The model and objectives to audit.

    Raises:
      ValueError: both a run and gin files are given, bindings without a file, or one
        of them is invalid.
    """
    if options.run_dir and (options.gin_file or bindings):
        raise UsageError(
            "audit takes --run_dir or --gin_file, not both: a run has its own config."
        )
    if options.run_dir:
        return _of_run(Path(options.run_dir))
    if bindings and not options.gin_file:
        raise UsageError(
            "bindings change a gin file, and without one the defaults are audited; "
            "give the --gin_file with them."
        )
    if not options.gin_file:
        objectives = registry.objectives()
        return _fresh(MODEL, objectives, vocabulary("python_docs"))

    from ..configuration.config import load

    config = load(options.gin_file, bindings)
    mixture = mixture_of(config)
    bound = config.bindings.bound((), "ModelConfig")
    model = config.bindings.build("ModelConfig", ()) if bound else MODEL
    vocab = vocabulary(mixture.vocabulary)
    return _fresh(model, mixture.objectives(), vocab)


def _fresh(
    config: ModelConfig, objectives: Mapping[str, Objective], vocab: Vocabulary
) -> Subject:
    """Models of both architectures, initialised, if both can hold the objectives."""
    config = dataclasses.replace(config, compute_dtype="float32")
    apart = {o.name: o.apart for o in objectives.values() if o.apart}
    for name, reason in apart.items():
        print(f"{name}: not audited in a decoder: {reason}", file=sys.stderr)
    models = {
        name: build(
            config, vocabulary_size=vocab.size, shape=shape, rngs=nnx.Rngs(params=0)
        )
        for name, shape in SHAPES.items()
        if shape.encoder or not apart
    }
    return Subject(config, models, objectives, vocab)


def _of_run(folder: Path) -> Subject:
    """The model of a run's newest sound checkpoint, on the run's objectives."""
    from ..inference.open import load_trained

    run = load_trained(folder, compute_dtype="float32")
    print(f"{folder}: the checkpoint of step {run.step:,}.", file=sys.stderr)
    architecture = run.rows.architecture
    return Subject(
        run.config,
        {architecture: run.model},
        run.mixture.objectives(),
        vocabulary(run.mixture.vocabulary),
    )


def _draw(folder: Path, subject: Subject, *, seed: int) -> int:
    """Writes a picture of each objective, with settings that suit a short text."""
    architecture, model = next(iter(subject.models.items()))
    objectives = {
        name: objective
        for name, objective in telling_objectives().items()
        if name in {o.base for o in subject.objectives.values()}
    }
    ids = subject.vocab.special_ids
    measure = make_measure(model)
    for path in write_pictures(
        folder, measure, objectives, ids, architecture=architecture, seed=seed
    ):
        print(path)
    return 0


def _verdicts(subject: Subject, *, seed: int) -> Iterator[Verdict]:
    for architecture, model in subject.models.items():
        yield from audit(
            model,
            subject.objectives,
            subject.vocab.special_ids,
            architecture=architecture,
            seed=seed,
        )


def _random_losses(
    subject: Subject, *, seed: int
) -> Iterator[tuple[str, RandomTokenLoss]]:
    """Of a small model: this part audits data and code, not the trained model."""
    config = dataclasses.replace(MODEL, position=subject.config.position)
    for architecture in subject.models:
        shape = SHAPES[architecture]
        for result in random_token_losses(config, subject.objectives, shape, seed=seed):
            yield architecture, result


def _tracked(results: Iterator[T], subject: Subject, what: str) -> Iterable[T]:
    total = len(subject.models) * len(subject.objectives)
    bar = Console(stderr=True)
    return track(results, what, total=total, console=bar, transient=True)


def remarks(verdicts: Sequence[Verdict]) -> list[str]:
    """A line for each verdict that leaves the borders of blocks unseen."""
    return [
        f"{verdict.objective} ({verdict.architecture}): not audited across blocks: the "
        "rows of the audit hold one of its blocks only; audit shorter ones, too."
        for verdict in verdicts
        if verdict.blocks == 1
    ]


def table(
    verdicts: Sequence[Verdict], random_losses: Sequence[tuple[str, RandomTokenLoss]]
) -> Table:
    """Verdicts, and beside them the loss on random tokens against chance."""
    by_name = {(name, result.objective): result for name, result in random_losses}
    report = Table(
        title=f"Leak audit, attention {ATTENTION}",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 0, 0, 1),
        caption="pairs of slots: one predicts, one holds a token; blocks: most in an "
        "Example, where text is seen block by block. leaks: pairs that depend and must "
        "not; blind: that may and do not. Random tokens: loss ± standard error, and "
        "what chance allows (nats).",
    )
    report.add_column("objective", no_wrap=True)
    report.add_column("architecture")
    for column in ("pairs", "blocks", "leaks", "blind", "random tokens"):
        report.add_column(column, justify="right")
    for verdict in verdicts:
        base = registry.base_name(verdict.objective)
        result = by_name[verdict.architecture, base]
        sign = "<" if result.below_chance else "≥"
        text = f"{result.loss:.3f} ± {result.error:.3f} {sign} {result.chance:.3f}"
        if math.isnan(result.loss):
            text = "nothing hidden"
        report.add_row(
            verdict.objective,
            verdict.architecture,
            f"{verdict.pairs_checked:,}",
            f"{verdict.blocks or '–'}",
            *(_coloured(f"{n}", good=not n) for n in (verdict.leaks, verdict.blind)),
            _coloured(text, good=not result.below_chance),
        )
    return report


def _coloured(text: str, *, good: bool) -> str:
    return f"[green]{text}[/]" if good else f"[bold red]{text} ✗[/]"
