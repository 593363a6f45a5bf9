"""The values that facts may have, and how a value is written.

The values of a kind are uniform, and the same in every domain: a number is one of the
same whole numbers whether it counts days, weeks or thousands of euros. So only another
mention of a fact tells its value.
"""

import re

FIRST_NUMBER = 11
MOST_NUMBERS = 80
"""Numbers run from 11, so that units are plural, and to 90, so that two words do."""

UNITS = {
    "retention": ("weeks", "months", "years"),
    "deadline": ("hours", "days", "weeks"),
    "interval": ("days", "weeks", "months"),
}
CURRENCIES = {"EUR": "euros", "USD": "dollars", "GBP": "pounds"}
"""A sum is written `EUR 17,000` or `17,000 euros`."""

ROLES = tuple(
    f"{rank} of {area}"
    for rank in (
        "Head",
        "Director",
        "Deputy Head",
        "Chair",
        "Secretary",
        "Controller",
        "Manager",
        "Warden",
    )
    for area in ("Assurance", "Conduct", "Governance", "Resilience", "Stewardship")
)
"""Holders of offices that any company may have."""

POLES = ("yes", "no")
"""Permitted or required, and the opposite; each phrase has its words for them."""

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen
fourteen fifteen sixteen seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def spell(number: int) -> str:
    """A whole number below 100 in words: `forty-one`."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")


_SPELLED = {spell(number): number for number in range(100)}
_NUMBER = r"\d[\d,]*\d|\d|" + "|".join(sorted(_SPELLED, key=len, reverse=True))
_NAMES = {name.lower(): code for code, name in CURRENCIES.items()}
_ROLES = {role.lower(): role for role in ROLES}


def whole_words() -> tuple[str, ...]:
    """Words of values that a vocabulary should spell alike, each as one piece.

    Then a number in words is one piece, or two with the ones after its tens; a currency
    is one piece. Words that end a number come with their hyphen, so that no other word
    is cut; those that begin one also come capitalised, for the start of a sentence.
    """
    begins = [spell(n) for n in (*range(FIRST_NUMBER, 20), *range(20, 100, 10))]
    return (
        *(f" {word}" for word in (*begins, *CURRENCIES, *CURRENCIES.values())),
        *(word.capitalize() for word in begins),
        *(f"-{spell(n)}" for n in range(1, 10)),
    )


def parts(kind: str, numbers: int) -> tuple[tuple[str, ...], ...]:
    """The parts of a kind's values: a value has one of each, drawn independently.

    Args:
      kind: the kind of fact.
      numbers: how many numbers there are, from 11 on.
    """
    digits = tuple(map(str, range(FIRST_NUMBER, FIRST_NUMBER + numbers)))
    if kind == "amount":
        return tuple(CURRENCIES), tuple(f"{number},000" for number in digits)
    if kind == "approval":
        return (ROLES,)
    return (digits, UNITS[kind]) if kind in UNITS else (POLES,)


def write(kind: str, value: str, *, second: bool) -> str:
    """A value in the first or second form of its kind.

    The second forms: a number in words, a currency by its name after the number. Roles
    have one form; the words for poles are the phrase's.
    """
    if not second or kind == "approval":
        return value
    first, rest = value.split(" ", 1)
    if kind == "amount":
        return f"{rest} {CURRENCIES[first]}"
    return f"{spell(int(first))} {rest}"


def pattern(kind: str) -> str:
    """A regular expression for every form of any value of the kind, without poles.

    It also matches numbers that the generator never draws.
    """
    if kind == "amount":
        names, codes = "|".join(_NAMES), "|".join(CURRENCIES)
        return rf"(?:{codes}) (?:{_NUMBER})|(?:{_NUMBER}) (?:{names})"
    if kind == "approval":
        return "|".join(ROLES)
    units = sorted({u for units in UNITS.values() for u in units})
    return rf"(?:{_NUMBER}) (?:{'|'.join(units)})"


def read(kind: str, text: str) -> str:
    """The value that `pattern` matched, in the form of `Fact.value`."""
    text = text.lower()
    if kind == "approval":
        return _ROLES[text]
    first, rest = text.split(" ", 1)
    if kind == "amount":
        code, number = (first, rest) if first.upper() in CURRENCIES else (rest, first)
        return f"{_NAMES.get(code, code.upper())} {int(_plain(number)):,}"
    return f"{int(_plain(first))} {rest}"


def _plain(number: str) -> str:
    return re.sub(",", "", number) if number[0].isdigit() else str(_SPELLED[number])
