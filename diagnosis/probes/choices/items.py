"""The items of preference probes: a true pair of texts against a false one."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ..asking.forms import Pair


class Item(NamedTuple):
    """A choice between two pairs of texts, of which the first is the true one.

    Attributes:
      document: index of its document; intervals are over documents.
      kind: of choice, such as "swapped" or "2 ahead".
      true: the pair from the document, `(before, after)`.
      false: the other pair.
      local: length in characters of the begun sentence at the end of `before`, which
        stays when the rest is removed to measure the prior of `after`; 0 if `after`
        begins a sentence.
      needed: length in characters of the end of `before` that tells which pair is
        true; a model whose rows cannot hold it is not queried. 0 if none is needed.
      right: length in characters of the end of `after`, the same in both pairs, that
        stands right of a blank; what is before it in `after` fills the blank. 0 if
        nothing is filled in.
    """

    document: int
    kind: str
    true: Pair
    false: Pair
    local: int = 0
    needed: int = 0
    right: int = 0


def alone(pair: Pair, local: int) -> str:
    """The part of `before` that stays when the prior is measured: `Item.local`."""
    return pair[0][len(pair[0]) - local :]


def by_kind(
    items: Sequence[Item], scored: Int[np.ndarray, " N"]
) -> Iterator[tuple[str, Int[np.ndarray, " n"], Int[np.ndarray, " n"]]]:
    """The scored items together and by kind.

    Args:
      items: the choices.
      scored: indices of the items that were scored.

    Yields:
      "all" and each kind; the places in `scored` of the items of the kind, and their
      documents.
    """
    kinds = np.array([items[n].kind for n in scored], dtype=object)
    documents = np.array([items[n].document for n in scored], np.int64)
    yield "all", np.arange(len(scored)), documents
    for kind in dict.fromkeys(item.kind for item in items):
        places = np.flatnonzero(kinds == kind)
        yield kind, places, documents[places]
