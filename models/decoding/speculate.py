"""Self-speculation: drafts from masks, all at once, verified from left to right."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from flax import nnx
from jaxtyping import Bool, Int32, Key

from ...objectives.errors import UsageError, require_count
from ..build import Model
from ..decoder import Decoder
from .generate import Generated
from .prompt_check import check_ids, check_keys, check_prompts
from .prompts import Prompts
from .samplers import Sampler, require_distribution
from .speculation import speculated


class Speculated(NamedTuple):
    """What was generated, and at what cost.

    Attributes:
      generated: as `make_generate` gives it.
      rounds: of each row; a round is two passes, a draft and its verification.
      accepted: drafted tokens of each row that were kept: of up to `drafts - 1` a
        round, not counting the two tokens of each that are no guess.
    """

    generated: Generated
    rounds: Int32[np.ndarray, " B"]
    accepted: Int32[np.ndarray, " B"]

    def tokens_per_pass(self, given: Int32[np.ndarray, " B"]) -> float:
        """Tokens that a pass made, over all rows; from left to right it is 1."""
        made = (self.generated.lengths - given).sum()
        return float(made / max(1, 2 * self.rounds.sum()))


Speculate = Callable[[Prompts, Key[jax.Array, " B"]], Speculated]


def make_speculate(
    model: Model,
    *,
    sampler: Sampler,
    bos: int,
    eos: int | None,
    mask: int,
    drafts: int = 8,
    shift: bool = True,
    pad: int = 0,
    allowed: Bool[np.ndarray, " V"] | None = None,
) -> Speculate:
    """Generation from left to right, several tokens a pass.

    For a decoder model that was trained both causally and to predict masked tokens. A
    round has two passes over a few slots, with the cache of what is before them:

        draft    slots: the last token, then `drafts - 1` masks that see each other and
                 all before. The last token's slot sees the past alone, so it gives the
                 next token itself; each mask gives one guess, behind it.
        verify   slots: what was drafted, each seeing the past alone. Guesses are kept
                 as far as they agree; then one more token comes of the same pass.

    So a round makes between 2 and `drafts + 1` tokens, but at a row's end: never fewer
    a pass than from left to right. With `greedy` the text is that of `make_generate`,
    but where two logits are equal up to rounding. With `sampled` guess x, drawn from q,
    is kept with probability min(1, p(x) / q(x)), and the first that is not is drawn
    again from max(0, p - q): the text has the distribution of `make_generate`
    (Leviathan et al. 2023, appendix A.1), though other draws.

    Keys and values of the past are always those of causal slots; masks look at them.

    Args:
      model: a decoder model. On a mesh, the `sequence` axis must be 1.
      sampler: `greedy`, or one made by `sampled`.
      bos: id held by the slot that asks for the first target.
      eos: the generated token that ends a row; None where every row has its full
        length.
      mask: id that hides a token, in the model's masked training.
      drafts: tokens that a round drafts.
      shift: whether a mask predicts the token behind it, or (False) itself.
      pad: fills targets behind a row's end.
      allowed: ids that may be generated; None allows all.

    Returns:
      `(prompts, keys) -> Speculated`. Key b is all of row b's randomness. Guesses are
      good where targets stand one behind another, as in text.

    Raises:
      ValueError: an encoder–decoder, whose decoder knows no masks; another sampler;
        `drafts` below 1; or as `make_generate`.
    """
    if not isinstance(model, Decoder):
        raise UsageError(
            "self-speculation came with an encoder–decoder, whose decoder stream is "
            "never masked in training; generate with make_generate."
        )
    require_distribution(sampler)
    require_count("drafts", drafts)
    graph, params = nnx.split(model)
    vocabulary = model.projection().shape[0]
    ids = np.ones(vocabulary, bool) if allowed is None else allowed
    check_ids(vocabulary, ids, bos=bos, eos=eos, pad=pad, mask=mask)
    reserved = np.int32(bos), np.int32(-1 if eos is None else eos), np.int32(mask)

    def speculate(prompts: Prompts, keys: Key[jax.Array, " B"]) -> Speculated:
        check_prompts(prompts, vocabulary_size=vocabulary)
        check_keys(keys, rows=len(prompts.given))
        done = speculated(
            params, prompts, keys, ids, *reserved,
            graph=graph, sampler=sampler, drafts=drafts, shift=shift,
        )  # fmt: skip
        targets, log_p, lengths, rounds, accepted = map(np.asarray, done)
        used = np.arange(targets.shape[1]) < lengths[:, None]
        targets = np.where(used, targets, pad).astype(np.int32)
        generated = Generated(targets, np.where(used, log_p, 0), lengths)
        return Speculated(generated, rounds, accepted)

    return speculate
