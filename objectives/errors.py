"""Mistakes that a user can mend, and messages that name the nearest valid choice."""

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """A mistake of the user's: what was wrong, the value, the choices and the fix.

    The command line shows its message alone. Whatever else is raised is a bug or a
    fault of the machine, and keeps its traceback.
    """


def nearest(name: str, valid: Iterable[str]) -> str:
    """`did you mean 'causal'? Valid: causal, masked.`, to end an error message."""
    names = sorted(valid)
    if not names:
        return "there are none."
    lowered = {candidate.lower(): candidate for candidate in names}
    match = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.0)
    guess = lowered[match[0]] if match else names[0]
    return f"did you mean {guess!r}? Valid: {', '.join(names)}."


def require_share(name: str, value: float) -> None:
    """Refuses a share or rate outside [0, 1]."""
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"{name} is {value}; it is a share, so set it within [0, 1].")
