"""Which study the effects are from, and how far it is from the run in question."""

from ..results.effects import Effects
from ..results.nearest import Run, adapts
from ..wording import listed, percent
from .blocks import code

ALIKE = 1.25
"""Sizes whose ratio is below this count as about the same."""


def described(study: Effects) -> str:
    """`three_failures` (0.13 M parameters, 5.5 M tokens of …, from scratch, …)."""
    setup = study.setup
    if setup.original_tokens is None:
        start = "from scratch"
    else:
        share = percent(study.tokens / setup.original_tokens)
        start = f"from a checkpoint, {share} more than its own tokens"
    return (
        f"{code(setup.name)} ({count(setup.parameters)} parameters, "
        f"{count(study.tokens)} tokens of {setup.text}, {code(study.corpus)}, {start}; "
        f"{setup.seeds} seeds, {setup.date})"
    )


def far(study: Effects, run: Run) -> str:
    """How many times smaller or larger it is than the run."""
    sizes = [
        _times(study.setup.parameters, run.parameters, "parameters"),
        _times(study.tokens, run.tokens, "tokens"),
    ]
    known = [text for text in sizes if text]
    text = f"it has {listed(known)}" if known else "this run's size is not known"
    if adapts(study) != run.adapts:
        text += ", and began " + (
            "from scratch, not from a checkpoint"
            if run.adapts
            else "from a checkpoint, not from scratch"
        )
    return text


def sentence(study: Effects, run: Run, passed: tuple[Effects, ...] = ()) -> str:
    """One sentence on the study that effects are from, for the first page.

    Args:
      study: that they are from.
      run: that the memo is about.
      passed: nearer studies, which have none.
    """
    nearer = ""
    if passed:
        names = listed(code(one.setup.name) for one in passed)
        nearer = f"; the nearer {names} {'has' if len(passed) == 1 else 'have'} none"
    return (
        f"Effects are from study {described(study)}{nearer}: {far(study, run)}; that "
        "they carry over to this size, text and model is not shown."
    )


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
