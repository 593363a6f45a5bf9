"""Permuted language modelling: selected tokens in a random order."""

from typing import Literal

import numpy as np
from jaxtyping import Int

from .errors import UsageError, nearest, require_acting, require_count
from .example import Example, Lengths, sequential
from .registry import objective
from .special_ids import SpecialIds
from .text import Text, Tokens

ID = 3

K = 6
"""One in how many tokens is selected by default."""

Selection = Literal["partial", "spans", "all"]


def _selected(tokens: int, k: int) -> int:
    require_count("permuted.k", k)
    return max(1, round(tokens / k))


def _lengths(tokens: int, selection: Selection, k: int) -> Lengths | None:
    if tokens < 2:
        return None
    if selection == "all":
        inputs, targets = 0, tokens
    else:
        targets = _selected(tokens, k)
        # EOS is never selected: at k=1 it is the one input.
        inputs = max(tokens - targets, 1)
    return Lengths(
        inputs=inputs,
        targets=targets,
        inputs_predictions=0,
        targets_predictions=targets,
        slots=tokens,
    )


@objective(id=ID, measure=_lengths)
def permuted(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    selection: Selection = "partial",
    k: int = K,
) -> Example:
    """Predicts tokens in a random order, each from the unselected and the earlier ones.

    XLNet (Yang et al. 2019, §2.2, partial prediction §2.3) in one stream: every
    target is asked for from one before its own position, so that the model knows
    which one is asked for and never sees it (σ-GPT, Pannatier et al. 2024, has the
    same idea with two position codes). Fixed: how many tokens are selected. Random:
    which, and the order of the targets, every order equally likely.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids.
      selection: "partial" selects 1/k of the tokens, every subset equally likely;
        "spans" as many in runs of 1 to 5 (probability ∝ 1/n), each inside its own
        stretch of n·k tokens (XLNet's released code leaves 6n tokens around a run of n,
        so its stretches are 7n tokens long); "all" every token.
      k: one in how many tokens is selected; only with "partial" and "spans".

    Raises:
      ValueError: an unknown selection, k below 1, or a k with "all".
    """
    del ids
    require_acting(
        "permuted.k",
        k,
        default=K,
        acts=selection != "all",
        with_='permuted.selection="partial" or "spans"',
    )
    tokens = text.tokens
    content = len(tokens) - text.ends_document
    count = min(_selected(len(tokens), k), content)
    match selection:
        case "partial":
            chosen = rng.choice(content, count, replace=False)
        case "spans":
            chosen = rng.permutation(_spans(content, count, rng, k=k))
        case "all":
            chosen = rng.permutation(len(tokens))
        case _:
            valid = ("partial", "spans", "all")
            raise UsageError(
                f"permuted.selection is {selection!r}; {nearest(selection, valid)}"
            )
    return in_order(tokens, chosen)


def in_order(tokens: Tokens, chosen: Int[np.ndarray, " J"]) -> Example:
    """The Example of a text whose tokens at `chosen` are predicted in that order."""
    rest = np.setdiff1d(np.arange(len(tokens)), chosen, assume_unique=True)
    return sequential(
        ID,
        tokens[rest],
        tokens[chosen],
        inputs_positions=1 + rest,
        targets_positions=1 + chosen,
    )


def _spans(
    content: int, count: int, rng: np.random.Generator, *, k: int
) -> Int[np.ndarray, " count"]:
    """Runs of tokens, spread over the text, `count` in all; single ones fill up."""
    sizes = np.arange(1, 6)
    chosen: list[int] = []
    start = 0
    while start < content and len(chosen) < count:
        n = int(rng.choice(sizes, p=(1 / sizes) / (1 / sizes).sum()))
        n = min(n, count - len(chosen), content - start)
        stretch = min(n * k, content - start)
        begin = start + int(rng.integers(stretch - n + 1))
        chosen.extend(range(begin, begin + n))
        start += stretch
    free = np.setdiff1d(np.arange(content), chosen)
    extra = rng.choice(free, count - len(chosen), replace=False)
    return np.concatenate([np.asarray(chosen, np.int64), extra])
