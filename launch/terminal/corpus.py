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
    """Of documents that were measured: words, and tokens without EOS."""

    words: Int64[np.ndarray, " N"]
    tokens: Int64[np.ndarray, " N"]


def sizes(
    name: str, texts: Mapping[str, Sequence[str]], words: Vocabulary, *, most: int
) -> Table:
    """How many documents each split has, and how long they are.

    Args:
      name: of the corpus.
      texts: documents by split.
      words: what makes tokens of them.
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
        found = lengths(documents, words, most=most)
        measured = found.words.size
        ratio = f"{found.tokens.sum() / max(1, found.words.sum()):.3f}"
        columns.append(
            [f"{len(documents):,}", f"{measured:,}", *map(_spread, found), ratio]
        )
    labels = (
        "documents",
        "measured",
        "words a document",
        "tokens a document",
        f"tokens a word ({words.name})",
    )
    for label, *cells in zip(labels, *columns, strict=True):
        table.add_row(label, *cells)
    return table


def lengths(documents: Sequence[str], words: Vocabulary, *, most: int) -> Lengths:
    """The lengths of at most so many documents, evenly spaced over all."""
    count = len(documents)
    chosen: list[int] = np.linspace(0, count - 1, min(most, count), dtype=int).tolist()
    found = [
        (len(text.split()), words.encode(text).size)
        for text in (documents[index] for index in tracked(chosen, "Measuring"))
    ]
    made = np.array(found, np.int64).reshape(-1, 2)
    return Lengths(made[:, 0], made[:, 1])


def entropies(corpus: Policies, split: str, words: Vocabulary, *, most: int) -> Table:
    """How much chance is in a document, by what is chosen, a word and a token."""
    count = min(most, len(corpus.documents(split)))
    table = Table(
        title=f"Chance in {split}, in bits",
        caption=f"by the generator's choices in {count:,} documents; the text has no "
        "more",
    )
    for column in ("choices", "a document", "a word", f"a token ({words.name})"):
        table.add_column(column, justify="left" if column == "choices" else "right")
    if not count:
        return table
    indices = tracked(range(count), "Counting choices")
    policies = [corpus.policy(split, index) for index in indices]
    by_word = entropy(policies)
    by_token = entropy(policies, tokenise=lambda text: words.encode(text).tolist())
    for account in (*by_word.bits, None):
        if account is None:
            table.add_section()
        bits = sum(by_word.bits.values()) if account is None else by_word.bits[account]
        ratios = (found.per_token(account) for found in (by_word, by_token))
        table.add_row(account or "all", f"{bits:.1f}", *(f"{r:.3f}" for r in ratios))
    return table


def read_back(found: ReadBack) -> Table:
    """What the fact checker reads of documents, and of documents with a fault."""
    table = Table(title="The fact checker", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    rows = {
        "documents": found.documents,
        "mentions of facts": found.mentions,
        "mentions misread": found.misread,
        "documents wrongly said to contradict themselves": found.contradicting,
        "documents with a value swapped": found.planted,
        "of those, found": found.found,
    }
    for label, value in rows.items():
        table.add_row(label, f"{value:,}")
    return table


def baselines(fitted: Sequence[Policy], tested: Sequence[Policy]) -> Table:
    """How often shallow models prefer the true text, and a reader does."""
    tasks = tracked(list(baselines_of.TASKS), "Fitting baselines")
    found = baselines_of.measure(fitted, tested, tasks=tasks)
    names = list(dict.fromkeys(row.baseline for row in found))
    half = max((row.high - row.low) / 2 for row in found)
    table = Table(
        title="Shallow baselines: how often the true text is preferred",
        caption=f"a guess has {baselines_of.CHANCE}; 95 % intervals are at most "
        f"± {half:.3f}; fitted to {len(fitted):,} documents, tested on {len(tested):,}",
    )
    table.add_column("choice", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right")
    by = {(row.task, row.baseline): row.accuracy for row in found}
    for task in dict.fromkeys(row.task for row in found):
        table.add_row(task, *(f"{by[task, name]:.3f}" for name in names))
    return table


def tracked(items: Sequence[_Item], what: str) -> Iterable[_Item]:
    """The items under a progress bar, on a terminal alone."""
    console = Console(stderr=True)
    hidden = not console.is_terminal
    return track(items, what, console=console, transient=True, disable=hidden)


def _spread(values: Int64[np.ndarray, " N"]) -> str:
    if not values.size:
        return "–"
    middle, low, high = np.quantile(values, _QUANTILES)
    return f"{middle:,.0f} ({low:,.0f} – {high:,.0f})"
