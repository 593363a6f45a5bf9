"""How a model is asked to restore a corrupted excerpt, and what its answer comes to."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from ....objectives import (
    causal,
    masked,
    permuted,
    prefix,
    reconstruction,
    span_corruption,
)
from ....objectives.errors import UsageError, nearest
from ....objectives.example import Example, in_place, sequential
from ....objectives.special_ids import SpecialIds
from ....objectives.text import Tokens
from ..asking.forms import Mode
from .corruptions import Corrupted, Kind

MODES_FOR: Mapping[Kind, tuple[Mode, ...]] = {
    "masking": ("span", "permuted", "masked", "reconstruction", "prefix", "causal"),
    "deletion": ("reconstruction", "prefix", "causal"),
    "insertion": ("reconstruction", "prefix", "causal"),
    "shuffling": ("reconstruction", "prefix", "causal"),
}
"""The modes that can be asked, the one that leaves least to the model first.

"span", "permuted" and "masked" say where tokens are missing, and all but "span" how
many, so they copy the rest by themselves; the others have to write the whole text.
"""

NEVER_TRAINED: tuple[Mode, ...] = ("prefix", "causal")
"""No objective trains these to restore: the excerpt stands before, and they go on."""


class Request(NamedTuple):
    """A corrupted excerpt as a model is asked to restore it.

    Attributes:
      corrupted: the excerpt.
      mode: how it is asked.
      example: what is asked, and the right answer. Targets of weight 0 are given, not
        asked. To decode, hide the targets of weight above 0, or predict the inputs in
        place where `inputs_weights` are above 0.
    """

    corrupted: Corrupted
    mode: Mode
    example: Example

    @property
    def given(self) -> int:
        """How many leading targets are given: a prompt, which only "causal" has."""
        return int((self.example.targets_weights == 0).sum())

    @property
    def answer(self) -> Tokens:
        """The right answer, as `assemble` takes it."""
        example = self.example
        if self.mode == "masked":
            return example.inputs_targets[example.inputs_weights > 0]
        return example.targets[self.given :]


def ask(
    corrupted: Corrupted,
    ids: SpecialIds,
    *,
    mode: Mode,
    rng: np.random.Generator | None = None,
) -> Request:
    """Lays a corrupted excerpt out as the mode's objective lays out its Examples.

    For `a b c d` with `b` and `d` masked:

        mode            inputs              asked for
        reconstruction  a _ c _ EOS         a b c d EOS
        span            a <0> c <1> EOS     <0> b <1> d EOS
        permuted        a c                 b d, at their own positions
        masked          a _ c _             b d, in place
        prefix          a _ c _             a b c d EOS
        causal          none                a b c d EOS, after given targets a _ c _

    Args:
      corrupted: the excerpt.
      ids: reserved ids; "span" takes a sentinel for each run of masks.
      mode: how to ask.
      rng: draws the order in which "permuted" asks; None: in text order.

    Raises:
      ValueError: a mode that cannot do this corruption, or fewer sentinels than runs.
    """
    _require(corrupted, mode)
    original, given, missing = corrupted.original, corrupted.tokens, corrupted.missing
    match mode:
        case "reconstruction":
            inputs, targets = np.append(given, ids.eos), np.append(original, ids.eos)
            example = _answered(reconstruction.ID, inputs, targets)
        case "span":
            inputs, targets = _with_sentinels(corrupted, ids)
            example = _answered(span_corruption.ID, inputs, targets)
        case "permuted":
            order = missing if rng is None else rng.permutation(missing)
            example = sequential(
                permuted.ID,
                corrupted.kept,
                original[order],
                inputs_positions=1 + corrupted.untouched,
                targets_positions=1 + order,
            )
        case "masked":
            weights = np.zeros(len(original), np.float32)
            weights[missing] = 1
            example = in_place(
                masked.ID,
                given,
                positions=1 + np.arange(len(original)),
                targets=np.where(weights > 0, original, 0),
                weights=weights,
            )
        case "prefix" | "causal":
            example = _continued(corrupted, ids, mode)
    return Request(corrupted, mode, example)


def assemble(request: Request, generated: Tokens, ids: SpecialIds) -> Tokens:
    """The restored excerpt that a model's answer makes.

    "permuted" and "masked" put the tokens into their places. "span" puts what follows a
    sentinel where that sentinel stands: nothing if it never comes, the first time if it
    comes again, and what follows no sentinel that was asked for is left out. The others
    are the text themselves. An answer stops before its first EOS where there is one,
    except in the two modes that know how many tokens are missing.

    Args:
      request: what was asked.
      generated: the answer: tokens in the order in which they were asked for; what was
        given is not repeated.
      ids: reserved ids.

    Raises:
      ValueError: more or fewer tokens than "permuted" or "masked" asked for.
    """
    if request.mode in ("permuted", "masked"):
        return _filled(request, generated)
    ends = np.flatnonzero(generated == ids.eos)
    answer = generated[: ends[0]] if len(ends) else generated
    if request.mode != "span":
        return answer
    said = _after_sentinels(answer, ids)
    restored: list[int] = []
    for token in request.example.inputs[:-1].tolist():
        if token not in ids.modes:
            restored += said.get(token, []) if token in ids.sentinels else [token]
    return np.array(restored, np.int32)


def unrestored(corrupted: Corrupted, ids: SpecialIds) -> Tokens:
    """The corrupted excerpt itself, masks left out: a baseline that does nothing."""
    return corrupted.tokens[corrupted.tokens != ids.mask]


def _require(corrupted: Corrupted, mode: str) -> None:
    valid = MODES_FOR[corrupted.kind]
    if mode not in valid:
        raise UsageError(
            f"mode {mode!r} cannot restore {corrupted.kind}; {nearest(mode, valid)}"
        )


def _answered(
    objective: int, inputs: Int[np.ndarray, " I"], targets: Int[np.ndarray, " J"]
) -> Example:
    """Targets behind inputs, as where the text begins anew."""
    return sequential(
        objective,
        inputs,
        targets,
        inputs_positions=1 + np.arange(len(inputs)),
        targets_positions=len(inputs) + 2 + np.arange(len(targets)),
    )


def _with_sentinels(corrupted: Corrupted, ids: SpecialIds) -> tuple[Tokens, Tokens]:
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


def _continued(corrupted: Corrupted, ids: SpecialIds, mode: Mode) -> Example:
    """The excerpt as a text that goes on: nothing says that it is to be restored."""
    given, targets = corrupted.tokens, np.append(corrupted.original, ids.eos)
    whole, size = np.concatenate([given, targets]), len(given)
    positions = 1 + np.arange(len(whole))
    if mode == "causal":
        asked = np.arange(len(whole)) >= size
        return sequential(
            causal.ID,
            (),
            whole,
            inputs_positions=(),
            targets_positions=positions,
            targets_weights=asked,
        )
    return sequential(
        prefix.ID,
        given,
        targets,
        inputs_positions=positions[:size],
        targets_positions=positions[size:],
    )


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
    """What stands after each sentinel, up to the next; the first time that it comes."""
    said: dict[int, list[int]] = {}
    current: list[int] = []
    for token in answer.tolist():
        if token in ids.sentinels:
            current = []
            said.setdefault(token, current)
        else:
            current.append(token)
    return said
