"""Fidelity of a restored text to the original, in tokens and in facts.

An empty output is scored as the worst one: its precision is 0, not undefined.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from rapidfuzz.distance import LCSseq, Levenshtein

from ...scores.score import Ratio

FLUENT_MARGIN = 0.1
"""Nats a token by which a fluent output may be less likely than the original: a
perplexity 10.5 % higher."""

UNFAITHFUL_DISTANCE = 0.1
"""Normalised edit distance above which an output is unfaithful: one token in ten."""

_FACT = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_][\w'’-]*")
_SENTENCE_ENDS = ".!?"
_CLOSERS = "\"'”’)]"
_OPENERS = "\"'“‘(["


class Fidelity(NamedTuple):
    """Measures of one output, each within [0, 1].

    Attributes:
      exact: 1 where the output is the original, token for token.
      distance: edit distance to the original over the length of the longer one.
      copy_recall: LCS(output, untouched) / |untouched|, the share of untouched tokens
        that were copied. Poor outputs contain some by chance, so compare it with a
        baseline. NaN if nothing is untouched.
      copy_precision: LCS(output, original) / |output|, 0 for an empty output. After the
        coverage of extracts (Grusky et al. 2018, §4.1), but in order, and against the
        original instead of fragments of a source.
      unsupported: share of the output's tokens that exceed their count in the original,
        in any place; 0 for an empty output. A token-level form of unsupported content
        (Maynez et al. 2020, §2.1).
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
    """The token-level measures of one output.

    Args:
      output: the restored tokens.
      original: the right ones.
      untouched: tokens of the original that the corrupted excerpt holds in order
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
    """Fewest insertions, deletions and substitutions (Levenshtein 1966)."""
    return Levenshtein.distance(a.tolist(), b.tolist())


def common_length(a: Int[np.ndarray, " A"], b: Int[np.ndarray, " B"]) -> int:
    """Length of the longest common subsequence, LCS (Wagner & Fischer 1974)."""
    return LCSseq.similarity(a.tolist(), b.tolist())


def facts(text: str) -> Counter[str]:
    """Counts of numbers in digits and of capitalised words in a text.

    A number may have points, commas or colons inside: `1,200.5`, `12:30`. A capitalised
    word counts as a name except at the beginning of a sentence or line. Each word of a
    longer name counts separately.
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
    """Numbers of facts in both texts, in the output and in the original.

    Facts are multisets, without order. Sum the counts over outputs for `fact_f1`.
    """
    a, b = facts(output), facts(original)
    return np.array([(a & b).total(), a.total(), b.total()], np.int64)


def fact_f1(counts: Int[np.ndarray, "N 3"]) -> Ratio:
    """Pooled F1 of the facts of outputs: 2 · both / (output's + original's).

    Pooled because a short excerpt may have no facts. NaN if none has any.
    """
    both, output, original = counts.T
    return Ratio(2.0 * both, (output + original).astype(float))


def fluent_but_unfaithful(
    output_nll: Float[np.ndarray, " N"],
    original_nll: Float[np.ndarray, " N"],
    distance: Float[np.ndarray, " N"],
    *,
    margin: float = FLUENT_MARGIN,
    threshold: float = UNFAITHFUL_DISTANCE,
) -> Bool[np.ndarray, " N"]:
    """Which outputs are as likely as the original but differ from it.

    Args:
      output_nll: mean -log p a token of each output under the model's own left-to-right
        score, in nats; NaN if empty, which is not fluent.
      original_nll: the same for each original.
      distance: normalised edit distance of each output.
      margin: nats a token by which a fluent output may exceed its original.
      threshold: distance above which an output is unfaithful.
    """
    return (output_nll <= original_nll + margin) & (distance > threshold)
