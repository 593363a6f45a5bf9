"""Examples that ask how likely a filling is between two texts, in a form for each mode.

As `asking.forms`, which asks how likely a text is after another.
"""

from typing import Literal, get_args

import numpy as np

from ....objectives.example import Example, in_place
from ....objectives.fill_in_middle import middle_last
from ....objectives.permuted import in_order
from ....objectives.special_ids import SpecialIds
from ..asking.forms import Tokens, after_inputs, hiding

FillingMode = Literal[
    "suffix_first",
    "fill_in_middle",
    "span",
    "masked",
    "shifted",
    "blocks",
    "permuted",
    "reconstruction",
]

FILLING_MODES: tuple[FillingMode, ...] = get_args(FillingMode)
"""Modes in which a filling is written with both sides in sight, those that objectives
train for it first; a model is asked in the first that it was trained in.

With the suffix first the filling goes on from what is before the blank. With the prefix
first the model has to look that up first, which may be why a model of two layers fills
in the one order what it does not in the other (`results/LOG.md`)."""


def filling_in(
    mode: FillingMode, left: Tokens, filling: Tokens, right: Tokens, ids: SpecialIds
) -> list[Example]:
    """Examples whose supervised tokens are those of a filling, and where it ends.

    The sum of their log-probabilities is `s(filling | left, right)`:

        suffix_first    targets: PRE SUF right MID left filling EOS
        fill_in_middle  targets: PRE left SUF right MID filling EOS
        span            inputs: left <0> right EOS; targets: <0> filling EOS
        reconstruction  inputs: left MASK right EOS; targets: left filling right[0]
        permuted        inputs: left and right; targets: filling, at its positions
        masked          the text with the filling hidden from its k-th token on, for
                        each k in turn: the tokens are asked from left to right, each
                        with those before it (Kauf & Ivanova 2023, §3: hiding one at a
                        time would prefer rare names of many tokens)
        shifted         as masked, asked from the slot before each hidden token
        blocks          as masked; left sees itself, the rest is one block

    "permuted", "masked", "shifted" and "blocks" say how long the filling is; the others
    are also asked where it ends.

    Args:
      mode: of the form.
      left: before the blank; may be empty.
      filling: at least one token.
      right: after the blank; empty to measure a filling from its left alone.
      ids: reserved ids.
    """
    begin, end = len(left), len(left) + len(filling)
    text = np.concatenate([left, filling, right])
    match mode:
        case "suffix_first" | "fill_in_middle":
            order = "spm" if mode == "suffix_first" else "psm"
            example = middle_last(left, filling, right, ids, order=order)
            weights = np.arange(len(example.targets)) > len(left) + len(right) + 2
            return [example._replace(targets_weights=weights.astype(np.float32))]
        case "span":
            inputs = np.concatenate([left, ids.sentinels[:1], right, [ids.eos]])
            targets = np.concatenate([ids.sentinels[:1], filling, [ids.eos]])
            return [after_inputs(inputs, targets, weigh_from=1)]
        case "reconstruction":
            inputs = np.concatenate([left, [ids.mask], right, [ids.eos]])
            targets = np.append(text, ids.eos)[: end + 1]
            return [after_inputs(inputs, targets, weigh_from=begin)]
        case "permuted":
            return [in_order(text, np.arange(begin, end))]
        case "masked" | "shifted":
            ahead = mode == "shifted"
            return [
                _only_first(hiding(text, np.arange(k, end), ids, ahead=ahead))
                for k in range(begin, end)
            ]
        case "blocks":
            return [_in_block(text, begin, k, end, ids) for k in range(begin, end)]


def _only_first(example: Example) -> Example:
    """Weighs the first of the hidden tokens alone."""
    weights = np.zeros_like(example.inputs_weights)
    weights[int(np.argmax(example.inputs_weights > 0))] = 1
    return example._replace(inputs_weights=weights)


def _in_block(
    text: Tokens, begin: int, hidden: int, end: int, ids: SpecialIds
) -> Example:
    """Hides `[hidden, end)`, of which the first token is asked for in place."""
    shown, weights = text.copy(), np.zeros(len(text))
    shown[hidden:end], weights[hidden] = ids.mask, 1.0
    places = np.arange(len(text))
    return in_place(
        0,
        shown,
        positions=1 + places,
        targets=np.where(weights > 0, text, 0),
        weights=weights,
        sees=np.where(places < begin, begin, len(text)),
    )
