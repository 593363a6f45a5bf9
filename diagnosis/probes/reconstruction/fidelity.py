"""How faithful a restored text is to the original, in tokens and in facts.

An output that says nothing scores worst, not nothing: its precision is 0.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

FLUENT_MARGIN = 0.1
"""Nats a token by which a fluent output may be less likely than the original: a
perplexity 10.5 % above."""

UNFAITHFUL_DISTANCE = 0.1
"""Normalised edit distance above which an output is unfaithful: one token in ten."""

_FACT = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_][\w'’-]*")
_SENTENCE_ENDS = ".!?"
_CLOSERS = "\"'”’)]"
_OPENERS = "\"'“‘(["


class Fidelity(NamedTuple):
    """What `measure` finds of one output. Each is within [0, 1].

    Attributes:
      exact: 1 where the output is the original, token for token.
      distance: edit distance to the original over the length of the longer one.
      copy_recall: LCS(output, untouched) / |untouched|, whether what was there was
        copied. An output may hold those tokens by chance, so it is not 0 for a poor
        one; compare with a baseline. NaN where nothing is untouched.
      copy_precision: LCS(output, original) / |output|, how much of the output is the
        original's; 0 of an empty one. After the coverage of extracts (Grusky et al.
        2018, §4.1), in order and against the original instead of fragments of a source.
      unsupported: share of the output's tokens that the original lacks, wherever they
        stand; a token that the output has more often counts as often as it is too many.
        The token-level form of content without support in the source (Maynez et al.
        2020, §2.1). An empty output has none.
    """

    exact: float
    distance: float
    copy_recall: float
    copy_precision: float
    unsupported: float


def measure(
    output: Int[np.ndarray, " A"],
    original: Int[np.ndarray, " B"],
    *,
    untouched: Int[np.ndarray, " C"],
) -> Fidelity:
    """Everything that tokens tell of one output.

    Args:
      output: the restored tokens.
      original: what they should be.
      untouched: the tokens of the original that the corrupted excerpt held in order
        (`Corrupted.kept`).
    """
    size, true_size, kept = (len(output), len(original), len(untouched))
    too_many = Counter(output.tolist()) - Counter(original.tolist())
    return Fidelity(
        exact=float(np.array_equal(output, original)),
        distance=edit_distance(output, original) / max(size, true_size, 1),
        copy_recall=common_length(output, untouched) / kept if kept else float("nan"),
        copy_precision=common_length(output, original) / max(size, 1),
        unsupported=too_many.total() / max(size, 1),
    )


def edit_distance(a: Int[np.ndarray, " A"], b: Int[np.ndarray, " B"]) -> int:
    """Fewest insertions, deletions and substitutions from one to the other.

    Levenshtein 1966, by rows of Wagner & Fischer 1974. With `d` the cells of a row as
    reached from the row above, insertions make them `j + min_{k ≤ j} (d[k] - k)`, a
    running minimum.
    """
    places = np.arange(len(b) + 1)
    row = places
    for n, token in enumerate(a, 1):
        above = np.minimum(row[1:] + 1, row[:-1] + (b != token))
        row = places + np.minimum.accumulate(np.append(n, above) - places)
    return int(row[-1])


def common_length(a: Int[np.ndarray, " A"], b: Int[np.ndarray, " B"]) -> int:
    """Length of the longest common subsequence, LCS (Wagner & Fischer 1974)."""
    row = np.zeros(len(b) + 1, np.int64)
    for token in a:
        matched = np.maximum(row[1:], row[:-1] + (b == token))
        row[1:] = np.maximum.accumulate(matched)
    return int(row[-1])


def facts(text: str) -> Counter[str]:
    """Numbers in digits and capitalised words of a text, as often as they stand there.

    A number may have points, commas or colons inside: `1,200.5`, `12:30`. A word with a
    capital counts as a name except where a sentence or a line begins, where any word
    has one. Each word of a longer name counts by itself.
    """
    counts: Counter[str] = Counter()
    for match in _FACT.finditer(text):
        word = match.group()
        if word[0].isdigit() or (
            word[0].isupper() and not _begins_sentence(text, match.start())
        ):
            counts[word] += 1
    return counts


def _begins_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(_OPENERS)
    words = before.rstrip()
    if not words or "\n" in before[len(words) :]:
        return True
    return words.rstrip(_CLOSERS)[-1:] in _SENTENCE_ENDS


def fact_counts(output: str, original: str) -> Int[np.ndarray, "3"]:
    """How many facts both texts have, the output has, and the original has.

    As multisets: neither order nor place matters. Sum them over outputs for `fact_f1`.
    """
    a, b = facts(output), facts(original)
    return np.array([(a & b).total(), a.total(), b.total()], np.int64)


def fact_f1(counts: Int[np.ndarray, "N 3"]) -> float:
    """F1 of the facts of N outputs together: 2 · both / (output's + original's).

    Pooled, because one short excerpt may have no fact at all. NaN where none has.
    """
    both, output, original = counts.sum(axis=0).tolist()
    return 2 * both / (output + original) if output + original else float("nan")


def fluent_but_unfaithful(
    output_nll: Float[np.ndarray, " N"],
    original_nll: Float[np.ndarray, " N"],
    distance: Float[np.ndarray, " N"],
    *,
    margin: float = FLUENT_MARGIN,
    threshold: float = UNFAITHFUL_DISTANCE,
) -> Bool[np.ndarray, " N"]:
    """Which outputs read as well as the original and say something else.

    Their mean is the share of them.

    Args:
      output_nll: mean -log p a token of each output under the model's own left-to-right
        score, in nats; NaN of an empty one, which is not fluent.
      original_nll: the same of each original.
      distance: normalised edit distance of each output.
      margin: nats a token that a fluent output may lie above its original.
      threshold: distance above which an output is unfaithful.
    """
    return (output_nll <= original_nll + margin) & (distance > threshold)
