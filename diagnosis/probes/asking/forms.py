"""Examples that ask how likely a text is after another, in a form for each mode.

A model answers well only in a form that it was trained in, so every score names its
mode. The Example of a form is the one that the objective of that form would make.
"""

from typing import Literal, get_args

import numpy as np
from jaxtyping import Int

from ....objectives.example import Example, in_place, sequential
from ....objectives.special_ids import SpecialIds

Mode = Literal[
    "causal", "prefix", "span", "reconstruction", "permuted", "masked", "shifted"
]

MODES: tuple[Mode, ...] = get_args(Mode)
"""Modes, the closest to continuing text first; a model is queried in the first that it
was trained in."""

STRIDE = 6
"""Masked mode hides every sixth token at a time, close to BERT's 15 %."""

Tokens = Int[np.ndarray, " _"]

Pair = tuple[str, str]
"""A text and its continuation, which join without a separator."""


def going_on(
    mode: Mode, before: Tokens, after: Tokens, ids: SpecialIds
) -> list[Example]:
    """Examples whose supervised tokens are exactly those of `after`.

    The sum of their log-probabilities is `s(after | before)`:

        causal          targets: before after, from the strict past
        prefix          inputs: before; targets: after
        span            inputs: before <0> EOS; targets: <0> after
        reconstruction  inputs: before MASK EOS; targets: before after
        permuted        as prefix, which is one of the possible orders
        masked          before and after, in `STRIDE` Examples that hide different
                        tokens of `after`: a pseudo-likelihood (Salazar et al. 2020,
                        §2), from both sides
        shifted         as masked, asked from the slot before each hidden token

    Args:
      mode: of the form.
      before: the context; may be empty.
      after: the text to score, at least one token.
      ids: reserved ids.
    """
    boundary = len(before)
    text = np.concatenate([before, after])
    positions = 1 + np.arange(len(text))
    if mode in ("masked", "shifted"):
        ahead = mode == "shifted"
        return [
            hiding(
                text, np.arange(boundary + first, len(text), STRIDE), ids, ahead=ahead
            )
            for first in range(min(STRIDE, len(after)))
        ]
    if mode in ("prefix", "permuted"):
        example = sequential(
            0,
            before,
            after,
            inputs_positions=positions[:boundary],
            targets_positions=positions[boundary:],
        )
    elif mode == "causal":
        example = after_inputs((), text, weigh_from=boundary)
    elif mode == "span":
        inputs = np.concatenate([before, [ids.sentinels[0], ids.eos]])
        targets = np.concatenate([[ids.sentinels[0]], after])
        example = after_inputs(inputs, targets, weigh_from=1)
    else:
        inputs = np.concatenate([before, [ids.mask, ids.eos]])
        example = after_inputs(inputs, text, weigh_from=boundary)
    return [example]


def pair(first: Tokens, second: Tokens, ids: SpecialIds, *, label: int) -> Example:
    """Asks whether `second` continues `first`, as `objectives.sentence_pair` does.

    Args:
      first: the first text.
      second: the second text.
      ids: reserved ids.
      label: whose probability is scored: 1 continues, 0 does not.
    """
    inputs = np.concatenate([first, [ids.sep], second])
    return after_inputs(inputs, np.array([ids.labels[label]]))


def after_inputs(inputs, targets: Tokens, *, weigh_from: int = 0) -> Example:
    """Targets after inputs and a free position; those before `weigh_from` weigh 0."""
    at = len(inputs) + 2 if len(inputs) else 1
    return sequential(
        0,
        inputs,
        targets,
        inputs_positions=1 + np.arange(len(inputs)),
        targets_positions=at + np.arange(len(targets)),
        targets_weights=np.arange(len(targets)) >= weigh_from,
    )


def hiding(
    tokens: Tokens, hidden: Tokens, ids: SpecialIds, *, ahead: bool = False
) -> Example:
    """Tokens with masks at the hidden places, predicted in place.

    With `ahead`, each from the slot before it, as `masked.shift` trains.
    """
    inputs, weights = tokens.copy(), np.zeros(len(tokens))
    inputs[hidden], weights[hidden] = ids.mask, 1.0
    positions = 1 + np.arange(len(tokens))
    targets = np.where(weights > 0, tokens, 0)
    if ahead:
        inputs, positions = np.append(ids.bos, inputs), np.append(0, positions)
        targets, weights = np.append(targets, 0), np.append(weights, 0.0)
    return in_place(0, inputs, positions=positions, targets=targets, weights=weights)
