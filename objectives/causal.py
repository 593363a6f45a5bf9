"""Causal language modelling: every next token from the strict past."""

import numpy as np

from .example import Example, Lengths, sequential
from .registry import objective
from .special_ids import SpecialIds
from .text import Text, Tokens

ID = 0


def _lengths(tokens: int) -> Lengths | None:
    if tokens < 2:  # a lone EOS after BOS says nothing of any text
        return None
    return Lengths(
        inputs=0, targets=tokens, inputs_predictions=0, targets_predictions=tokens
    )


@objective(id=ID, measure=_lengths)
def causal(text: Text, rng: np.random.Generator, ids: SpecialIds) -> Example:
    """Predicts each token of the window from the ones before it.

    Loss `-Σ_t log p(x_t | x_<t)`. Nothing is random. EOS is predicted at the true end
    of a document only, so that a window cut inside one teaches no early stop.
    """
    del rng, ids
    return left_to_right(text.tokens)


def left_to_right(tokens: Tokens) -> Example:
    """The Example of a text, each token of which is predicted from those before it."""
    positions = 1 + np.arange(len(tokens))
    return sequential(ID, (), tokens, inputs_positions=(), targets_positions=positions)
