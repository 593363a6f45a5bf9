"""Prefix language modelling: a first part seen both ways, then the rest in order."""

import numpy as np

from .errors import require_share
from .example import Example, Lengths, sequential
from .mode import ShownMode, mode_slots, require_mode, with_mode
from .registry import objective
from .special_ids import SpecialIds
from .text import Text, Tokens

ID = 5

_NO_SUFFIX = {
    0: "leave prefix out of Mixture.rates",
    1: "mix causal, which predicts the whole text",
}


def _suffix_tokens(tokens: int, suffix: float) -> int:
    require_share("prefix.suffix", suffix, instead=_NO_SUFFIX)
    return min(max(round(suffix * tokens), 1), tokens - 1)


def _lengths(tokens: int, suffix: float | None, mode: ShownMode) -> Lengths | None:
    if tokens < 2:
        return None
    extra = mode_slots(mode)
    if suffix is None:
        inputs, targets = tokens - 1, tokens - 1
    else:
        targets = _suffix_tokens(tokens, suffix)
        inputs = tokens - targets
    return Lengths(
        inputs=inputs + extra,
        targets=targets,
        inputs_predictions=0,
        targets_predictions=targets,
        slots=tokens + extra,
    )


@objective(id=ID, measure=_lengths)
def prefix(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    suffix: float | None = None,
    mode: ShownMode = "none",
    mode_rate: float = 1.0,
) -> Example:
    """Cuts the window in two and predicts the second part, the suffix, from the first.

    Loss `-Σ_{t ≥ c} log p(x_t | x_<t)` for a cut c, where the tokens before c see each
    other (Liu et al. 2018, §4.2.3; Raffel et al. 2020, §3.2.1). With `suffix=.25` and
    `mode="S"` it is the S-denoiser of UL2 (Tay et al. 2022, §3.1, table 1).

    Random: the cut where `suffix` is None, every place alike, so that half of the
    tokens are predicted on average; whether the mode token is shown. Fixed: the cut
    where `suffix` is a share. Positions run through both parts as in one text, and
    EOS stands at the true end of a document only.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids.
      suffix: share of the tokens that are predicted, above 0 and below 1; at least one
        token is, and at most all but one. None draws the cut.
      mode: mode token before the inputs (`mode.with_mode`).
      mode_rate: share of the Examples that show it, above 0; only with a mode.

    Raises:
      ValueError: a share out of range, a rate without a mode, or an unknown mode.
    """
    require_mode("prefix", mode, mode_rate)
    tokens = text.tokens
    if suffix is None:
        cut = int(rng.integers(1, len(tokens)))
    else:
        cut = len(tokens) - _suffix_tokens(len(tokens), suffix)
    return with_mode(cut_at(tokens, cut), rng, ids, mode=mode, mode_rate=mode_rate)


def cut_at(tokens: Tokens, cut: int) -> Example:
    """The Example of a text whose tokens from `cut` on are predicted from the rest."""
    positions = 1 + np.arange(len(tokens))
    return sequential(
        ID,
        tokens[:cut],
        tokens[cut:],
        inputs_positions=positions[:cut],
        targets_positions=positions[cut:],
    )
