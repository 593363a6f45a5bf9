"""One way to say that a name is unknown: the nearest match, then every valid one."""

import difflib
from collections.abc import Iterable


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
        raise ValueError(f"{name} is {value}; it is a share, so set it within [0, 1].")
