"""Small Examples of known tokens, to trace through a model.

A specimen is made from coded text (`objectives.coded`), in which each token tells its
place; tokens of the model's vocabulary then replace the codes.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ...models.rows import RowShape
from ...objectives.coded import FIRST, coded_ids, coded_text
from ...objectives.example import Example
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds, reserved_ids
from ...objectives.text import Text
from ...tasks.rows.layout import budget

LENGTH = 24
"""Most raw tokens of a specimen: enough for every kind of slot, few enough to check.

Where text is seen block by block, a specimen has a second block, too, if it fits.
"""


class Specimen(NamedTuple):
    """One Example, as codes and as tokens of a vocabulary.

    Attributes:
      objective: the objective that made it.
      coded: the Example of coded text.
      example: the same Example in a vocabulary's ids, for the model.
    """

    objective: Objective
    coded: Example
    example: Example


def specimen(
    objective: Objective,
    shape: RowShape,
    ids: SpecialIds,
    rng: np.random.Generator,
    *,
    alphabet: Int[np.ndarray, " A"] | None = None,
) -> Specimen:
    """Draws a specimen that fits the rows.

    Random: its length, the place of the window in its document, the choices of the
    objective, and the token that replaces each code.

    Args:
      objective: with its settings.
      shape: of the rows.
      ids: of the vocabulary.
      rng: source of all randomness.
      alphabet: ids to draw text from, independently; None draws from all of the
        vocabulary's text, without repeats while ids last.
    """
    length = int(rng.integers(*_lengths(objective, shape), endpoint=True))
    begin = int(rng.integers(0, 9))
    following = int(rng.choice([0, 3 * LENGTH]))  # text may or may not go on
    text = coded_text(begin + length + following, begin, begin + length)
    return specimen_of(objective, text, ids, rng, alphabet=alphabet)


def blocks(example: Example) -> int:
    """Blocks of an Example in which text is seen block by block; 0 for others."""
    seen = (example.inputs_sees, example.targets_sees)
    return max(len(np.unique(sees)) for sees in seen)


@functools.lru_cache(64)
def _lengths(objective: Objective, shape: RowShape) -> tuple[int, int]:
    """The fewest and the most raw tokens of its specimens."""
    window, fewest = objective.window(budget(shape)), objective.smallest()
    longest = min(window, LENGTH)
    shortest = min(max(fewest, longest // 2), longest)

    def crosses(length: int) -> bool:
        rng = np.random.default_rng(0)
        return (
            blocks(objective(coded_text(length + 1, 0, length), rng, coded_ids())) > 1
        )

    if crosses(window):
        border = next(n for n in range(fewest, window + 1) if crosses(n))
        longest = min(window, max(longest, border + LENGTH // 3))
        shortest = max(shortest, border)
    return shortest, longest


def specimen_of(
    objective: Objective,
    text: Text,
    ids: SpecialIds,
    rng: np.random.Generator,
    *,
    alphabet: Int[np.ndarray, " A"] | None = None,
) -> Specimen:
    """The specimen that an objective makes of a window; arguments as in `specimen`."""
    coded = objective(text, rng, coded_ids())
    return Specimen(
        objective, coded, _in_vocabulary(coded, ids, rng, alphabet=alphabet)
    )


def is_text(codes: Int[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
    """Which codes stand for text, of this document or another."""
    return codes >= FIRST


def _in_vocabulary(
    coded: Example,
    ids: SpecialIds,
    rng: np.random.Generator,
    *,
    alphabet: Int[np.ndarray, " A"] | None,
) -> Example:
    """The Example with its codes replaced; reserved ids stay the same kind."""
    fields = ("inputs", "targets", "inputs_targets", "targets_shown")
    codes = np.unique(np.concatenate([getattr(coded, field) for field in fields]))
    reserved = _reserved(ids)
    text = [code for code in codes.tolist() if code not in reserved]
    if alphabet is None:
        distinct = len(text) <= len(ids.text)
        text_ids = rng.choice(ids.text, len(text), replace=not distinct)
    else:
        text_ids = rng.choice(alphabet, len(text))
    ids_by_code = {**reserved, **dict(zip(text, text_ids.tolist(), strict=True))}
    return coded._replace(
        **{
            field: np.array(
                [ids_by_code[c] for c in getattr(coded, field).tolist()]
            ).astype(np.int32)
            for field in fields
        }
    )


def _reserved(ids: SpecialIds) -> dict[int, int]:
    """A vocabulary's reserved id for each coded one, without those that it lacks."""
    theirs = reserved_ids(ids)
    return {
        code: id_
        for field, codes in reserved_ids(coded_ids()).items()
        for code, id_ in zip(codes, theirs[field], strict=False)
    }
