"""Generation with a cache: a batch of rows, one slot of each a step."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import numpy as np
from flax import nnx
from jaxtyping import Bool, Float32, Int32, Key

from ...objectives.errors import require_count
from ..build import Model
from .generation import advance, begin
from .prompt_check import check_ids, check_keys, check_prompts
from .prompts import Prompts
from .samplers import Sampler


class Generated(NamedTuple):
    """Targets of every row, the free ones filled in.

    Attributes:
      targets: given ones as they came, then generated ones, then `pad`.
      log_probabilities: log p of each generated token, in nats, under the model's own
        softmax over the whole vocabulary: before temperature, `top_k`, `top_p` and
        `allowed`, so minus their sum is the loss of these targets. 0 for all other
        targets, NaN where the model's logits are.
      lengths: targets of each row: given and generated ones, EOS included.
    """

    targets: Int32[np.ndarray, "B J"]
    log_probabilities: Float32[np.ndarray, "B J"]
    lengths: Int32[np.ndarray, " B"]


class Piece(NamedTuple):
    """What is generated so far.

    Attributes:
      generated: the targets that are known; the first piece's also has the given ones.
      ended: rows that are done.
    """

    generated: Generated
    ended: Bool[np.ndarray, " B"]


Generate = Callable[[Prompts, Key[jax.Array, " B"]], Generated]

Ends = Callable[[int, Int32[np.ndarray, " n"]], int | None]
"""`(row, its generated tokens) -> how many of them it keeps`, or None to go on."""


Stream = Callable[..., Iterator[Piece]]
"""`(prompts, keys, ends=None) -> pieces`, of `make_stream`."""


def make_generate(
    model: Model,
    *,
    sampler: Sampler,
    bos: int,
    eos: int | None,
    pad: int = 0,
    allowed: Bool[np.ndarray, " V"] | None = None,
) -> Generate:
    """Generation with a model, compiled once for each shape of prompts.

    One pass reads the inputs and all given targets (prefill); then each step takes the
    next slot of every row, its own number in each, at the cost of one look at the
    cache. It ends when all rows have. A model of the same configuration with the same
    settings, say a later checkpoint, finds the compiled program again.

    Args:
      model: of either architecture. On a mesh, the `sequence` axis must be 1.
      sampler: of `models.decoding.samplers`.
      bos: id held by the slot that asks for the first target.
      eos: the generated token that ends a row; None where every row has its full
        length, as in infilling. One among the given targets ends nothing.
      pad: fills targets behind a row's end.
      allowed: ids that may be generated; None allows all.

    Returns:
      `(prompts, keys) -> Generated`. Key b is all of row b's randomness: a row's
      result is a function of the row and its key, whatever stands beside it. It raises
      ValueError for prompts whose shapes or values do not fit, before it computes.

    Raises:
      ValueError: an id outside of the vocabulary, `allowed` of another size or
        without a token, or an `eos` that it forbids.
    """
    pieces = _pieces(model, sampler, bos=bos, eos=eos, pad=pad, allowed=allowed)

    def generate(prompts: Prompts, keys: Key[jax.Array, " B"]) -> Generated:
        return next(pieces(prompts, keys, None, None)).generated

    return generate


def make_stream(
    model: Model,
    *,
    sampler: Sampler,
    bos: int,
    eos: int | None,
    pad: int = 0,
    allowed: Bool[np.ndarray, " V"] | None = None,
    steps: int = 16,
) -> Stream:
    """`make_generate` in pieces: the same programs, so the same tokens bit for bit.

    Args:
      model: as for `make_generate`, like all that is not listed.
      steps: steps between two pieces. The device waits for the host once a piece.

    Returns:
      `(prompts, keys, ends=None) -> pieces`: what is known after each `steps` steps,
      until all rows are done. `ends` is asked after each piece about each row that got
      tokens in it; where it answers, that many generated tokens are kept and the row
      is done, so that a row may end by what the host alone can tell
      (`stop_texts.StopTexts`). What it keeps does not depend on `steps`, if its answer
      for more tokens is the one for fewer, once it has one.

    Raises:
      ValueError: as `make_generate`, or `steps` below 1.
    """
    require_count("steps", steps)
    pieces = _pieces(model, sampler, bos=bos, eos=eos, pad=pad, allowed=allowed)

    def stream(
        prompts: Prompts, keys: Key[jax.Array, " B"], ends: Ends | None = None
    ) -> Iterator[Piece]:
        return pieces(prompts, keys, steps, ends)

    return stream


_Pieces = Callable[
    [Prompts, Key[jax.Array, " B"], int | None, Ends | None], Iterator[Piece]
]


def _pieces(
    model: Model,
    sampler: Sampler,
    *,
    bos: int,
    eos: int | None,
    pad: int,
    allowed: Bool[np.ndarray, " V"] | None,
) -> _Pieces:
    """`(prompts, keys, steps, ends) -> pieces`; `steps` of None is one piece."""
    graph, params = nnx.split(model)
    vocabulary = model.projection().shape[0]
    ids = np.ones(vocabulary, bool) if allowed is None else allowed
    check_ids(vocabulary, ids, bos=bos, eos=eos, pad=pad)
    # Arguments of the program, so that one serves all; -1 is no token's id.
    reserved = np.int32(bos), np.int32(-1 if eos is None else eos)

    def pieces(
        prompts: Prompts,
        keys: Key[jax.Array, " B"],
        steps: int | None,
        ends: Ends | None,
    ) -> Iterator[Piece]:
        check_prompts(prompts, vocabulary_size=vocabulary)
        check_keys(keys, rows=len(prompts.given))
        width = np.shape(prompts.targets)[1]
        most = np.int32(width if steps is None else steps)

        def run() -> Iterator[Piece]:
            state = begin(params, prompts, reserved[0], graph=graph)
            given, keep = np.asarray(prompts.given), np.array(prompts.lengths)
            before = given
            ended = np.zeros(len(keep), bool)
            while not ended.all():
                state = advance(
                    params, prompts, keys, ids, *reserved, keep, most, state,
                    graph=graph, sampler=sampler,
                )  # fmt: skip
                # Copies: the next piece writes into what these arrays show.
                targets, log_p, at, lengths = (np.array(x) for x in state[1:])
                ended = at >= lengths
                if ends is not None:
                    for row in np.flatnonzero(at > before).tolist():
                        kept = ends(row, targets[row, given[row] : at[row]])
                        if kept is not None:
                            keep[row], ended[row] = given[row] + kept, True
                before = at
                known = np.minimum(at, keep)
                yield Piece(_shown(targets, log_p, known, pad), ended)

        return run()

    return pieces


def _shown(
    targets: Int32[np.ndarray, "B J"],
    log_p: Float32[np.ndarray, "B J"],
    known: Int32[np.ndarray, " B"],
    pad: int,
) -> Generated:
    """The first `known` targets of each row."""
    used = np.arange(targets.shape[1]) < known[:, None]
    return Generated(
        np.where(used, targets, pad).astype(np.int32), np.where(used, log_p, 0), known
    )
