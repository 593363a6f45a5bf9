"""The form of an Example of coded text, inferred from the places of its tokens.

Nothing here knows the name or settings of an objective, so new objectives are
classified by what they do (`objectives.coded`).
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Int

from ...objectives.coded import Contexts, coded_ids, contexts, places
from ...objectives.example import Example, predicts_next
from ...objectives.mode import ShownMode
from ...objectives.special_ids import MODES as MODE_TOKENS
from ...objectives.text import Text
from ..audit.specimens import is_text

ExampleMode = Literal[
    "causal",
    "prefix",
    "span",
    "reconstruction",
    "permuted",
    "masked",
    "shifted",
    "blocks",
    "pair",
    "other",
]

EXAMPLE_MODES: tuple[ExampleMode, ...] = get_args(ExampleMode)
"""Modes in which an Example can query a model; "other" is none of the rest. "shifted"
is "masked" asked from the slot before each hidden token, "blocks" block by block."""

NegativeKind = Literal["other", "further", "swapped", "none"]

NEGATIVE_KINDS: tuple[NegativeKind, ...] = get_args(NegativeKind)
"""How a negative pair was made: with another document, with text from further on, with
the later text first, or none of these (the text does continue)."""


class Form(NamedTuple):
    """The form of one Example.

    Attributes:
      mode: in which it queries a model.
      mode_token: the mode token before its inputs.
      contexts: counts of its predictions by what they see (`coded.contexts`).
      filled: number of predictions of text with both sides in sight, in any order.
      onward: number of predictions that continue text from the strict past, in order.
      whole: whether the targets are the whole window in order, after inputs.
      middle: whether a middle is filled in after the text on both of its sides.
      suffix_first: whether the suffix comes first then, so that the middle follows its
        prefix; so it looks also where a prefix that comes first is empty.
      label: of a pair, if one is predicted.
      kind: of a negative pair.
      supervised: number of predictions.
      weight: sum of their loss weights.
      processed: number of slots.
    """

    mode: ExampleMode
    mode_token: ShownMode
    contexts: Contexts
    filled: int
    onward: int
    whole: bool
    middle: bool
    suffix_first: bool
    label: Literal["none", "continues", "does not"]
    kind: NegativeKind
    supervised: int
    weight: float
    processed: int


def form_of(example: Example, text: Text) -> Form:
    """Infers the form of an Example of coded text.

    Args:
      example: made by an objective with `coded_ids`.
      text: the window it was made from (`coded_text`).
    """
    mode = _mode(example, text)
    in_order = mode not in ("permuted", "blocks")
    in_place, behind = example.inputs_weights > 0, example.targets_weights > 0
    answers = example.targets[behind & np.isin(example.targets, coded_ids().labels)]
    label = "none"
    if answers.size:
        negative = answers[0] == coded_ids().labels[0]
        label = "does not" if negative else "continues"
    context = contexts(example)
    return Form(
        mode=mode,
        mode_token=_mode_token(example),
        contexts=context,
        # A label sees the whole text, and is none of it.
        filled=int(context.both + context.permuted) - answers.size,
        onward=int((_continues(example) & behind).sum()) if in_order else 0,
        whole=in_order and _whole(example, text),
        middle=bool(np.isin(coded_ids().fill[2], example.targets)),
        suffix_first=bool((example.targets[1:2] == coded_ids().fill[1]).any()),
        label=label,
        kind=_negative_kind(example),
        supervised=int(in_place.sum() + behind.sum()),
        weight=float(example.inputs_weights.sum() + example.targets_weights.sum()),
        processed=len(example.inputs) + len(example.targets),
    )


def _mode_token(example: Example) -> ShownMode:
    for mode in MODE_TOKENS:
        if coded_ids().mode(mode) in example.inputs[:1]:
            return mode
    return "none"


def _input_text(example: Example) -> Int[np.ndarray, " N"]:
    """The inputs without mode tokens, which are not text."""
    return example.inputs[~np.isin(example.inputs, coded_ids().modes)]


def _mode(example: Example, text: Text) -> ExampleMode:
    """The first mode that fits.

    `fill_in_middle` is "causal": its text is reordered, but it has no inputs and
    predicts every next token.
    """
    inputs = _input_text(example)
    predicted = example.targets[example.targets_weights > 0]
    if np.isin(predicted, coded_ids().labels).any():
        return "pair"
    if len(example.inputs_sees) or len(example.targets_shown):
        return "blocks"
    if (example.inputs_weights > 0).any():
        shifted = predicts_next(example, bos=coded_ids().bos)
        return "shifted" if shifted else "masked"
    if not predicted.size:
        return "other"
    if _at_own_positions(example):
        return "permuted"
    if not inputs.size:
        return "causal"
    if _goes_on(inputs, example.targets):
        return "prefix"
    if _whole(example, text):
        return "reconstruction"
    missing = places(predicted)
    missing = missing[missing >= 0]
    if missing.size and not np.isin(missing, places(inputs)).any():
        return "span"
    return "other"


def _at_own_positions(example: Example) -> bool:
    """Whether target positions lie among the inputs, or ever decrease."""
    targets, inputs = example.targets_positions, example.inputs_positions
    return bool((np.diff(targets) < 0).any() or targets.min() < inputs.max(initial=-1))


def _content(tokens: Int[np.ndarray, " N"]) -> Int[np.ndarray, " C"]:
    """The tokens without a final EOS."""
    return tokens[:-1] if len(tokens) and tokens[-1] == coded_ids().eos else tokens


def _goes_on(inputs: Int[np.ndarray, " I"], targets: Int[np.ndarray, " J"]) -> bool:
    """Whether inputs and targets are one contiguous text."""
    joined = places(np.concatenate([inputs, _content(targets)]))
    return bool((joined >= 0).all() and (np.diff(joined) == 1).all())


def _whole(example: Example, text: Text) -> bool:
    """Whether the targets are the whole window in order, and there are inputs."""
    return bool(
        _input_text(example).size
        and np.array_equal(_content(example.targets), _content(text.tokens))
    )


def _continues(example: Example) -> Bool[np.ndarray, " N"]:
    """Which targets directly follow the previous token and see nothing later.

    The very first token counts; EOS counts where the token before it does.
    """
    inputs, order = places(example.inputs), places(example.targets)
    if not order.size:
        return np.zeros(0, bool)
    latest = np.maximum.accumulate(np.append(inputs.max(initial=-1), order[:-1]))
    previous = np.append(inputs[-1] if inputs.size else -1, order[:-1])
    continues = (order > latest) & ((previous == order - 1) | (latest < 0))
    if len(order) > 1 and example.targets[-1] == coded_ids().eos:
        continues[-1] = continues[-2]
    return continues


def _negative_kind(example: Example) -> NegativeKind:
    """How the two texts of a pair fail to be contiguous, if they do."""
    codes = example.inputs[is_text(example.inputs)]
    text_places = places(codes)
    if (text_places < 0).any():
        return "other"
    steps = np.diff(text_places)
    if (steps < 0).any():
        return "swapped"
    return "further" if (steps > 1).any() else "none"
