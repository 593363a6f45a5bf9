"""The tables of `sightline corpus`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Int64
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ...tasks.corpora._policies import baselines as baselines_of
from ...tasks.corpora._policies.entropy import entropy
from ...tasks.corpora._policies.policy import Policy
from ...tasks.corpora._policies.read_back import ReadBack
from ...tasks.corpora.policies import Policies
from ...tasks.tokens.vocabulary import Vocabulary

_QUANTILES = (0.5, 0.1, 0.9)
_Item = TypeVar("_Item")


class Lengths(NamedTuple):
    """Of the measured documents: words, and tokens without EOS."""

    words: Int64[np.ndarray, " N"]
    tokens: Int64[np.ndarray, " N"]


def sizes(
    name: str, texts: Mapping[str, Sequence[str]], vocab: Vocabulary, *, most: int
) -> Table:
    """How many documents each split has, and how long they are.

    Args:
      name: of the corpus.
      texts: documents by split.
      vocab: tokenises them.
      most: documents of a split to measure, evenly spaced.
    """
    table = Table(
        title=f"Corpus {name}",
        caption="lengths: the median (10 % of documents are shorter – 90 % are)",
    )
    table.add_column("")
    columns: list[list[str]] = []
    for split, documents in texts.items():
        table.add_column(split, justify="right")
        sample = lengths(documents, vocab, most=most)
        measured = sample.words.size
        ratio = f"{sample.tokens.sum() / max(1, sample.words.sum()):.3f}"
        columns.append(
            [f"{len(documents):,}", f"{measured:,}", *map(_spread, sample), ratio]
        )
    labels = (
        "documents",
        "measured",
        "words a document",
        "tokens a document",
        f"tokens a word ({vocab.name})",
    )
    for label, *cells in zip(labels, *columns, strict=True):
        table.add_row(label, *cells)
    return table


def lengths(documents: Sequence[str], vocab: Vocabulary, *, most: int) -> Lengths:
    """The lengths of at most `most` documents, evenly spaced."""
    count = len(documents)
    chosen: list[int] = np.linspace(0, count - 1, min(most, count), dtype=int).tolist()
    pairs = [
        (len(text.split()), vocab.encode(text).size)
        for text in (documents[index] for index in tracked(chosen, "Measuring"))
    ]
    counts = np.array(pairs, np.int64).reshape(-1, 2)
    return Lengths(counts[:, 0], counts[:, 1])


def entropies(corpus: Policies, split: str, vocab: Vocabulary, *, most: int) -> Table:
    """How much chance is in a document, a word and a token, by kind of choice."""
    count = min(most, len(corpus.documents(split)))
    table = Table(
        title=f"Chance in {split}, in bits",
        caption=f"by the generator's choices in {count:,} documents; the text has no "
        "more",
    )
    for column in ("choices", "a document", "a word", f"a token ({vocab.name})"):
        table.add_column(column, justify="left" if column == "choices" else "right")
    if not count:
        return table
    indices = tracked(range(count), "Counting choices")
    policies = [corpus.policy(split, index) for index in indices]
    by_word = entropy(policies)
    by_token = entropy(policies, tokenise=lambda text: vocab.encode(text).tolist())
    for account in (*by_word.bits, None):
        if account is None:
            table.add_section()
        bits = sum(by_word.bits.values()) if account is None else by_word.bits[account]
        ratios = (each.per_token(account) for each in (by_word, by_token))
        table.add_row(account or "all", f"{bits:.1f}", *(f"{r:.3f}" for r in ratios))
    return table


def read_back(check: ReadBack) -> Table:
    """What the fact checker reads of documents, with and without a planted fault."""
    table = Table(title="The fact checker", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    rows = {
        "documents": check.documents,
        "mentions of facts": check.mentions,
        "mentions misread": check.misread,
        "documents wrongly said to contradict themselves": check.contradicting,
        "documents with a value swapped": check.planted,
        "of those, found": check.found,
    }
    for label, value in rows.items():
        table.add_row(label, f"{value:,}")
    return table


def baselines(fitted: Sequence[Policy], tested: Sequence[Policy]) -> Table:
    """How often shallow models, and a reader, prefer the true text."""
    tasks = tracked(list(baselines_of.TASKS), "Fitting baselines")
    accuracies = baselines_of.measure(fitted, tested, tasks=tasks)
    names = list(dict.fromkeys(row.baseline for row in accuracies))
    half = max((row.high - row.low) / 2 for row in accuracies)
    table = Table(
        title="Shallow baselines: how often the true text is preferred",
        caption=f"chance is {baselines_of.CHANCE}; 95 % intervals are at most "
        f"± {half:.3f}; fitted to {len(fitted):,} documents, tested on {len(tested):,}",
    )
    table.add_column("choice", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right")
    accuracy = {(row.task, row.baseline): row.accuracy for row in accuracies}
    for task in dict.fromkeys(row.task for row in accuracies):
        table.add_row(task, *(f"{accuracy[task, name]:.3f}" for name in names))
    return table


def tracked(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    """The items under a progress bar, on a terminal only."""
    console = Console(stderr=True)
    hidden = not console.is_terminal
    return track(items, what, console=console, transient=True, disable=hidden)


def _spread(values: Int64[np.ndarray, " N"]) -> str:
    if not values.size:
        return "–"
    middle, low, high = np.quantile(values, _QUANTILES)
    return f"{middle:,.0f} ({low:,.0f} – {high:,.0f})"
