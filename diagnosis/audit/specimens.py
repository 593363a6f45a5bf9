"""Small Examples of an objective whose tokens are known, to trace them through a model.

A specimen is made of coded text (`objectives.coded`), so that each token says where it
stood, and of tokens of the model's own vocabulary, which take the codes' place.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from ...models.rows import RowShape
from ...objectives.coded import FIRST, coded_ids, coded_text
from ...objectives.example import Example
from ...objectives.registry import Objective
from ...objectives.special_ids import SpecialIds
from ...objectives.text import Text
from ...tasks.rows.layout import budget

LENGTH = 24
"""Most raw tokens of a specimen: enough for every kind of slot, few enough to check."""


class Specimen(NamedTuple):
    """One Example, once as codes and once as tokens of a vocabulary.

    Attributes:
      objective: that made it.
      coded: the Example of coded text.
      example: the same Example in a vocabulary's ids; a model reads this one.
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
    """A specimen that fits the rows.

    Random: the length, where the window lies in its document, what the objective
    draws, and which token each code becomes.

    Args:
      objective: with its settings.
      shape: of the rows.
      ids: of the vocabulary.
      rng: source of all randomness.
      alphabet: ids that text becomes, each token drawn by itself; all of the
        vocabulary's text, each at most once while they last, unless told.
    """
    most = min(objective.window(budget(shape)), LENGTH)
    least = min(max(objective.smallest(), most // 2), most)
    length = int(rng.integers(least, most + 1))
    begin = int(rng.integers(0, 9))
    behind = int(rng.choice([0, 3 * LENGTH]))  # text may or may not go on
    text = coded_text(begin + length + behind, begin, begin + length)
    return specimen_of(objective, text, ids, rng, alphabet=alphabet)


def specimen_of(
    objective: Objective,
    text: Text,
    ids: SpecialIds,
    rng: np.random.Generator,
    *,
    alphabet: Int[np.ndarray, " A"] | None = None,
) -> Specimen:
    """The specimen that an objective makes of a window of coded text.

    Arguments are those of `specimen`, which draws the window as well.
    """
    coded = objective(text, rng, coded_ids())
    return Specimen(objective, coded, _spelled(coded, ids, rng, alphabet=alphabet))


def is_text(codes: Int[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
    """Which codes stand for text, of this document or another."""
    return codes >= FIRST


def _spelled(
    coded: Example,
    ids: SpecialIds,
    rng: np.random.Generator,
    *,
    alphabet: Int[np.ndarray, " A"] | None,
) -> Example:
    """The Example with each code replaced: reserved ones by their like."""
    fields = ("inputs", "targets", "inputs_targets")
    found = np.unique(np.concatenate([getattr(coded, field) for field in fields]))
    reserved = _reserved(ids)
    text = [code for code in found.tolist() if code not in reserved]
    if alphabet is None:
        enough = len(text) <= len(ids.text)
        drawn = rng.choice(ids.text, len(text), replace=not enough)
    else:
        drawn = rng.choice(alphabet, len(text))
    becomes = {**reserved, **dict(zip(text, drawn.tolist(), strict=True))}
    return coded._replace(
        **{
            field: np.array(
                [becomes[c] for c in getattr(coded, field).tolist()]
            ).astype(np.int32)
            for field in fields
        }
    )


def _reserved(ids: SpecialIds) -> dict[int, int]:
    """From coded reserved ids to a vocabulary's."""

    def flat(special: SpecialIds) -> list[int]:
        alone = (special.pad, special.eos, special.bos, special.mask, special.sep)
        several = (special.labels, special.modes, special.fill, special.sentinels)
        return [*alone, *(id_ for group in several for id_ in group)]

    return dict(zip(flat(coded_ids()), flat(ids), strict=True))
