"""Causal language modelling: every next token from the strict past."""

import numpy as np

from .example import Example, Lengths, sequential
from .registry import objective
from .special_ids import SpecialIds
from .text import Text


def _lengths(tokens: int) -> Lengths:
    return Lengths(0, tokens, 0, tokens)


@objective(id=0, measure=_lengths)
def causal(text: Text, rng: np.random.Generator, ids: SpecialIds) -> Example:
    """Predicts each token of the window from the ones before it.

    Loss `-Σ_t log p(x_t | x_<t)`. Nothing is random. EOS is predicted at true ends
    of documents only: a window cut inside a document teaches no early stop.
    """
    del rng, ids
    tokens = text.tokens
    return sequential(
        ID, (), tokens, inputs_positions=(), targets_positions=1 + np.arange(len(tokens))
    )
