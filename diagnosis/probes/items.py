"""What preference probes are made of: a true pair of texts against a false one."""

from typing import NamedTuple

Pair = tuple[str, str]
"""A text and what stands after it; together they are the text, blanks included."""


class Item(NamedTuple):
    """A choice between two pairs of texts, of which the first is the true one.

    Attributes:
      document: that it was made of, by index; intervals are over documents.
      kind: which sort of choice it is, such as "swapped" or "2 ahead".
      true: what the document says, `(before, after)`.
      false: what it does not say.
    """

    document: int
    kind: str
    true: Pair
    false: Pair
