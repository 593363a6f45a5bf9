"""How figures and lists are written in texts."""

from collections.abc import Iterable


def percent(share: float) -> str:
    """`12.3 %`; two decimals below one percent."""
    digits = 2 if 0 < abs(share) < 0.01 else 1
    written = f"{100 * share:.{digits}f}"
    return f"{written.removesuffix('.0')} %"


def listed(words: Iterable[str], *, last: str = "and") -> str:
    """`a, b and c`, or with another word than "and"."""
    *others, end = list(words) or ["none"]
    return f"{', '.join(others)} {last} {end}" if others else end
