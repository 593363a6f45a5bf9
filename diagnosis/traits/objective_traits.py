"""What an objective asks of a model, measured on coded text.

An objective goes through windows of the size that rows give it, and its Examples are
read (`forms`). So its traits are those of the settings that it has, and an objective
that is added needs no change here.
"""

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
from .forms import ASKED_MODES, NEGATIVE_KINDS, AskedMode, Form, NegativeKind, form_of

EXAMPLES = 48
"""Of each task: a share of a half is then known to ± 7 points (one standard error)."""


class Traits(NamedTuple):
    """What an objective asks of a model; shares are within [0, 1].

    Attributes:
      past: share of its supervised tokens predicted from the strict past.
      both: the same from both sides.
      permuted: the same in a permuted order.
      onward: share of its supervised tokens that continue text from the strict past in
        text order, as free generation does.
      whole: share of its Examples whose targets are the whole window, in order, with a
        corrupted form of it in the inputs.
      labels: share of its Examples that predict the label of a pair.
      negatives: share of those whose label says that the pair does not continue.
      kinds: shares of those by what is wrong with them; they sum to 1, or are all 0.
      modes: shares of its Examples by the mode in which they ask; they sum to 1.
      shown: the same by that mode and the mode token before the inputs.
      supervised: tokens an Example.
      weight: sum of the loss weights of an Example.
      processed: slots an Example.
    """

    past: float
    both: float
    permuted: float
    onward: float
    whole: float
    labels: float
    negatives: float
    kinds: Mapping[NegativeKind, float]
    modes: Mapping[AskedMode, float]
    shown: Mapping[tuple[AskedMode, ShownMode], float]
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
    rng = np.random.default_rng([seed, *objective.name.encode()])
    texts = _texts(objective, rows, lengths, rng, examples=examples)
    return _mean_form(
        [form_of(objective(text, rng, coded_ids()), text) for text in texts]
    )


def mean_traits(traits: Sequence[Traits], weights: Sequence[float]) -> Traits:
    """The weighted mean; what is a share of labels is weighted by them too."""
    share = np.asarray(weights, float) / (sum(weights) or 1.0)
    of_labels = share * [t.labels for t in traits]
    of_negatives = of_labels * [t.negatives for t in traits]

    def mean(values: Sequence[float], by: Float[np.ndarray, " N"]) -> float:
        return float(by @ np.array(values) / (by.sum() or 1.0))

    plain = {
        field: mean([getattr(t, field) for t in traits], share)
        for field in Traits._fields
        if field not in ("negatives", "kinds", "modes", "shown")
    }
    return Traits(
        **plain,
        negatives=mean([t.negatives for t in traits], of_labels),
        kinds={
            k: mean([t.kinds[k] for t in traits], of_negatives) for k in NEGATIVE_KINDS
        },
        modes={m: mean([t.modes[m] for t in traits], share) for m in ASKED_MODES},
        shown={
            how: mean([t.shown.get(how, 0.0) for t in traits], share)
            for how in dict.fromkeys(how for t in traits for how in t.shown)
        },
    )


def mode_tokens(traits: Traits) -> dict[str, ShownMode]:
    """The mode token that most Examples of each mode show, for `Subject.shown`.

    Of two that as many show, the later one in the alphabet: "X" rather than "R".
    """
    by_share = sorted((share, how) for how, share in traits.shown.items())
    return {mode: shown for _, (mode, shown) in by_share}


def _texts(
    objective: Objective,
    rows: RowShape,
    lengths: Int[np.ndarray, " D"] | None,
    rng: np.random.Generator,
    *,
    examples: int,
) -> list[Text]:
    """Windows of coded documents, cut as training cuts documents of these lengths."""
    # As much text again before and behind has to have codes of its own.
    window = min(objective.window(budget(rows)), MOST // 3)
    smallest = objective.smallest()
    if lengths is None:
        places = [(0, 3), (1, 3), (1, 2)]  # in windows: the start, the document's end
        turns = itertools.islice(itertools.cycle(places), examples)
        return [coded_text(e * window, b * window, (b + 1) * window) for b, e in turns]
    cut = [
        (start, stop, length)
        for length in lengths[rng.permutation(len(lengths))[: 4 * examples]].tolist()
        for start, stop in windows(length, window=window, smallest=smallest)
    ]
    if not cut:
        raise UsageError(
            f"none of {len(lengths)} documents has the {smallest} tokens that "
            f"{objective.name!r} takes at least (the longest has "
            f"{max(lengths, default=0)}); use a corpus of longer documents, or take "
            "the objective out."
        )
    chosen = rng.choice(len(cut), examples, replace=len(cut) < examples)
    return [_window(*cut[int(n)], around=window) for n in chosen]


def _window(start: int, stop: int, length: int, *, around: int) -> Text:
    """A window with at most `around` tokens of its document before and behind it."""
    before = min(start, around)
    end = before + (stop - start) + min(length - stop, around)
    return coded_text(end, before, before + stop - start)


def _mean_form(forms: Sequence[Form]) -> Traits:
    """Shares and means of some Examples' forms."""
    asked = sum(f.supervised for f in forms)
    labelled = [f for f in forms if f.label != "none"]
    negative = [f for f in labelled if f.label == "does not"]

    def share(count: float | int, of: int) -> float:
        return float(count / of) if of else 0.0

    count = len(forms)
    ways: Counter[tuple[AskedMode, ShownMode]] = Counter(
        (f.mode, f.shown) for f in forms
    )
    return Traits(
        past=share(sum(f.contexts.past for f in forms), asked),
        both=share(sum(f.contexts.both for f in forms), asked),
        permuted=share(sum(f.contexts.permuted for f in forms), asked),
        onward=share(sum(f.onward for f in forms), asked),
        whole=share(sum(f.whole for f in forms), count),
        labels=share(len(labelled), count),
        negatives=share(len(negative), len(labelled)),
        kinds={
            kind: share(sum(f.kind == kind for f in negative), len(negative))
            for kind in NEGATIVE_KINDS
        },
        modes={m: share(sum(f.mode == m for f in forms), count) for m in ASKED_MODES},
        shown={how: share(times, count) for how, times in ways.items()},
        supervised=share(asked, count),
        weight=share(sum(f.weight for f in forms), count),
        processed=share(sum(f.processed for f in forms), count),
    )
