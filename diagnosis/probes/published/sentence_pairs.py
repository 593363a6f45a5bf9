"""The format of minimal pairs: a sentence that is right, and one that is wrong."""

from collections.abc import Mapping
from typing import Any

from ....objectives.errors import UsageError, require_unicode
from ..asking.forms import Pair
from .files import DataFile

GOOD, BAD = "sentence_good", "sentence_bad"


def pair_of(file: DataFile, number: int, row: Mapping[str, Any]) -> tuple[Pair, Pair]:
    """The candidates of a row: the right sentence first.

    They may be the same, as in one pair of BLiMP: a tie, which counts half.

    Raises:
      UsageError: a sentence is missing.
    """
    good, bad = (text_of(file, number, row, key) for key in (GOOD, BAD))
    return ("", good), ("", bad)


def text_of(file: DataFile, number: int, row: Mapping[str, Any], key: str) -> str:
    """A text of a row, without the whitespace around it.

    Raises:
      UsageError: it is missing, empty, or no text.
    """
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise file.error(number, f"{key!r} is {value!r}; give a text there.")
    try:
        return require_unicode(key, value.strip())
    except UsageError as error:
        raise file.error(number, str(error)) from error
