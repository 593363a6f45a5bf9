"""`recommended.gin`: a complete run of the revised mixture, with rates explained."""

import pprint
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...models.rows import Capacity, RowShape
from ...tasks.examples.mixture import Mixture, split_task
from ..failures.registry import get
from ..revision.propose import Change, Proposal
from ..revision.revision import fitting_rows
from ..wording import listed

START = "include 'runs/any_mixture.gin'"
"""The model, optimiser and steps of a small run."""

WIDTH = 88

_HEAD = """\
A revision of mixture {name!r} by `sightline diagnose`; the memo beside it says why.

  sightline train --gin_file={path}{imports} \\
    --run_dir=runs/recommended

{whose}
Later files win, so that a model and a run of your own, without a Mixture, come after:

  sightline train --gin_file={path}{imports} \\
    --gin_file=YOURS.gin --run_dir=runs/yours"""

_SMALL = "recommended.gin is complete: it includes a small run."
_OWN = "recommended.gin is complete: it keeps the model, optimiser and steps."


def gin_text(
    before: Mixture,
    proposal: Proposal,
    *,
    path: str,
    imports: str = "",
    start: str = START,
) -> str:
    """The text of the file, a pure function of its arguments.

    Args:
      before: the mixture that is revised.
      proposal: the recommendation.
      path: of the file, quoted for commands.
      imports: ` --import=MODULE` of each module that commands need, quoted.
      start: gin text that binds all of a run except its mixture and rows.
    """
    whose = _whose(start)
    head = _HEAD.format(name=before.name, path=path, imports=imports, whose=whose)
    head += phases_note(before)
    return complete(proposal, head=head, start=start)


def phases_note(before: Mixture) -> str:
    """What became of the schedule of a mixture that is revised; "" without one."""
    if not before.schedule:
        return ""
    return (
        f"\n\nThe {len(before.phases())} phases of the mixture's schedule are taken at "
        "their mean rates, as if\nall were as long: this file has no Mixture.schedule."
    )


def complete(proposal: Proposal, *, head: str, start: str) -> str:
    """A whole run of a proposal.

    Args:
      proposal: with the mixture and the rows.
      head: what the file is, its first comment.
      start: as for `gin_text`.
    """
    mixture = proposal.mixture
    lines = [
        *_comment(head),
        *("", start, "", "train.mixture = @Mixture()"),
        f"Mixture.name = {mixture.name!r}",
        *([f"Mixture.corpora = {dict(mixture.corpora)!r}"] if mixture.corpora else []),
        f"Mixture.vocabulary = {mixture.vocabulary!r}",
        *_rates(mixture, proposal.changes),
        *_comment("Of the loss; from the same sources as the rates."),
        "Mixture.loss_shares = {",
        *(f"    {n!r}: {share!r}," for n, share in (mixture.loss_shares or {}).items()),
        "}",
        "train.normalisation = 'objective'",
        *_settings(mixture, proposal.changes),
        "",
        *_rows(proposal.rows, mixture),
    ]
    return "\n".join(lines) + "\n"


def _whose(start: str) -> str:
    """A sentence on the run that the file is based on."""
    return _SMALL if start == START else _OWN


def _comment(text: str, indent: str = "") -> list[str]:
    """Arbitrary text as comment lines that fit, but for commands, which are indented.

    They stay as they are: a path may hold spaces, at which a line would be broken.
    """
    lines = []
    for paragraph in text.splitlines() or [""]:
        if paragraph.startswith("  ") and not indent:
            lines.append(f"# {paragraph}")
            continue
        wrapped = textwrap.wrap(
            " ".join(paragraph.split()) if indent else paragraph,
            WIDTH - len(indent) - 2,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [f"{indent}# {line}" for line in wrapped] or [f"{indent}#"]
    return lines


def _rates(mixture: Mixture, changes: Sequence[Change]) -> Iterator[str]:
    """Every rate, after a comment with its source."""
    why = {change.name: _why(change) for change in changes}
    yield "Mixture.rates = {"
    for key, rate in mixture.rates.items():
        name = split_task(key)[1]
        text = why.get(name, "as it was: no change is recommended")
        yield from _comment(text, "    ")
        yield f"    {key!r}: {rate!r},"
        if name in why:
            why[name] = "as above"
    yield "}"


def _why(change: Change) -> str:
    titles = [get(failure).title for failure in change.failures]
    acts = f" for {listed(titles)}" if titles else ""
    before, after = (f"{100 * rate:.1f} %" for rate in change.rate)
    return f"{change.action}{acts}, {before} → {after} of examples. {change.source}"


def _settings(mixture: Mixture, changes: Sequence[Change]) -> Iterator[str]:
    """Settings of mixed objectives; in full for variants, since gin merges them."""
    new = {change.name for change in changes if change.action == "add"}
    for name, objective in mixture.objectives().items():
        settings = objective.settings if "/" in name else mixture.settings_of(name)
        if settings:
            is_new = "of the recipe that is added" if name in new else "as they were"
            yield from _comment(f"Settings of {name}, {is_new}.")
        yield from _bound(name, settings)
    for corpus in sorted({split_task(t)[0] for t in mixture.positive_rates()}):
        yield from _bound(corpus, mixture.settings.get(corpus, {}))


def _bound(name: str, settings: Mapping[str, Any]) -> Iterator[str]:
    for setting, value in settings.items():
        literal = pprint.pformat(value, width=WIDTH, sort_dicts=False)
        yield f"{name}.{setting} = {literal}"


def _rows(rows: RowShape, mixture: Mixture) -> Iterator[str]:
    """Rows of the present architecture; those of the other one as comments."""
    yield "# Rows of the size that it had, with the predictions that Examples ask for."
    if rows.encoder is not None:
        yield from _two_streams(rows)
        return
    slots = rows.decoder.slots
    yield f"decoder_rows.slots = {slots}"
    yield f"decoder_rows.predictions = {rows.decoder.predictions}"
    yield "train.rows = @decoder_rows()"
    yield "# For an encoder–decoder instead:"
    other = fitting_rows(RowShape(Capacity(slots, 1), Capacity(slots, 1)), mixture)
    yield from (f"# {line}" for line in _two_streams(other))


def _two_streams(rows: RowShape) -> Iterator[str]:
    for prefix, capacity in (("memory_", rows.encoder), ("", rows.decoder)):
        if capacity is not None:
            yield f"encoder_decoder_rows.{prefix}slots = {capacity.slots}"
            yield f"encoder_decoder_rows.{prefix}predictions = {capacity.predictions}"
    yield "train.rows = @encoder_decoder_rows()"
