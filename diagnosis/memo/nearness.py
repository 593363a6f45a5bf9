"""Which study the effects are from, and how far it is from the run in question."""

from collections.abc import Sequence

from ..results.effects import Effects
from ..results.nearest import Run, adapts
from ..wording import listed, percent
from .blocks import code

ALIKE = 1.25
"""Sizes whose ratio is below this count as about the same."""


FEW = 2
"""More studies than this are counted, not named."""


def described(study: Effects) -> str:
    """`three_failures` (0.13 M parameters, 5.5 M tokens of …, from scratch)."""
    setup = study.setup
    start = "from scratch"
    if setup.original_tokens is not None:
        share = percent(study.tokens / setup.original_tokens)
        start = f"from a checkpoint, {share} more than its own"
    return (
        f"{code(setup.name)} ({count(setup.parameters)} parameters, "
        f"{count(study.tokens)} tokens of {setup.text}, {start})"
    )


def distance_text(study: Effects, run: Run) -> str:
    """How many times smaller or larger a study is than a run, as a clause."""
    sizes = [
        _times(study.setup.parameters, run.parameters, "parameters"),
        _times(study.tokens, run.tokens, "tokens"),
    ]
    known = [text for text in sizes if text]
    if not known:
        return "this run's size is unknown"
    text = f"compared with this run, it has {listed(known)}"
    if adapts(study) != run.adapts:
        start = "goes on from a checkpoint" if run.adapts else "begins from scratch"
        text += f"; this run {start}"
    return text


def source(study: Effects, run: Run, passed: Sequence[Effects]) -> str:
    """The study that effects are from, and how far it is from a run; a clause.

    Args:
      study: that they are from.
      run: that the memo is about.
      passed: nearer studies, which have none.
    """
    fallback = f"; {_none(passed)}" if passed else ""
    return f"study {described(study)}: {distance_text(study, run)}{fallback}"


def _none(passed: Sequence[Effects]) -> str:
    """That nearer studies say nothing of it: by name, if they are few."""
    if len(passed) > FEW:
        return f"{len(passed)} nearer ones have none"
    names = listed(code(study.setup.name) for study in passed)
    return f"the nearer {names} {'has' if len(passed) == 1 else 'have'} none"


def count(number: int) -> str:
    """`0.13 M`, `5.5 M`, `1.2 B`."""
    if number >= 999_500_000:
        return f"{number / 1e9:.3g} B"
    return f"{number / 1e6:.2g} M" if number < 10**7 else f"{number / 1e6:.3g} M"


def _times(studied: int, run: int | None, what: str) -> str:
    if run is None or not studied:
        return ""
    ratio = max(run / studied, studied / run)
    if ratio < ALIKE:
        return f"about as many {what}"
    times = f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}"
    return f"{times} times {'fewer' if run > studied else 'more'} {what}"
