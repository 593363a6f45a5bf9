"""Block diffusion: text block after block, the tokens of a block in any order."""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float, Int

from .errors import UsageError, nearest, require_count
from .example import Example, Lengths, in_blocks, in_place
from .registry import objective
from .special_ids import SpecialIds
from .text import Text

ID = 8

Form = Literal["canvas", "exact"]

_APART = (
    "a noisy block sees itself and the clean blocks before it, and a slot of a stream "
    'sees one interval; set block_diffusion.form="canvas", or use encoder_decoder_rows.'
)


def _require(block: int, form: str) -> None:
    if form not in get_args(Form):
        raise UsageError(
            f"block_diffusion.form is {form!r}; {nearest(form, get_args(Form))}"
        )
    # A canvas hides all of a block of one token, so that nothing is left to see.
    require_count("block_diffusion.block", block, least=2 if form == "canvas" else 1)


def _lengths(tokens: int, block: int, form: Form) -> Lengths | None:
    _require(block, form)
    if tokens < 2:
        return None
    if form == "canvas":
        return Lengths(
            inputs=tokens, targets=0, inputs_predictions=tokens, targets_predictions=0
        )
    return Lengths(
        inputs=(tokens - 1) // block * block,
        targets=tokens,
        inputs_predictions=0,
        targets_predictions=tokens,
        apart=_APART,
    )


@objective(id=ID, measure=_lengths)
def block_diffusion(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    block: int = 32,
    form: Form = "canvas",
) -> Example:
    """Hides a random number of tokens in each block and predicts them in place.

    BD3-LM (Arriola et al. 2025, §3): text is written a block at a time, from left to
    right, and a block by masked diffusion. Blocks are counted from where the window
    begins, so they are the same wherever it is packed; the last may be shorter. Of a
    block of n tokens, l are hidden, l drawn from 1 … n and every set of l tokens
    equally likely, each block by itself, and each has weight n / l. EOS is a token like
    any other: a block that holds it ends the text.

    `form="exact"` shows a noisy block itself and the clean blocks before it, as it is
    written. The clean text, without the last block, is the encoder's, where a token
    sees up to the end of its own block; the noisy blocks are the decoder's. With x_b
    the tokens of block b, masked diffusion inside it (`masked.masked`, of which this is
    the bound for every block, with what is before it given) makes

        -log p(x) = Σ_b -log p(x_b | x_<b)
                  ≤ Σ_b E_l,S [ n_b / l · Σ_{i ∈ S} -log p(x_i | x_b without S, x_<b) ]

    for x of a known length. The right side is the expectation of the weighted sum: a
    set S of l tokens is drawn with probability 1 / (n_b · C(n_b, l)), and n_b / l times
    that is 1 / (l · C(n_b, l)), its weight in the integral ∫₀¹ 1/t · E[…] dt over the
    probability t with which a token is hidden. The weights of each block sum to n_b, so
    those of an Example to its tokens. Blocks of one token make it `causal`'s loss.

    `form="canvas"` has one copy of the text, the noisy one (the single canvas of
    MaxText's block diffusion), half as long: a slot sees up to the end of its own
    block, so later blocks look at earlier ones as they are, with tokens hidden. What is
    predicted is p(x_i | x_b without S, x_<b without what is hidden there): the same sum
    for a model that is given less than it has when it writes, where what is before a
    block is clean. It is no bound on the likelihood of what is then written.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids.
      block: tokens of a block.
      form: "canvas", for any rows, or "exact", for encoder–decoder rows.

    Raises:
      ValueError: an unknown form, or blocks too short for it.
    """
    _require(block, form)
    tokens = text.tokens
    weights = _weights(len(tokens), block, rng)
    noisy = np.where(weights > 0, ids.mask, tokens)
    positions = 1 + np.arange(len(tokens))
    begins = np.arange(len(tokens)) // block * block
    ends = np.minimum(begins + block, len(tokens))
    if form == "canvas":
        return in_place(
            ID,
            noisy,
            positions=positions,
            targets=np.where(weights > 0, tokens, 0),
            weights=weights,
            sees=ends,
        )
    clean = int(begins[-1])
    return in_blocks(
        ID,
        tokens[:clean],
        tokens,
        inputs_positions=positions[:clean],
        inputs_sees=ends[:clean],
        targets_positions=positions,
        targets_weights=weights,
        targets_shown=noisy,
        targets_sees=begins,
    )


def _weights(
    tokens: int, block: int, rng: np.random.Generator
) -> Float[np.ndarray, " N"]:
    """n / l at the l hidden tokens of each block of n, 0 elsewhere."""
    blocks: Int[np.ndarray, " N"] = np.arange(tokens) // block
    sizes = np.bincount(blocks)
    hidden = rng.integers(1, sizes + 1)
    # Places by block, in a random order inside each.
    order = np.lexsort((rng.random(tokens), blocks))
    rank = np.empty(tokens, np.int64)
    rank[order] = np.arange(tokens) % block
    return np.where(rank < hidden[blocks], (sizes / hidden)[blocks], 0.0)
