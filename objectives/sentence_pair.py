"""Sentence pairs: does the second text continue the first?"""

import functools
from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from .errors import (
    NoExampleError,
    UsageError,
    nearest,
    require_acting,
    require_count,
    require_share,
)
from .example import Example, Lengths, sequential
from .registry import objective
from .sentence_cuts import Kind, Matched, Pair, matched_pairs
from .special_ids import SpecialIds
from .tally import count
from .text import Text, Tokens, joined_in
from .token_cuts import false_pair
from .words import sentence_begins

ID = 4

TRIES = 8
"""Negatives that are drawn before another kind, or another cut, takes their place."""

FEWEST_TOKENS = 16
"""Raw tokens in a pair. In fewer, a false one may well stand in the corpus."""

Unit = Literal["token", "sentence"]


def _lengths(tokens: int, max_tokens: int) -> Lengths | None:
    require_count("sentence_pair.max_tokens", max_tokens, least=FEWEST_TOKENS)
    if not FEWEST_TOKENS <= tokens <= max_tokens:
        return None
    return Lengths(
        inputs=tokens + 1, targets=1, inputs_predictions=0, targets_predictions=1
    )


def _acts(tokens: Tokens, ids: SpecialIds, unit: str) -> bool:
    return unit != "sentence" or int(sentence_begins(tokens, ids).sum()) > 1


@objective(id=ID, measure=_lengths, acts=_acts)
def sentence_pair(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    other: float = 0.2,
    further: float = 0.1,
    swapped: float = 0.2,
    distance: int | None = None,
    unit: Unit = "token",
    max_tokens: int = 126,
) -> Example:
    """Cuts the window in two and predicts whether the second part continues the first.

    `inputs` are `A SEP B`, the one target is a label token. Three kinds of negatives,
    each at its own rate, the rest are positives: B from another document (BERT's next
    sentence, Devlin et al. 2018, §3.1), from the same document further on (CONPONO,
    Iter et al. 2020), or A and B swapped (ALBERT, Lan et al. 2019, §3.1). Further on
    is any place after the window; with `distance` it is that many tokens after the
    place where the true B begins, and so the harder the smaller: a small one leaves
    the same topic, and may share text with the true B.

    Random: the cut, between a quarter and three quarters of the window; whether the
    pair is a negative; which kind; where the other text starts. Nothing but the texts
    may tell the label. So the cut is drawn first. A B from elsewhere is as long as the
    true one, ends its document if and only if that does, and comes from any place of
    the corpus alike (a document drawn at random would be a short one more often than a
    true B's is). And the label is drawn before the kind: where a document has no text
    further on, or no other document drawn is long enough, another kind that is asked
    for takes its place, and swapping, which is always possible, if there is none. A
    window that ends its document is such a case for `further`: a B that begins later
    and is as long would have to reach beyond the end.

    No pair is called false that a document shows to be true: where A and B stand one
    after the other in the window's document, or in one that was drawn, as they do in
    text that repeats itself and in copies, the negative is drawn again, then of another
    kind. Swapping takes the place of all others. A window of which even the swapped
    pair stands in its document has no Example, whatever its label would have been;
    where it stands in another one that was drawn, the negative is dropped. Documents
    that were not drawn are not looked at; that is what `FEWEST_TOKENS` is for: on
    `python_docs`, 3 % of negatives stood in some document at 4 tokens, 0.4 % at 6,
    0.02 % at 8, and none of 8,000 at 16.

    All of that is for `unit="token"`. With "sentence" the texts meet where sentences
    do, and the label is drawn last (`sentence_cuts.matched_pairs`). A window of fewer
    than two sentences is cut at a token after all.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; `ids.labels` are (does not continue, continues).
      other: rate of pairs with another document.
      further: rate of pairs with the same document further on.
      swapped: rate of swapped pairs.
      distance: tokens from the place where the true B begins to the one where a B
        from further on does, ≥ 1; None: any place after the window. It acts only with
        `further` above 0.
      unit: what is never cut where A and B meet.
      max_tokens: most raw tokens in a pair, at least `FEWEST_TOKENS`; 126 and their SEP
        and label take 128 slots.

    Raises:
      UsageError: a rate outside [0, 1], rates that sum to more than 1, a distance
        below 1 or of no pairs, an unknown unit, or sentences where the vocabulary has
        none.
      NoExampleError: the window repeats itself, so that no pair of it is false.
    """
    rates: dict[Kind, float] = {"other": other, "further": further, "swapped": swapped}
    _require(ids, rates, distance=distance, unit=unit)
    negative = other + further + swapped
    drawn: list[Tokens] = []
    text = _recorded(text, drawn)
    matched = None
    if unit == "sentence":
        matched = _matched_pairs(text, drawn, rng, ids, rates=rates, distance=distance)
    if matched is None:
        (first, second), continues = _token_pair(
            text, drawn, rng, negative=negative, rates=rates, distance=distance
        )
    else:
        continues = bool(rng.random() >= negative)
        first, second = matched.true if continues else matched.false
    return labelled(first, second, ids, continues=continues)


def labelled(
    first: Tokens, second: Tokens, ids: SpecialIds, *, continues: bool
) -> Example:
    """The Example of a pair of texts, from which its label is predicted."""
    inputs = np.concatenate([first, [ids.sep], second])
    return sequential(
        ID,
        inputs,
        [ids.labels[continues]],
        inputs_positions=1 + np.arange(len(inputs)),
        targets_positions=[len(inputs) + 2],
    )


def _require(
    ids: SpecialIds, rates: Mapping[Kind, float], *, distance: int | None, unit: str
) -> None:
    for name, rate in rates.items():
        require_share(f"sentence_pair.{name}", rate)
    # Rounded: .33 + .56 + .11 is above 1 as floats.
    negative = round(sum(rates.values()), 9)
    require_share("sentence_pair.other + further + swapped", negative)
    if distance is not None:  # any place after the window
        require_count("sentence_pair.distance", distance)
    require_acting(
        "sentence_pair.distance",
        distance,
        default=None,
        acts=rates["further"] > 0,
        with_="sentence_pair.further above 0",
    )
    if unit not in (units := get_args(Unit)):
        raise UsageError(f"sentence_pair.unit is {unit!r}; {nearest(unit, units)}")
    if unit == "sentence" and not (len(ids.word_starts) and len(ids.sentence_ends)):
        raise UsageError(
            'sentence_pair.unit is "sentence", but the vocabulary has no token that '
            'begins a word or none that ends a sentence; set unit="token".'
        )


def _recorded(text: Text, drawn: list[Tokens]) -> Text:
    """The text; other documents that are drawn of it are added to the list."""
    return text._replace(other=functools.partial(_draw, text, drawn))


def _draw(text: Text, drawn: list[Tokens], rng: np.random.Generator) -> Tokens:
    drawn.append(text.other(rng))
    return drawn[-1]


def _matched_pairs(
    text: Text,
    drawn: list[Tokens],
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    rates: Mapping[Kind, float],
    distance: int | None,
) -> Matched | None:
    """Pairs that meet between sentences; None if there are none, or none is false."""
    for _ in range(TRIES):
        matched = matched_pairs(text, rng, ids, rates=rates, distance=distance)
        if matched is None or not joined_in((text.document, *drawn), matched.false):
            return matched
        count("negatives drawn again")
    count("cut at a token instead of a sentence")
    return None


def _token_pair(
    text: Text,
    drawn: list[Tokens],
    rng: np.random.Generator,
    *,
    negative: float,
    rates: Mapping[Kind, float],
    distance: int | None,
) -> tuple[Pair, bool]:
    """The window cut anywhere, and whether the pair continues."""
    content = text.tokens[: len(text.tokens) - text.ends_document]
    # Symmetric: swapping must not show in the lengths of A and B.
    shortest = max(1, len(content) // 4)
    cut = int(rng.integers(shortest, len(content) - shortest + 1))
    first, second = content[:cut], content[cut:]
    if joined_in([text.document], (second, first)):
        raise NoExampleError("the window repeats itself: swapped, it still continues")
    continues = bool(rng.random() >= negative)
    if continues:
        return (first, second), True
    for _ in range(TRIES):
        pair = false_pair(text, first, second, rng, rates=rates, distance=distance)
        if not joined_in((text.document, *drawn), pair):
            return pair, False
        count("negatives drawn again")
    if joined_in(drawn, (second, first)):
        raise NoExampleError("swapped, the window still continues elsewhere")
    count("negatives swapped instead")
    return (second, first), False
