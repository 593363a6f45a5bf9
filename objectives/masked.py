"""Masked language modelling: selected tokens, in place, from both sides."""

import numpy as np

from .errors import require_share
from .example import Example, Lengths, in_place
from .registry import objective
from .special_ids import SpecialIds
from .text import Text

ID = 1


def _selected(tokens: int, rate: float) -> int:
    return max(1, round(rate * tokens))


def _lengths(tokens: int, rate: float) -> Lengths | None:
    if tokens < 2:
        return None
    selected = _selected(tokens, rate)
    return Lengths(
        inputs=tokens, targets=0, inputs_predictions=selected, targets_predictions=0
    )


@objective(id=ID, measure=_lengths, answers="shown")
def masked(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    rate: float = 0.15,
    masked_share: float = 0.8,
    random_share: float = 0.1,
) -> Example:
    """Hides a share of the tokens and predicts all of the selected ones in place.

    BERT (Devlin et al. 2018, §3.1, appendix A.1). Fixed: how many tokens are
    selected, round(rate · N), at least one. Random: which ones, every subset equally
    likely, and for each whether it shows the mask, a random token of the text, or
    itself. EOS is never selected. Loss on every selected token, the kept ones too.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; random tokens come from `ids.text` only.
      rate: share of the tokens that are selected.
      masked_share: share of the selected that show the mask.
      random_share: share of the selected that show a random token.

    Raises:
      ValueError: a share outside [0, 1], or shares that sum to more than 1.
    """
    require_share("masked.rate", rate)
    require_share("masked.masked_share", masked_share)
    require_share("masked.random_share", random_share)
    require_share(
        "masked.masked_share + masked.random_share", masked_share + random_share
    )
    tokens = text.tokens
    content = len(tokens) - text.ends_document
    count = min(_selected(len(tokens), rate), content)
    chosen = rng.choice(content, count, replace=False)

    draw = rng.random(count)
    drawn = rng.choice(ids.text, count)
    shown = np.where(draw < masked_share + random_share, drawn, tokens[chosen])
    shown = np.where(draw < masked_share, ids.mask, shown)

    inputs = tokens.copy()
    inputs[chosen] = shown
    weights = np.zeros(len(tokens), np.float32)
    weights[chosen] = 1.0
    targets = np.where(weights > 0, tokens, 0)
    positions = 1 + np.arange(len(tokens))
    return in_place(ID, inputs, positions=positions, targets=targets, weights=weights)
