"""Mistakes that a user can mend, and messages that name the nearest valid choice."""

import difflib
import math
from collections.abc import Iterable


class UsageError(ValueError):
    """A mistake of the user's: what was wrong, the value, the choices and the fix.

    The command line shows its message alone. Whatever else is raised is a bug or a
    fault of the machine, and keeps its traceback.
    """


class NoExampleError(Exception):
    """A window of text that an objective makes no Example of; streams pass it over."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """`did you mean 'causal'? Valid: causal, masked.`, to end an error message.

    Only what is near is suggested.
    """
    names = sorted(valid)
    if not names:
        return "there are none."
    lowered = {candidate.lower(): candidate for candidate in names}
    match = difflib.get_close_matches(name.lower(), lowered, n=1)
    guess = f"did you mean {lowered[match[0]]!r}? " if match else ""
    return f"{guess}Valid: {', '.join(names)}."


def check_count(name: str, value: int, *, least: int = 1, most: int = 2**31) -> None:
    """Refuses a number of things outside `[least, most]`."""
    if not least <= value <= most:
        raise UsageError(f"{name} is {value}; set it within [{least}, {most}].")


def check_seed(name: str, value: int) -> None:
    """Refuses a seed that NumPy, TensorFlow or JAX would refuse or cut."""
    check_count(name, value, least=0, most=2**31 - 1)


def check_positive(name: str, value: float) -> None:
    """Refuses what is not a finite number above 0."""
    if not 0 < value < math.inf:
        raise UsageError(f"{name} is {value}; set it to a finite number above 0.")


def require_share(name: str, value: float) -> None:
    """Refuses a share or rate outside [0, 1]."""
    if not 0.0 <= value <= 1.0:
        raise UsageError(f"{name} is {value}; it is a share, so set it within [0, 1].")
