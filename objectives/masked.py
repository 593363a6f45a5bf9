"""Masked language modelling: selected tokens, in place, from both sides."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from .errors import UsageError, nearest, require_flag, require_share
from .example import Example, Lengths, in_place
from .registry import objective
from .special_ids import SpecialIds
from .text import Text, Tokens
from .words import word_begins

ID = 1

Rate = float | Literal["uniform"]
Unit = Literal["token", "word"]


def _selected(tokens: int, rate: Rate) -> int:
    """How many of the tokens are selected at most."""
    if isinstance(rate, str):
        if rate != "uniform":
            raise UsageError(
                f"masked.rate is {rate!r}; set a share above 0, such as 0.15, or "
                '"uniform".'
            )
        return tokens
    instead = {0: "leave masked out of Mixture.rates"}
    require_share("masked.rate", rate, instead=instead)
    return max(1, round(rate * tokens))


def _lengths(tokens: int, rate: Rate, shift: bool) -> Lengths | None:
    require_flag("masked.shift", shift)
    if tokens < 2:
        return None
    return Lengths(
        inputs=tokens + shift,
        targets=0,
        inputs_predictions=_selected(tokens, rate),
        targets_predictions=0,
    )


def _acts(tokens: Tokens, ids: SpecialIds, unit: str) -> bool:
    return unit != "word" or int(word_begins(tokens, ids).sum()) > 1


@objective(id=ID, measure=_lengths, answers="shown", acts=_acts)
def masked(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    rate: Rate = 0.15,
    masked_share: float = 0.8,
    random_share: float = 0.1,
    unit: Unit = "token",
    shift: bool = False,
) -> Example:
    """Hides a share of the tokens and predicts all of the selected ones in place.

    BERT (Devlin et al. 2018, §3.1, appendix A.1). Fixed: how many tokens are
    selected, round(rate · N), at least one. Random: which ones, every subset equally
    likely, and for each whether it shows the mask, a random token of the text, or
    itself. EOS is never selected. Loss on every selected token, the kept ones too.

    `unit="word"` is the whole-word masking of BERT's later release: words are taken
    in random order, each whole, and passed over where it holds more tokens than may
    still be selected; so there may be fewer than `rate` asks for. Where every word is
    longer than that, a run of tokens inside one is selected. What a selected token
    shows is drawn for each token by itself.

    `rate="uniform"` trains a masked diffusion model (Sahoo et al. 2024; Ou et al.
    2024; Nie et al. 2025). Its bound on `-log p(x)` for N tokens x, EOS and N given,
    hides each with probability t, in the set M:

        ∫₀¹ 1/t · E[Σ_{i ∈ M} -log p(x_i | the rest)] dt

    A set of l tokens has weight ∫ t^(l-1) (1-t)^(N-l) dt = 1 / (l · C(N, l)) in it. So
    with l drawn from 1 … N, every set of l equally likely, and weights N / l, the
    expectation of the weighted sum is that same bound; its variance is lower, as the
    weights of every Example sum to N.

    `shift=True` predicts each selected token at the slot before it, as causal language
    modelling does, so that both train one head (MNTP of LLM2Vec, BehnamGhader et al.
    2024; GPT-BERT, Charpentier & Samuel 2024; Dream, Ye et al. 2025). The first token
    is asked for from a slot that holds BOS at position 0; nothing is asked from the
    last one. What is selected and shown is the same as without it.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; random tokens come from `ids.text` only, and words begin at
        `ids.word_starts` (`words.word_begins`).
      rate: share of the tokens that are selected, above 0, or "uniform".
      masked_share: share of the selected that show the mask.
      random_share: share of the selected that show a random token.
      unit: what is selected as one.
      shift: whether the slot before a selected token predicts it.

    Raises:
      ValueError: a share out of range, shares that sum to more than 1, a `rate` of
        "uniform" with tokens that are not hidden or with words, or words where the
        vocabulary has none.
    """
    _require(ids, rate, masked_share=masked_share, random_share=random_share, unit=unit)
    require_flag("masked.shift", shift)
    tokens = text.tokens
    content = tokens[: len(tokens) - text.ends_document]
    if rate == "uniform":
        count = int(rng.integers(1, len(content) + 1))
    else:
        count = min(_selected(len(tokens), rate), len(content))
    if unit == "word":
        chosen = _whole_words(content, count, rng, ids)
    else:
        chosen = rng.choice(len(content), count, replace=False)

    draw = rng.random(len(chosen))
    drawn = rng.choice(ids.text, len(chosen))
    replacement = np.where(draw < masked_share + random_share, drawn, tokens[chosen])
    replacement = np.where(draw < masked_share, ids.mask, replacement)

    inputs = tokens.copy()
    inputs[chosen] = replacement
    weights = np.zeros(len(tokens), np.float32)
    weights[chosen] = len(content) / count if rate == "uniform" else 1.0
    return predicted_in_place(inputs, tokens, weights, ids, shift=shift)


def predicted_in_place(
    shown: Tokens,
    tokens: Tokens,
    weights: Float[np.ndarray, " N"],
    ids: SpecialIds,
    *,
    shift: bool,
) -> Example:
    """The Example of a text, some tokens of which are predicted where they stand.

    Args:
      shown: what the slots hold.
      tokens: the text.
      weights: in the loss; 0 where nothing is predicted.
      ids: reserved ids.
      shift: whether the slot before predicts a token.
    """
    targets = np.where(weights > 0, tokens, 0)
    positions = 1 + np.arange(len(tokens))
    if shift:
        shown, positions = np.append(ids.bos, shown), np.append(0, positions)
        targets, weights = np.append(targets, 0), np.append(weights, 0.0)
    return in_place(ID, shown, positions=positions, targets=targets, weights=weights)


def _require(
    ids: SpecialIds,
    rate: Rate,
    *,
    masked_share: float,
    random_share: float,
    unit: str,
) -> None:
    require_share("masked.masked_share", masked_share)
    require_share("masked.random_share", random_share)
    require_share(
        "masked.masked_share + masked.random_share", masked_share + random_share
    )
    if unit not in ("token", "word"):
        raise UsageError(f"masked.unit is {unit!r}; {nearest(unit, ('token', 'word'))}")
    if unit == "word" and not len(ids.word_starts):
        raise UsageError(
            'masked.unit is "word", but the vocabulary has no token that begins a '
            'word; set unit="token".'
        )
    if rate != "uniform":
        return
    if (masked_share, random_share) != (1.0, 0.0):
        raise UsageError(
            f'masked.rate is "uniform" with masked_share={masked_share} and '
            f"random_share={random_share}; its weights hold where every selected token "
            "is hidden: set masked_share=1.0 and random_share=0.0."
        )
    if unit == "word":
        raise UsageError(
            'masked.rate is "uniform" with unit="word"; its weights hold where every '
            'set of tokens is equally likely: set unit="token" or a rate such as 0.15.'
        )


def _whole_words(
    tokens: Tokens, count: int, rng: np.random.Generator, ids: SpecialIds
) -> Int[np.ndarray, " chosen"]:
    """At most `count` tokens, in whole words wherever one fits."""
    starts = np.flatnonzero(word_begins(tokens, ids))
    words = np.split(np.arange(len(tokens)), starts[1:])
    order = rng.permutation(len(words))
    chosen: list[int] = []
    for word in order:
        if len(chosen) + len(words[word]) <= count:
            chosen.extend(words[word])
        if len(chosen) == count:
            break
    if not chosen:
        word = words[order[0]]
        begin = int(rng.integers(len(word) - count + 1))
        return word[begin : begin + count]
    return np.array(chosen, np.int64)
