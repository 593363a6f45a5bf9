"""The form of an Example of coded text: what it asks, read off where its tokens stand.

Nothing here knows an objective's name or settings, so an objective that is added is
told apart by what it does (`objectives.coded`).
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Int

from ...objectives.coded import Contexts, coded_ids, contexts, places
from ...objectives.example import Example
from ...objectives.mode import ShownMode
from ...objectives.special_ids import MODES as MODE_TOKENS
from ...objectives.text import Text
from ..audit.specimens import is_text

AskedMode = Literal[
    "causal",
    "prefix",
    "span",
    "reconstruction",
    "permuted",
    "masked",
    "pair",
    "other",
]

ASKED_MODES: tuple[AskedMode, ...] = get_args(AskedMode)
"""In which an Example can ask a model; "other" is none of those before it."""

NegativeKind = Literal["other", "further", "swapped", "none"]

NEGATIVE_KINDS: tuple[NegativeKind, ...] = get_args(NegativeKind)
"""Of pairs labelled as not continuing: with another document, from further on in the
same one, with the later text first, and none of these: the text does continue."""


class Form(NamedTuple):
    """What one Example asks.

    Attributes:
      mode: in which it asks a model.
      shown: the mode token before its inputs.
      contexts: counts of its predictions by what they see (`coded.contexts`).
      onward: how many predictions continue text from the strict past, in text order.
      whole: whether the targets are the whole window in order, behind inputs.
      label: of a pair, if it predicts one.
      kind: of a negative pair.
      supervised: predictions.
      weight: sum of their loss weights.
      processed: slots.
    """

    mode: AskedMode
    shown: ShownMode
    contexts: Contexts
    onward: int
    whole: bool
    label: Literal["none", "continues", "does not"]
    kind: NegativeKind
    supervised: int
    weight: float
    processed: int


def form_of(example: Example, text: Text) -> Form:
    """Reads the form of an Example of coded text.

    Args:
      example: that an objective made, with `coded_ids`.
      text: the window that it was made of (`coded_text`).
    """
    mode = _mode(example, text)
    in_place, behind = example.inputs_weights > 0, example.targets_weights > 0
    answers = example.targets[behind & np.isin(example.targets, coded_ids().labels)]
    label = "none"
    if answers.size:
        negative = answers[0] == coded_ids().labels[0]
        label = "does not" if negative else "continues"
    return Form(
        mode=mode,
        shown=_mode_token(example),
        contexts=contexts(example),
        onward=0 if mode == "permuted" else int((_onward(example) & behind).sum()),
        whole=_whole(example, text),
        label=label,
        kind=_kind(example),
        supervised=int(in_place.sum() + behind.sum()),
        weight=float(example.inputs_weights.sum() + example.targets_weights.sum()),
        processed=len(example.inputs) + len(example.targets),
    )


def _mode_token(example: Example) -> ShownMode:
    for mode in MODE_TOKENS:
        if coded_ids().mode(mode) in example.inputs[:1]:
            return mode
    return "none"


def _shown(example: Example) -> Int[np.ndarray, " N"]:
    """The inputs without mode tokens, which are no text."""
    return example.inputs[~np.isin(example.inputs, coded_ids().modes)]


def _mode(example: Example, text: Text) -> AskedMode:
    """The first mode that fits.

    `fill_in_middle`, whose text is reordered but which has no inputs and asks for
    every next token, is "causal": it is asked as a causal model is.
    """
    shown = _shown(example)
    asked = example.targets[example.targets_weights > 0]
    if np.isin(asked, coded_ids().labels).any():
        return "pair"
    if (example.inputs_weights > 0).any():
        return "masked"
    if not asked.size:
        return "other"
    if _at_own_positions(example):
        return "permuted"
    if not shown.size:
        return "causal"
    if _goes_on(shown, example.targets):
        return "prefix"
    if _whole(example, text):
        return "reconstruction"
    missed = places(asked)
    missed = missed[missed >= 0]
    if missed.size and not np.isin(missed, places(shown)).any():
        return "span"
    return "other"


def _at_own_positions(example: Example) -> bool:
    """Whether targets stand among the inputs, or in an order that goes back."""
    own, inputs = example.targets_positions, example.inputs_positions
    return bool((np.diff(own) < 0).any() or own.min() < inputs.max(initial=-1))


def _content(tokens: Int[np.ndarray, " N"]) -> Int[np.ndarray, " C"]:
    """The tokens without the EOS that ends them, if one does."""
    return tokens[:-1] if len(tokens) and tokens[-1] == coded_ids().eos else tokens


def _goes_on(shown: Int[np.ndarray, " I"], targets: Int[np.ndarray, " J"]) -> bool:
    """Whether inputs and targets are one text, with nothing between or inside them."""
    both = places(np.concatenate([shown, _content(targets)]))
    return bool((both >= 0).all() and (np.diff(both) == 1).all())


def _whole(example: Example, text: Text) -> bool:
    """Whether the targets are the whole window in order, with inputs to restore."""
    return bool(
        _shown(example).size
        and np.array_equal(_content(example.targets), _content(text.tokens))
    )


def _onward(example: Example) -> Bool[np.ndarray, " N"]:
    """Which targets stand right behind the token before them and see nothing later.

    The first token of all does so too; an EOS does where the token before it does.
    """
    held, order = places(example.inputs), places(example.targets)
    if not order.size:
        return np.zeros(0, bool)
    seen = np.maximum.accumulate(np.append(held.max(initial=-1), order[:-1]))
    before = np.append(held[-1] if held.size else -1, order[:-1])
    found = (order > seen) & ((before == order - 1) | (seen < 0))
    if len(order) > 1 and example.targets[-1] == coded_ids().eos:
        found[-1] = found[-2]
    return found


def _kind(example: Example) -> NegativeKind:
    """How the texts of a pair fail to be one text, if they do."""
    codes = example.inputs[is_text(example.inputs)]
    found = places(codes)
    if (found < 0).any():
        return "other"
    steps = np.diff(found)
    if (steps < 0).any():
        return "swapped"
    return "further" if (steps > 1).any() else "none"
