"""Mistakes that a user can mend, and messages that name the nearest valid choice."""

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any


class UsageError(ValueError):
    """A mistake of the user's: what was wrong, the value, the choices and the fix.

    The command line shows its message alone. Whatever else is raised is a bug or a
    fault of the machine, and keeps its traceback.
    """


class NoExampleError(Exception):
    """A window of text that an objective makes no Example of; streams pass it over."""


def first_line(error: BaseException) -> str:
    """An exception's type and the first line of its message, 200 characters at most."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"


def nearest(name: Any, valid: Iterable[str]) -> str:
    """Ends an error message: the nearest valid choice if one is near, and all of them.

    `did you mean 'causal'? Valid: causal, masked.`; without a near one `valid: causal,
    masked.`, of more than ten choices the first ten and their number.
    """
    names = sorted(valid)
    if not names:
        return "there are none."
    lowered = {candidate.lower(): candidate for candidate in names}
    match = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.6)
    if match:
        return f"did you mean {lowered[match[0]]!r}? Valid: {', '.join(names)}."
    if len(names) > 10:
        return f"valid: {', '.join(names[:10])}, … ({len(names)} in all)."
    return f"valid: {', '.join(names)}."


def _is_a(kind: type, value: Any) -> bool:
    """Whether it is such a number; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def require_number(
    name: str,
    value: Any,
    *,
    least: float = -math.inf,
    above: float = -math.inf,
    most: float = math.inf,
) -> None:
    """Refuses what is no finite number in [least, most], or not more than `above`."""
    number = _is_a(numbers.Real, value)
    try:
        fits = number and math.isfinite(value) and above < value
        fits = fits and least <= value <= most
    except OverflowError:  # an integer beyond the range of floats
        fits = False
    if not fits:
        bounds = [f" ≥ {least:g}"] if least > -math.inf else []
        bounds += [f" > {above:g}"] if above > -math.inf else []
        bounds += [f" ≤ {most:g}"] if most < math.inf else []
        raise UsageError(
            f"{name} is {value!r}; set it to a finite number{' and'.join(bounds)}."
        )


def require_count(
    name: str, value: Any, *, least: int = 1, most: int = 2**31 - 1
) -> None:
    """Refuses what is no whole number in [least, most]."""
    whole = _is_a(numbers.Integral, value)
    if not (whole and least <= value <= most):
        raise UsageError(
            f"{name} is {value!r}; set it to a whole number from {least} to {most}."
        )


def require_share(
    name: str, value: Any, *, instead: Mapping[int, str] = MappingProxyType({})
) -> None:
    """Refuses a share or rate outside [0, 1].

    Args:
      name: of the setting.
      value: of it.
      instead: of 0, of 1 or of both, which are refused too: what is asked for by them
        is done by something else.
    """
    number = _is_a(numbers.Real, value)
    if not (number and 0.0 <= value <= 1.0):
        raise UsageError(f"{name} is {value}; it is a share, so set it within [0, 1].")
    if value in instead:
        raise UsageError(
            f"{name} is {value}; set it {'below' if value else 'above'} {value:g}, or "
            f"{instead[value]}."
        )


def require_acting(
    name: str, value: Any, *, default: Any, acts: bool, with_: str
) -> None:
    """Refuses a value that nothing would read; the default is as good as unset.

    Args:
      name: of the setting.
      value: of it.
      default: of it.
      acts: whether it is read.
      with_: what else has to be set for that, as in `position="rope"`.
    """
    if not acts and value != default:
        raise UsageError(
            f"{name} is {value!r}, and acts only with {with_}; leave it at "
            f"{default!r}, or set {with_}."
        )


def require_flag(name: str, value: Any) -> None:
    """Refuses what is neither True nor False."""
    if not isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}; set it to True or False.")


def require_positive(name: str, value: Any) -> None:
    """Refuses what is no finite number above 0."""
    require_number(name, value, above=0.0)


def require_seed(name: str, value: Any) -> None:
    """Refuses a seed that NumPy, TensorFlow or JAX would refuse or cut."""
    require_count(name, value, least=0)


def require_unicode(name: str, text: str) -> str:
    """The text, which no bytes of another encoding were read into.

    Raises:
      UsageError: it holds half of a surrogate pair, as Python reads bytes that are not
        UTF-8, and JSON an escape like `\\ud800`.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{name!r} is {text!r}: no Unicode at character {error.start + 1}; "
            "give it in UTF-8."
        ) from None
    return text
