"""The traits of an objective, measured on coded text.

The objective is applied to windows of the size that rows allow, and the forms of its
Examples are counted. Traits therefore reflect its settings, and a new objective needs
no change here.
"""

import functools
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ...models.rows import RowShape
from ...objectives.coded import MOST, coded_ids, coded_text
from ...objectives.errors import UsageError
from ...objectives.mode import ShownMode
from ...objectives.registry import Objective
from ...objectives.text import Text
from ...tasks.examples.windows import windows
from ...tasks.rows.layout import budget
from .forms import (
    EXAMPLE_MODES,
    NEGATIVE_KINDS,
    ExampleMode,
    Form,
    NegativeKind,
    form_of,
)

MIDDLE_LAST, SUFFIX_FIRST = "fill_in_middle", "suffix_first"
"""The modes of Examples that fill in a middle, beside those of `EXAMPLE_MODES`: with
the prefix or the suffix first (PSM and SPM, Bavarian et al. 2022)."""

EMPTY_PREFIXES = 0.25
"""Where fewer middles than this look as if the suffix came first, it need not: they may
be those whose prefix is empty, 2 / (n + 1) of windows of n tokens."""

EXAMPLES = 48
"""Examples of each task: a share of .5 then has a standard error of .07."""


class Traits(NamedTuple):
    """The traits of an objective; shares are within [0, 1].

    Attributes:
      past: share of supervised tokens predicted from the strict past.
      both: share predicted from both sides.
      permuted: share predicted in a permuted order.
      filled: share that fills in text with both sides in sight, in any order: all of
        these two but labels of pairs.
      onward: share of supervised tokens that continue text from the strict past in
        text order, as free generation does.
      whole: share of Examples whose targets are the whole window in order and whose
        inputs are a corrupted form of it.
      middles: share of Examples that fill in a middle after both of its sides. Their
        mode is "causal", since every next token is predicted.
      suffix_first: share of Examples that do, the suffix first or the prefix empty.
      labels: share of Examples that predict the label of a pair.
      negatives: share of these whose label is negative.
      kinds: shares of the negatives by kind; they sum to 1, or are all 0.
      modes: shares of Examples by mode; they sum to 1.
      mode_tokens: shares of Examples by mode and mode token.
      supervised: supervised tokens an Example.
      weight: sum of loss weights an Example.
      processed: slots an Example.
    """

    past: float
    both: float
    permuted: float
    filled: float
    onward: float
    whole: float
    middles: float
    suffix_first: float
    labels: float
    negatives: float
    kinds: Mapping[NegativeKind, float]
    modes: Mapping[ExampleMode, float]
    mode_tokens: Mapping[tuple[ExampleMode, ShownMode], float]
    supervised: float
    weight: float
    processed: float


def objective_traits(
    objective: Objective,
    rows: RowShape,
    *,
    lengths: Int[np.ndarray, " D"] | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
) -> Traits:
    """Measures an objective with its settings; arguments as in `mixture_traits`."""
    known = None if lengths is None else tuple(lengths.tolist())
    return _measured(objective, rows, known, examples, seed)


@functools.lru_cache(maxsize=512)  # a proposal within limits asks most of it ten times
def _measured(
    objective: Objective,
    rows: RowShape,
    lengths: tuple[int, ...] | None,
    examples: int,
    seed: int,
) -> Traits:
    rng = np.random.default_rng([seed, *objective.name.encode()])
    sizes = None if lengths is None else np.array(lengths)
    texts = _texts(objective, rows, sizes, rng, examples=examples)
    return _mean_form(
        [form_of(objective(text, rng, coded_ids()), text) for text in texts]
    )


def mean_traits(traits: Sequence[Traits], weights: Sequence[float]) -> Traits:
    """The weighted mean; shares of labels are also weighted by the share of labels."""
    share = np.asarray(weights, float) / (sum(weights) or 1.0)
    by_labels = share * [t.labels for t in traits]
    by_negatives = by_labels * [t.negatives for t in traits]

    def mean(values: Sequence[float], by: Float[np.ndarray, " N"]) -> float:
        return float(by @ np.array(values) / (by.sum() or 1.0))

    means = {
        field: mean([getattr(t, field) for t in traits], share)
        for field in Traits._fields
        if field not in ("negatives", "kinds", "modes", "mode_tokens")
    }
    return Traits(
        **means,
        negatives=mean([t.negatives for t in traits], by_labels),
        kinds={
            k: mean([t.kinds[k] for t in traits], by_negatives) for k in NEGATIVE_KINDS
        },
        modes={m: mean([t.modes[m] for t in traits], share) for m in EXAMPLE_MODES},
        mode_tokens={
            pair: mean([t.mode_tokens.get(pair, 0.0) for t in traits], share)
            for pair in dict.fromkeys(pair for t in traits for pair in t.mode_tokens)
        },
    )


def trained_modes(*phases: Traits) -> dict[str, float]:
    """The share of Examples in each mode, for `Subject.trained`.

    `MIDDLE_LAST` counts those whose middle comes last, which are "causal" as well, and
    `SUFFIX_FIRST` those of them that begin with the suffix.

    Args:
      phases: one or several after each other, of which the largest share counts: a
        model that learned a mode first still knows it.
    """
    shares = [_modes(traits) for traits in phases]
    return {mode: max(share[mode] for share in shares) for mode in shares[0]}


def _modes(traits: Traits) -> dict[str, float]:
    modes = {str(mode): share for mode, share in traits.modes.items()}
    enough = traits.suffix_first > EMPTY_PREFIXES * traits.middles
    suffix_first = traits.suffix_first if enough else 0.0
    return modes | {MIDDLE_LAST: traits.middles, SUFFIX_FIRST: suffix_first}


def share_of_modes(shares: Mapping[str, float], modes: Sequence[str]) -> float:
    """The share of Examples in any of several modes, each Example counted once.

    Args:
      shares: as of `trained_modes`, of which some are parts of others.
      modes: to count.
    """
    counted = set(modes)
    if "causal" in counted:
        counted -= {MIDDLE_LAST, SUFFIX_FIRST}
    if MIDDLE_LAST in counted:
        counted -= {SUFFIX_FIRST}
    return sum(shares[mode] for mode in modes if mode in counted)


def mode_tokens(traits: Traits) -> dict[str, ShownMode]:
    """The most frequent mode token of each mode, for `Subject.mode_tokens`.

    Ties go to the later one in the alphabet: "X" rather than "R".
    """
    by_share = sorted((share, pair) for pair, share in traits.mode_tokens.items())
    return {mode: shown for _, (mode, shown) in by_share}


def _texts(
    objective: Objective,
    rows: RowShape,
    lengths: Int[np.ndarray, " D"] | None,
    rng: np.random.Generator,
    *,
    examples: int,
) -> list[Text]:
    """Windows of coded documents of these lengths, cut as in training."""
    # The text before and after a window needs codes too, a window's worth each.
    window = min(objective.window(budget(rows)), MOST // 3)
    smallest = objective.smallest()
    if lengths is None:
        places = [(0, 3), (1, 3), (1, 2)]  # in windows: the start, the document's end
        turns = itertools.islice(itertools.cycle(places), examples)
        return [coded_text(e * window, b * window, (b + 1) * window) for b, e in turns]
    spans = [
        (start, stop, length)
        for length in lengths[rng.permutation(len(lengths))[: 4 * examples]].tolist()
        for start, stop in windows(length, window=window, smallest=smallest)
    ]
    if not spans:
        raise UsageError(
            f"none of {len(lengths)} documents has the {smallest} tokens that "
            f"{objective.name!r} needs (the longest has {max(lengths, default=0)}); "
            "use a corpus of longer documents, or remove the objective."
        )
    chosen = rng.choice(len(spans), examples, replace=len(spans) < examples)
    return [_window(*spans[int(n)], around=window) for n in chosen]


def _window(start: int, stop: int, length: int, *, around: int) -> Text:
    """A window with at most `around` tokens of its document on either side."""
    before = min(start, around)
    end = before + (stop - start) + min(length - stop, around)
    return coded_text(end, before, before + stop - start)


def _mean_form(forms: Sequence[Form]) -> Traits:
    """Shares and means over the forms of Examples."""
    supervised = sum(f.supervised for f in forms)
    labelled = [f for f in forms if f.label != "none"]
    negative = [f for f in labelled if f.label == "does not"]

    def share(count: float | int, total: int) -> float:
        return float(count / total) if total else 0.0

    count = len(forms)
    pairs: Counter[tuple[ExampleMode, ShownMode]] = Counter(
        (f.mode, f.mode_token) for f in forms
    )
    return Traits(
        past=share(sum(f.contexts.past for f in forms), supervised),
        both=share(sum(f.contexts.both for f in forms), supervised),
        permuted=share(sum(f.contexts.permuted for f in forms), supervised),
        filled=share(sum(f.filled for f in forms), supervised),
        onward=share(sum(f.onward for f in forms), supervised),
        whole=share(sum(f.whole for f in forms), count),
        middles=share(sum(f.middle for f in forms), count),
        suffix_first=share(sum(f.suffix_first for f in forms), count),
        labels=share(len(labelled), count),
        negatives=share(len(negative), len(labelled)),
        kinds={
            kind: share(sum(f.kind == kind for f in negative), len(negative))
            for kind in NEGATIVE_KINDS
        },
        modes={m: share(sum(f.mode == m for f in forms), count) for m in EXAMPLE_MODES},
        mode_tokens={pair: share(times, count) for pair, times in pairs.items()},
        supervised=share(supervised, count),
        weight=share(sum(f.weight for f in forms), count),
        processed=share(sum(f.processed for f in forms), count),
    )
