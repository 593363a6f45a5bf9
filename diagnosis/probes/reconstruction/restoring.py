"""How a model is asked to restore a corrupted excerpt, and what its answer comes to."""

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
    def prompt_length(self) -> int:
        """How many leading targets are given: a prompt, which only "causal" has."""
        return int((self.example.targets_weights == 0).sum())

    @property
    def answer(self) -> Tokens:
        """The right answer, as `assemble` takes it."""
        example = self.example
        if self.mode == "masked":
            return example.inputs_targets[example.inputs_weights > 0]
        return example.targets[self.prompt_length :]


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
        case "masked":
            example = hiding(original, missing, ids)
        case "prefix" | "causal":
            # A text that goes on: nothing says that it is to be restored.
            (example,) = going_on(mode, corrupted_tokens, whole, ids)
    objective = registry.get("span_corruption" if mode == "span" else mode).id
    return Request(corrupted, mode, example._replace(objective=objective))


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
    by_sentinel = _after_sentinels(answer, ids)
    restored: list[int] = []
    for token in request.example.inputs[:-1].tolist():
        if token not in ids.modes:
            restored += (
                by_sentinel.get(token, []) if token in ids.sentinels else [token]
            )
    return np.array(restored, np.int32)


def unrestored(corrupted: Corrupted, ids: SpecialIds) -> Tokens:
    """The corrupted excerpt itself, masks left out: a baseline that does nothing."""
    return corrupted.tokens[corrupted.tokens != ids.mask]


def _with_sentinels(corrupted: Corrupted, ids: SpecialIds) -> tuple[Tokens, Tokens]:
    """The excerpt with a sentinel for each run of masks, and what these stand for."""
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
    """What stands after each sentinel, up to the next; the first time that it comes."""
    by_sentinel: dict[int, list[int]] = {}
    current: list[int] = []
    for token in answer.tolist():
        if token in ids.sentinels:
            current = []
            by_sentinel.setdefault(token, current)
        else:
            current.append(token)
    return by_sentinel
