"""Reconstruction: the whole original text, in order, from a corrupted one."""

import numpy as np
from jaxtyping import Int

from .errors import UsageError, require_acting, require_number, require_share
from .example import Example, Lengths, sequential
from .registry import objective
from .special_ids import SpecialIds
from .text import Text, Tokens
from .words import sentence_begins

ID = 7

MEAN_SPAN = 3.0
"""Mean length of a span by default, in tokens."""


def _counts(
    tokens: int, *, infill: float, mask: float, delete: float
) -> tuple[int, int, int]:
    """How many tokens are dropped in spans, masked one for one, and deleted."""
    shares = {"infill": infill, "mask": mask, "delete": delete}
    for name, share in shares.items():
        require_share(f"reconstruction.{name}", share)
    # Rounded: .33 + .56 + .11 is above 1 as floats.
    together = round(sum(shares.values()), 9)
    require_share("reconstruction.infill + mask + delete", together)
    counts: list[int] = []
    for share in shares.values():
        count = max(round(share * tokens), 1) if share else 0
        counts.append(min(count, tokens - sum(counts)))
    return counts[0], counts[1], counts[2]


def _spans(dropped: int, mean_span: float) -> int:
    """How many spans, so how many masks, stand for that many dropped tokens."""
    return max(round(dropped / max(mean_span, 1.0)), 1) if dropped else 0


def _lengths(
    tokens: int, infill: float, mean_span: float, mask: float, delete: float
) -> Lengths | None:
    require_number("reconstruction.mean_span", mean_span, least=1.0)
    if tokens < 3:
        return None

    def inputs(content: int) -> int:
        dropped, _, deleted = _counts(content, infill=infill, mask=mask, delete=delete)
        return content - dropped + _spans(dropped, mean_span) - deleted + 1

    # Where two shares round up at once, one token more makes inputs one shorter; and
    # of a window that ends its document, EOS is no content.
    return Lengths(
        inputs=max(inputs(tokens - 1), inputs(tokens)),
        targets=tokens + 1,
        inputs_predictions=0,
        targets_predictions=tokens + 1,
    )


def _acts(tokens: Tokens, ids: SpecialIds, shuffle: float) -> bool:
    return not shuffle or int(sentence_begins(tokens, ids).sum()) > 1


@objective(id=ID, measure=_lengths, answers="shown", acts=_acts)
def reconstruction(
    text: Text,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    infill: float = 0.3,
    mean_span: float = MEAN_SPAN,
    mask: float = 0.0,
    delete: float = 0.0,
    shuffle: float = 0.0,
) -> Example:
    """Corrupts the window and predicts the whole original, so that copying is learnt.

    BART (Lewis et al. 2019, §2.2). The corruptions can be combined; sentences are
    permuted first.

    Text infilling: spans of Poisson(`mean_span`) tokens are dropped, each for ONE
    mask; a span of no tokens inserts a mask. Their number is fixed, round(dropped /
    `mean_span`), and their lengths are Poisson given that they hold the dropped tokens
    together, which is a multinomial draw. So inputs have one length, and fill rows;
    BART draws lengths until they hold enough, and cuts the last. Spans do not overlap,
    but may touch.

    Fixed: how many tokens are dropped, masked and deleted, round(share · N), at least
    one of each kind asked for. Random: the lengths of spans; where they are, every
    order of spans and kept tokens alike; which of the kept tokens are masked or
    deleted, every subset alike; whether sentences are permuted, every order alike,
    their own one included. As in `span_corruption` both parts end in EOS, also inside
    a document; an EOS of the document's is that same one.

    Args:
      text: the window.
      rng: source of all randomness.
      ids: reserved ids; sentences are told by `ids.sentence_ends` and
        `ids.word_starts` (`words.sentence_begins`).
      infill: share of the tokens dropped in spans.
      mean_span: mean length of a span, in tokens; only with `infill` above 0.
      mask: share of the tokens replaced by a mask, one for one.
      delete: share of the tokens removed without a trace.
      shuffle: share of the Examples whose sentences are permuted.

    Raises:
      ValueError: shares outside [0, 1] or above 1 together, spans shorter than 1 on
        average or of an infilling of nothing, nothing corrupted, or no sentences in the
        vocabulary to permute.
    """
    _require(
        ids, corrupted=infill + mask + delete, shuffle=shuffle, mean_span=mean_span
    )
    require_acting(
        "reconstruction.mean_span",
        mean_span,
        default=MEAN_SPAN,
        acts=infill > 0,
        with_="reconstruction.infill above 0",
    )
    original = text.tokens[: len(text.tokens) - text.ends_document]
    counts = _counts(len(original), infill=infill, mask=mask, delete=delete)
    source = original
    if shuffle and rng.random() < shuffle:
        source = _shuffled(source, rng, ids)
    inputs = _corrupted(source, rng, ids, counts=counts, mean_span=mean_span)
    return restoring(inputs, original, ids)


def restoring(corrupted: Tokens, original: Tokens, ids: SpecialIds) -> Example:
    """The Example of a corrupted text, from which the original one is predicted."""
    inputs = np.append(corrupted, ids.eos)
    targets = np.append(original, ids.eos)
    return sequential(
        ID,
        inputs,
        targets,
        inputs_positions=1 + np.arange(len(inputs)),
        targets_positions=len(inputs) + 2 + np.arange(len(targets)),
    )


def _require(
    ids: SpecialIds, *, corrupted: float, shuffle: float, mean_span: float
) -> None:
    require_share("reconstruction.shuffle", shuffle)
    require_number("reconstruction.mean_span", mean_span, least=1.0)
    if not corrupted and not shuffle:
        raise UsageError(
            "reconstruction with infill=0, mask=0, delete=0 and shuffle=0 corrupts "
            "nothing, so there is nothing to restore; set one of them above 0, such "
            "as infill=0.3."
        )
    if shuffle and not len(ids.sentence_ends):
        raise UsageError(
            f"reconstruction.shuffle is {shuffle}, but the vocabulary has no token "
            "that ends a sentence, so there are none to permute; set shuffle=0.0 or "
            "use a vocabulary with full stops."
        )


def span_lengths(
    dropped: int, rng: np.random.Generator, *, mean_span: float
) -> Int[np.ndarray, " spans"]:
    """Lengths of spans that hold `dropped` tokens together, zeros among them.

    Independent Poisson lengths of one mean, given their number and their sum.
    """
    spans = _spans(dropped, mean_span)
    if not spans:
        return np.zeros(0, np.int64)
    return rng.multinomial(dropped, np.full(spans, 1 / spans))


def _corrupted(
    tokens: Tokens,
    rng: np.random.Generator,
    ids: SpecialIds,
    *,
    counts: tuple[int, int, int],
    mean_span: float,
) -> Tokens:
    """Tokens, some dropped in spans, some masked and some deleted."""
    dropped, masked, deleted = counts
    spans = span_lengths(dropped, rng, mean_span=mean_span)
    items = len(tokens) - dropped + len(spans)
    is_span = np.zeros(items, bool)
    is_span[rng.choice(items, len(spans), replace=False)] = True
    sizes = np.ones(items, np.int64)
    sizes[is_span] = spans
    starts = np.cumsum(sizes) - sizes
    kept = np.full(items, ids.mask, np.int32)
    kept[~is_span] = tokens[starts[~is_span]]
    hit = rng.choice(np.flatnonzero(~is_span), masked + deleted, replace=False)
    kept[hit[:masked]] = ids.mask
    return np.delete(kept, hit[masked:])


def _shuffled(tokens: Tokens, rng: np.random.Generator, ids: SpecialIds) -> Tokens:
    """The sentences of a text in a random order, every order equally likely."""
    starts = np.flatnonzero(sentence_begins(tokens, ids))
    sentences = np.split(tokens, starts[1:])
    return np.concatenate([sentences[n] for n in rng.permutation(len(sentences))])
