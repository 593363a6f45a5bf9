"""Filling in the middle: left to right, over a text whose middle was moved last."""

from typing import Literal

import numpy as np

from .errors import require_share
from .example import Example, Lengths, sequential
from .registry import objective
from .special_ids import SpecialIds
from .text import Text, Tokens

ID = 6


def _lengths(tokens: int) -> Lengths | None:
    if tokens < 2:  # a lone EOS has no middle
        return None
    return Lengths(
        inputs=0,
        targets=tokens + 4,
        inputs_predictions=0,
        targets_predictions=tokens + 1,
    )


@objective(id=ID, measure=_lengths)
def fill_in_middle(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    spm: float = 0.5,
) -> Example:
    """Moves the middle of the window to its end and predicts every token in that order.

    Bavarian et al. 2022, §3; the second order is the variant of appendix D:

        PSM    PRE prefix SUF suffix MID middle EOS
        SPM    PRE SUF suffix MID prefix middle EOS

    Everything is a target, from the strict past. The three ids of filling have weight
    0, as they are always given; every other token is supervised. Random: the order;
    the two cuts, at tokens, every pair of different places alike. So the middle holds
    a token at least, while prefix or suffix may be empty: text is also filled in at
    its two ends. Fixed: nothing else.

    The last EOS ends the middle, so it is there also inside a document. Where the
    window ends its document, the document's own EOS belongs to the suffix: there it
    says that nothing follows the suffix, and it stays supervised.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; `ids.fill` stand before prefix, suffix and middle.
      spm: share of the Examples in SPM order.

    Raises:
      ValueError: `spm` outside [0, 1].
    """
    require_share("fill_in_middle.spm", spm)
    tokens = text.tokens
    content = len(tokens) - text.ends_document
    cuts = np.sort(rng.choice(content + 1, 2, replace=False))
    before, middle, after = np.split(tokens, cuts)
    order = "spm" if rng.random() < spm else "psm"
    return middle_last(before, middle, after, ids, order=order)


def middle_last(
    before: Tokens,
    middle: Tokens,
    after: Tokens,
    ids: SpecialIds,
    *,
    order: Literal["psm", "spm"],
) -> Example:
    """The Example of a text in three parts, the middle of which comes last."""
    pre, suf, mid = ids.fill
    if order == "spm":
        parts = ([pre, suf], after, [mid], before, middle, [ids.eos])
    else:
        parts = ([pre], before, [suf], after, [mid], middle, [ids.eos])
    targets = np.concatenate(parts)
    return sequential(
        ID,
        (),
        targets,
        inputs_positions=(),
        targets_positions=1 + np.arange(len(targets)),
        targets_weights=~np.isin(targets, ids.fill),
    )
