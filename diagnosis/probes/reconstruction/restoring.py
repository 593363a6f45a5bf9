"""Requests to restore a corrupted excerpt, and the text that an answer makes."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ....objectives import registry, span_corruption
from ....objectives.errors import UsageError, nearest
from ....objectives.example import Example, sequential
from ....objectives.special_ids import SpecialIds
from ....objectives.text import Tokens
from ..asking.forms import Mode, after_inputs, going_on, hiding
from .corruptions import Corrupted, Kind

MODES_FOR: Mapping[Kind, tuple[Mode, ...]] = {
    "masking": (
        *("span", "permuted", "masked", "shifted"),
        *("reconstruction", "prefix", "causal"),
    ),
    "deletion": ("reconstruction", "prefix", "causal"),
    "insertion": ("reconstruction", "prefix", "causal"),
    "shuffling": ("reconstruction", "prefix", "causal"),
}
"""The possible modes, those that leave least to the model first.

"span", "permuted", "masked" and "shifted" tell where tokens are missing, the last three
also how many, so that the rest is copied for the model; in other modes it writes the
whole text.
"""

NEVER_TRAINED: tuple[Mode, ...] = ("prefix", "causal")
"""Modes that no objective trains to restore: they continue after the excerpt."""


class Request(NamedTuple):
    """A request to restore a corrupted excerpt.

    Attributes:
      corrupted: the excerpt.
      mode: of the request.
      example: the request with the right answer. Targets of weight 0 are the prompt. To
        decode, hide the other targets, or predict in place where `inputs_weights` are
        above 0.
    """

    corrupted: Corrupted
    mode: Mode
    example: Example


def ask(
    corrupted: Corrupted,
    ids: SpecialIds,
    *,
    mode: Mode,
    rng: np.random.Generator | None = None,
) -> Request:
    """Formats a corrupted excerpt as the objective of the mode does.

    For `a b c d` with `b` and `d` masked:

        mode            inputs              targets
        reconstruction  a _ c _ EOS         a b c d EOS
        span            a <0> c <1> EOS     <0> b <1> d EOS
        permuted        a c                 b d, at their own positions
        masked          a _ c _             b d, in place
        shifted         BOS a _ c _         b d, each at the slot before
        prefix          a _ c _             a b c d EOS
        causal          none                a b c d EOS, after the prompt a _ c _

    Args:
      corrupted: the excerpt.
      ids: reserved ids; "span" needs a sentinel for each run of masks.
      mode: of the request.
      rng: draws the order of "permuted"; None for text order.

    Raises:
      ValueError: a mode that cannot do this corruption, or fewer sentinels than runs.
    """
    valid = MODES_FOR[corrupted.kind]
    if mode not in valid:
        raise UsageError(
            f"mode {mode!r} cannot restore {corrupted.kind}; {nearest(mode, valid)}"
        )
    original, corrupted_tokens, missing = (
        corrupted.original,
        corrupted.tokens,
        corrupted.missing,
    )
    whole = np.append(original, ids.eos)
    match mode:
        case "reconstruction":
            example = after_inputs(np.append(corrupted_tokens, ids.eos), whole)
        case "span":
            example = after_inputs(*_with_sentinels(corrupted, ids))
        case "permuted":
            order = missing if rng is None else rng.permutation(missing)
            example = sequential(
                0,
                corrupted.kept,
                original[order],
                inputs_positions=1 + corrupted.untouched,
                targets_positions=1 + order,
            )
        case "masked" | "shifted":
            example = hiding(original, missing, ids, ahead=mode == "shifted")
        case "prefix" | "causal":
            # A plain continuation: nothing says that the text is to be restored.
            (example,) = going_on(mode, corrupted_tokens, whole, ids)
    name = {"span": "span_corruption", "shifted": "masked"}.get(mode, mode)
    objective = registry.get(name).id
    return Request(corrupted, mode, example._replace(objective=objective))


def assemble(request: Request, generated: Tokens, ids: SpecialIds) -> Tokens:
    """The restored excerpt from a model's answer.

    "permuted", "masked" and "shifted" put tokens in their places. "span" replaces each
    sentinel by what follows it in the answer: nothing if it is absent, the first
    occurrence if it is repeated; anything after an unknown sentinel is dropped. In
    other modes the answer is the text. Except where tokens have their places, it ends
    before its first EOS.

    Args:
      request: that was answered.
      generated: the answer, in the order of the request and without the prompt.
      ids: reserved ids.

    Raises:
      UsageError: too many or few tokens for a request that says how many are missing.
    """
    if request.mode in ("permuted", "masked", "shifted"):
        return _filled(request, generated)
    ends = np.flatnonzero(generated == ids.eos)
    answer = generated[: ends[0]] if len(ends) else generated
    if request.mode != "span":
        return answer
    by_sentinel = _after_sentinels(answer, ids)
    restored: list[int] = []
    for token in request.example.inputs[:-1].tolist():
        if token not in ids.modes:
            restored += (
                by_sentinel.get(token, []) if token in ids.sentinels else [token]
            )
    return np.array(restored, np.int32)


def unrestored(corrupted: Corrupted, ids: SpecialIds) -> Tokens:
    """The corrupted excerpt without masks: a baseline that does nothing."""
    return corrupted.tokens[corrupted.tokens != ids.mask]


def _with_sentinels(corrupted: Corrupted, ids: SpecialIds) -> tuple[Tokens, Tokens]:
    """The excerpt with a sentinel for each run of masks, and the target."""
    missing = corrupted.missing
    runs = 1 + int((np.diff(missing) > 1).sum())
    if runs > len(ids.sentinels):
        raise UsageError(
            f'mode "span" has {runs} runs of masks to tell apart, but the vocabulary '
            f"has {len(ids.sentinels)} sentinels; take shorter excerpts than "
            f"{len(corrupted.original)} tokens."
        )
    mask = np.zeros(len(corrupted.original), bool)
    mask[missing] = True
    return span_corruption.with_sentinels(corrupted.original, mask, ids)


def _filled(request: Request, generated: Tokens) -> Tokens:
    corrupted, places = request.corrupted, request.corrupted.missing
    if request.mode == "permuted":
        places = request.example.targets_positions - 1
    if len(generated) != len(places):
        raise UsageError(
            f"the answer has {len(generated)} tokens, but {len(places)} are missing "
            f"and mode {request.mode!r} asks for each; decode exactly as many."
        )
    restored = corrupted.original.copy()
    restored[places] = generated
    return restored


def _after_sentinels(answer: Tokens, ids: SpecialIds) -> dict[int, list[int]]:
    """The tokens after the first occurrence of each sentinel, up to the next."""
    by_sentinel: dict[int, list[int]] = {}
    current: list[int] = []
    for token in answer.tolist():
        if token in ids.sentinels:
            current = []
            by_sentinel.setdefault(token, current)
        else:
            current.append(token)
    return by_sentinel
