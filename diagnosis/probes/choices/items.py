"""What preference probes are made of: a true pair of texts against a false one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ....objectives.errors import UsageError
from ..asking.forms import Pair


class Item(NamedTuple):
    """A choice between two pairs of texts, of which the first is the true one.

    Attributes:
      document: that it was made of, by index; intervals are over documents.
      kind: which sort of choice it is, such as "swapped" or "2 ahead".
      true: what the document says, `(before, after)`.
      false: what it does not say.
      local: how many of the last characters of `before` are the sentence that `after`
        goes on with. They stay when what is before is taken away to measure how likely
        `after` is by itself; 0 where `after` begins a sentence.
      needed: how many of the last characters of `before` say which pair is true; a
        model whose rows cannot hold them is not asked. 0 where nothing is needed.
    """

    document: int
    kind: str
    true: Pair
    false: Pair
    local: int = 0
    needed: int = 0


def alone(pair: Pair, local: int) -> str:
    """What is left of `before` where a pair's own prior is measured: `Item.local`."""
    return pair[0][len(pair[0]) - local :]


def by_kind(
    items: Sequence[Item], scored: Int[np.ndarray, " N"]
) -> Iterator[tuple[str, Int[np.ndarray, " n"], Int[np.ndarray, " n"]]]:
    """What was asked, as a whole and by kind.

    Args:
      items: the choices.
      scored: indices of those that a model was asked for.

    Yields:
      "all" and each kind of the items; the places in `asked` of those of the kind, and
      their documents.
    """
    kinds = np.array([items[n].kind for n in scored], dtype=object)
    documents = np.array([items[n].document for n in scored], np.int64)
    yield "all", np.arange(len(scored)), documents
    for kind in dict.fromkeys(item.kind for item in items):
        places = np.flatnonzero(kinds == kind)
        yield kind, places, documents[places]


def require_items(
    items: Sequence[Item], *, probe: str, documents: int, least: int
) -> None:
    """Refuses a probe that too few documents allow for.

    Args:
      items: what was made.
      probe: its name.
      documents: how many documents it was to be made of.
      least: how many documents must have an item, for an interval to mean something.

    Raises:
      ValueError: there are fewer; the message names the numbers and the fix.
    """
    count = len({item.document for item in items})
    if count < least:
        raise UsageError(
            f"the probe {probe!r} needs items of at least {least} documents, and "
            f"{count} of the {documents} documents given allow for any; give it more "
            "documents, or longer ones, or leave the probe out."
        )
