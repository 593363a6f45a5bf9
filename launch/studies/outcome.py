"""What an adaptation came to, from its records: tables, pictures, files of effects."""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from ...diagnosis.results import (
    adaptation_table,
    effects_file,
    published_table,
    records,
)
from ...diagnosis.results.adaptation import ArmRecords, Budget, budget
from ...diagnosis.results.effects import Effects, Mix, Setup
from ...diagnosis.results.gates import Refusal, gated
from ...diagnosis.results.records import Record
from ...diagnosis.results.study_picture import curves, curves_over_size
from ...objectives import registry
from ...objectives.registry import base_name
from ...tasks.examples.mixture import Mixture
from ...tasks.files import write_whole
from ...tasks.tokens.vocabulary import vocabulary
from .adaptation import BASE
from .arms import Arm
from .facts import Facts
from .jobs import Jobs
from .other_sizes import other_sizes


class Counted(NamedTuple):
    """The records of a study after its gates.

    Attributes:
      records: of the runs that count.
      refusals: the runs that do not.
    """

    records: list[Record]
    refusals: list[Refusal]


def counted(jobs: Jobs) -> Counted:
    """The records of a study, those of today's runs and measurements alone."""
    plan = jobs.study.plan_digest()
    runs = {(run.arm.name, run.seed) for run in jobs.runs.values()}
    every = records.read_all(jobs.store.folder / "records")
    return Counted(
        *gated(
            [r for r in every if r.plan == plan and (r.mix, r.seed) in runs],
            vocabulary_size=vocabulary(jobs.study.vocabulary).size,
            ungated=jobs.study.ungated,
        )
    )


def budgets_of(
    jobs: Jobs, measured: Sequence[Record], *, command: str
) -> dict[str, Budget]:
    """Each budget of the branches, then what was trained from scratch.

    Those at which nothing was measured yet beside the reference are left out.

    Args:
      jobs: of the study.
      measured: records of the runs that count.
      command: that ran the study.

    Returns:
      By the name of the file of effects.
    """
    return dict(_each_budget(jobs, measured, command))


def write(
    jobs: Jobs,
    data: Facts,
    measured: Counted,
    budgets: Mapping[str, Budget],
    *,
    command: str,
) -> list[Path]:
    """Writes the results of an adaptation; returns the files.

    Args:
      jobs: of the study.
      data: of its corpora.
      measured: the runs that count, and those that do not.
      budgets: of `budgets`.
      command: that ran the study.
    """
    study, folder = jobs.study, jobs.store.folder
    table = adaptation_table.markdown(
        [(_title(each.effects), each) for each in budgets.values()],
        refusals=measured.refusals,
        remarks=[
            *_passes(jobs, data),
            *adaptation_table.not_measured(measured.records),
        ],
        command=command,
    )
    table += published(measured.records)
    branches = [r for r in measured.records if jobs.arms[r.mix].base is not None]
    met = [v.mix for each in budgets.values() for v in each.verdicts if v.met]
    assert study.adaptation is not None
    texts = {
        "table.md": table,
        "curves.svg": curves(
            branches,
            incumbent=study.incumbent,
            best=list(dict.fromkeys([study.adaptation.revised, *met])),
        ),
    }
    sizes = [e.effects for e in budgets.values()] + other_sizes(study)
    if len({effects.setup.parameters for effects in sizes}) > 1:
        texts["sizes.svg"] = curves_over_size(
            sizes, mixes=[study.incumbent, study.adaptation.revised]
        )
    # Of folders that are no longer beside it.
    (folder / "sizes.svg").unlink(missing_ok=True)
    for name, text in texts.items():
        write_whole(folder / name, text)
    files = [folder / name for name in texts]
    for name, each in budgets.items():
        files.append(folder / "effects" / f"{name}.json")
        effects_file.write(files[-1], each.effects)
    return files


def published(measured: Sequence[Record]) -> str:
    """The section of published tests; "" if none was measured."""
    lines = published_table.markdown(measured)
    title = "## Published tests, mean and range over seeds"
    return "\n".join(["", title, "", *lines, ""]) if lines else ""


def published_differences(measured: Sequence[Record]) -> str:
    """The section of each two mixes on minimal pairs; "" if none was measured."""
    lines = published_table.differences(measured)
    title = "## Each two mixes at the end, paired by seed and paradigm"
    note = (
        "Mean difference over seeds and paradigms, with the 95 % interval of a "
        "bootstrap over both; bold where it is on one side of zero. One seed, or one "
        "paradigm, has no interval."
    )
    return "\n".join(["", title, "", note, "", *lines, ""]) if lines else ""


def mix_of(mixture: Mixture) -> Mix:
    """A mixture as files of effects have it: shares by objective or variant."""
    loss_shares = mixture.loss_share_array()
    shares = {o.base: float(loss_shares[o.id]) for o in mixture.objectives().values()}
    settings = {
        name: values
        for name, values in mixture.settings.items()
        if base_name(name) in registry.objectives()
    }
    return Mix(mixture.objective_rates(), shares, settings, None, ())


def percent(share: float) -> str:
    """A share in percent for a file's name, with no fewer digits than it has.

    0.02 is `02`, 0.25 `25` and 0.504 `50.4`.
    """
    return f"{100 * share:.15g}".zfill(2)


def mix_identity(mixture: Mixture) -> str:
    """A mixture's contents on one line: its file may change under its name."""
    mix = mix_of(mixture)
    contents: list[Any] = [mix.rates, mix.loss_shares, mix.settings]
    if mixture.schedule:  # of which the rates are means
        contents.append(mixture.schedule)
    return json.dumps(contents, sort_keys=True, default=dict)


def setup(jobs: Jobs, measured: Sequence[Record]) -> Setup:
    """What was trained, as a file of effects has it: from scratch, at one budget.

    Args:
      jobs: of the study.
      measured: records of the runs that count.
    """
    study = jobs.study
    abstract = study.program(steps=study.tokens).abstract_params
    return Setup(
        name=study.name,
        parameters=sum(int(np.prod(x.shape)) for x in jax.tree.leaves(abstract)),
        architecture=study.rows.architecture,
        text=study.text or study.text_name,
        seeds=len({record.seed for record in measured}),
        date=datetime.date.today().isoformat(),
    )


def _each_budget(
    jobs: Jobs, measured: Sequence[Record], command: str
) -> Iterator[tuple[str, Budget]]:
    """Each budget by the name of its file of effects."""
    study = jobs.study
    settings = study.adaptation
    assert settings is not None
    trained = setup(jobs, measured)
    branches = {n: arm for n, arm in jobs.arms.items() if arm.base is not None}
    scratch = {
        n: arm for n, arm in jobs.arms.items() if n == BASE or arm.reference == BASE
    }
    parts: list[tuple[str, dict[str, Arm], str, int | None, int]] = [
        (percent(share), branches, study.incumbent, study.tokens, n)
        for n, share in enumerate(settings.budgets)
    ]
    parts.append(("scratch", scratch, BASE, None, -1))
    for suffix, arms, reference, original, place in parts:
        name = f"{study.name}_{suffix}"
        present = _present(arms, measured, place)
        if reference in present and len(present) > 1:
            yield (
                name,
                budget(
                    _with_parts(present, study.incumbent, settings.revised),
                    reference=reference,
                    revised=settings.revised,
                    corpus=study.text_name,
                    tokens=arms[reference].lengths[place],
                    command=command,
                    setup=trained._replace(name=name, original_tokens=original),
                ),
            )


def _present(
    arms: Mapping[str, Arm], measured: Sequence[Record], place: int
) -> dict[str, ArmRecords]:
    """The arms that have a run that counts, with their records of a length."""
    found = {}
    for name, arm in arms.items():
        point = arm.lengths[place]
        own = [r for r in measured if r.mix == name and r.point == point]
        if own:
            found[name] = ArmRecords(mix_of(arm.mixture), own)
    return found


def _with_parts(
    arms: Mapping[str, ArmRecords], incumbent: str, revised: str
) -> dict[str, ArmRecords]:
    """Marks additions and ablations, whose names say them."""
    marked = dict(arms)
    for name, arm in arms.items():
        objective = name[1:]
        if name[0] == "+" and incumbent in arms:
            marked[name] = arm._replace(adds=objective)
        if name[0] == "-" and revised in arms:
            marked[name] = arm._replace(drops=objective)
    return marked


def _title(effects: Effects) -> str:
    setup = effects.setup
    size = f"{setup.parameters / 1e6:.2f} M parameters"
    if setup.original_tokens is None:
        return f"From scratch, {effects.tokens / 1e6:.2f} M tokens; {size}"
    share = 100 * effects.tokens / setup.original_tokens
    return (
        f"{effects.tokens / 1e6:.2f} M tokens after {setup.original_tokens / 1e6:.1f} "
        f"M ({share:.4g} %); {size}"
    )


def _passes(jobs: Jobs, data: Facts) -> Iterator[str]:
    """How often each arm reads each corpus: a small one that is repeated is learned."""
    study = jobs.study
    rates = study.trained_on
    longest = max(arm.lengths[-1] for arm in jobs.arms.values())
    for name, rate in rates.items():
        share, corpus = rate / sum(rates.values()), data.corpora[name]
        base, most = (
            share * tokens / corpus.tokens for tokens in (study.tokens, longest)
        )
        yield (
            f"{name}: {corpus.train:,} documents of about {corpus.tokens / 1e6:.1f} M "
            f"tokens to train on, {corpus.validation:,} held out, none in both. Of "
            f"{study.tokens / 1e6:.1f} M processed tokens its share is {base:.2f} "
            f"passes; of the longest run, {most:.2f}. (Processed tokens count what is "
            "read and what is written; shares of tokens are about those of examples.)"
        )
