"""Span corruption: dropped spans, one after another, behind their sentinels."""

import functools
import math

import numpy as np
from jaxtyping import Bool, Int

from .errors import UsageError, require_number, require_share
from .example import Example, Lengths, sequential
from .mode import ShownMode, mode_slots, require_mode, with_mode
from .registry import objective
from .special_ids import SpecialIds
from .text import Text, Tokens

ID = 2

_NO_DENSITY = {
    0: "leave span_corruption out of Mixture.rates",
    1: "mix causal, which predicts the whole text",
}


def noise_counts(length: int, *, density: float, mean_span: float) -> tuple[int, int]:
    """How many tokens of `length` are dropped, and in how many spans (T5 §3.1.4)."""
    require_share("span_corruption.density", density, instead=_NO_DENSITY)
    require_number("span_corruption.mean_span", mean_span, least=1.0)
    return _noise_counts(length, density, mean_span)


@functools.lru_cache(2**14)
def _noise_counts(length: int, density: float, mean_span: float) -> tuple[int, int]:
    dropped = min(max(round(length * density), 1), length - 1)
    spans = max(round(dropped / mean_span), 1)
    return dropped, min(spans, dropped, length - dropped)


def span_mask(
    length: int, rng: np.random.Generator, *, density: float, mean_span: float
) -> Bool[np.ndarray, " N"]:
    """Marks the dropped tokens: `(kept, dropped)` runs in turn, kept ones first.

    The counts are fixed by `noise_counts`; given them, every mask that starts with a
    kept token and ends with a dropped one is equally likely.
    """
    dropped, spans = noise_counts(length, density=density, mean_span=mean_span)
    runs = np.empty(2 * spans, np.int64)
    runs[0::2] = _composition(length - dropped, spans, rng)
    runs[1::2] = _composition(dropped, spans, rng)
    is_dropped = np.zeros(2 * spans, bool)
    is_dropped[1::2] = True
    return np.repeat(is_dropped, runs)


def _composition(
    items: int, parts: int, rng: np.random.Generator
) -> Int[np.ndarray, " parts"]:
    """Splits `items` into `parts` positive numbers, every way equally likely."""
    ends = np.empty(parts + 1, np.int64)
    ends[0], ends[parts] = 0, items
    cuts = ends[1:parts]
    cuts[:] = rng.choice(items - 1, parts - 1, replace=False)
    cuts += 1
    cuts.sort()
    return ends[1:] - ends[:-1]


def _lengths(
    tokens: int, density: float, mean_span: float, mode: ShownMode
) -> Lengths | None:
    if tokens < 3:
        return None
    dropped, spans = noise_counts(tokens, density=density, mean_span=mean_span)
    targets = dropped + spans + 1
    return Lengths(
        inputs=tokens - dropped + spans + 1 + mode_slots(mode),
        targets=targets,
        inputs_predictions=0,
        targets_predictions=targets,
    )


@objective(id=ID, measure=_lengths)
def span_corruption(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    density: float = 0.15,
    mean_span: float = 3.0,
    mode: ShownMode = "none",
    mode_rate: float = 1.0,
) -> Example:
    """Replaces spans by sentinels and predicts the spans, each after its sentinel.

    T5 (Raffel et al. 2020, §3.1.4; t5 `span_corruption`). `a b c d e f` with `b c`
    and `f` dropped becomes inputs `a <0> d e <1> EOS`, targets `<0> b c <1> f EOS`.
    Fixed: how many tokens and spans are dropped. Random: where; whether the mode token
    is shown. As in T5 both parts end in EOS, also inside a document: here it ends an
    answer, not a document.

    UL2's denoisers (Tay et al. 2022, table 1) as (mean_span, density): R (3, .15) and
    (8, .15); X (3, .5), (8, .5), (64, .15) and (64, .5). S is `prefix`.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; one sentinel a span.
      density: share of the tokens that are dropped, above 0 and below 1; at least one
        token is, and one is kept.
      mean_span: mean length of a dropped span, in tokens.
      mode: mode token before the inputs (`mode.with_mode`).
      mode_rate: share of the Examples that show it, above 0; only with a mode.

    Raises:
      ValueError: more spans than sentinels, or a setting out of range.
    """
    require_mode("span_corruption", mode, mode_rate)
    tokens = text.tokens[: len(text.tokens) - text.ends_document]
    mask = span_mask(len(tokens), rng, density=density, mean_span=mean_span)
    example = without_spans(tokens, mask, ids)
    return with_mode(example, rng, ids, mode=mode, mode_rate=mode_rate)


def without_spans(
    tokens: Tokens, mask: Bool[np.ndarray, " N"], ids: SpecialIds
) -> Example:
    """The Example of a text whose marked tokens are dropped, and predicted.

    Arguments and errors are those of `with_sentinels`.
    """
    inputs, targets = with_sentinels(tokens, mask, ids)
    return sequential(
        ID,
        inputs,
        targets,
        inputs_positions=np.arange(1, len(inputs) + 1, dtype=np.int32),
        targets_positions=np.arange(
            len(inputs) + 2, len(inputs) + 2 + len(targets), dtype=np.int32
        ),
    )


def with_sentinels(
    tokens: Tokens, mask: Bool[np.ndarray, " N"], ids: SpecialIds
) -> tuple[Tokens, Tokens]:
    """What is kept and what is dropped, a sentinel for each span in both, then EOS.

    Args:
      tokens: the text, without EOS.
      mask: marks what is dropped; tokens side by side are one span.
      ids: reserved ids; one sentinel a span.

    Raises:
      ValueError: more spans than sentinels.
    """
    starts = mask.copy()
    starts[1:] &= ~mask[:-1]
    places = np.flatnonzero(starts)
    spans = len(places)
    if spans > len(ids.sentinels):
        enough = math.ceil(10 * mask.sum() / len(ids.sentinels)) / 10
        raise UsageError(
            f"span_corruption drops {spans} spans of {len(tokens)} tokens, but the "
            f"vocabulary has {len(ids.sentinels)} sentinels; raise mean_span to "
            f"{enough}, lower density or make rows shorter."
        )
    sentinels = np.array(ids.sentinels[:spans], np.int32)
    shown = tokens.astype(np.int32)
    shown[places] = sentinels
    inputs = shown[~mask | starts]
    # A dropped token comes after those before it and after the sentinels so far.
    dropped = np.flatnonzero(mask)
    opens = starts[dropped]
    at = np.arange(len(dropped)) + np.cumsum(opens)
    answer = np.empty(len(dropped) + spans, np.int32)
    answer[at] = tokens[dropped]
    answer[at[opens] - 1] = sentinels
    return _ended(inputs, ids.eos), _ended(answer, ids.eos)


def _ended(tokens: Tokens, eos: int) -> Tokens:
    """The tokens and EOS."""
    ended = np.empty(len(tokens) + 1, np.int32)
    ended[:-1], ended[-1] = tokens, eos
    return ended
