"""Measures on a sample, before training, what each objective gets from its corpus.

A vocabulary that cannot spell a text, words in a text without spaces, sentences in one
without full stops: each trains without an error, and does not teach what was meant.
"""

import itertools
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ...models.rows import RowShape
from ...objectives.errors import NoExampleError, UsageError
from ...objectives.tally import counted
from ...objectives.text import Text
from ..corpora import not_read
from ..rows.layout import budget
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary
from .example_stream import split_documents
from .mixture import Mixture, split_task
from .task_windows import too_short
from .windows import example_rng, windows

DOCUMENTS = 64
"""Documents of each corpus, drawn at random."""

WINDOWS = 64
"""Most windows of each task."""

MOST_UNKNOWN = 0.05
"""Largest share of tokens, and of characters, that a vocabulary may fail to spell."""


class Spelling(NamedTuple):
    """How a vocabulary spells a sample of a corpus.

    Attributes:
      unknown: share of the tokens that are unknown.
      lost: share of the characters that the tokens do not hold, apart from white space,
        case, accents and compatibility forms (NFKD). One unknown token may stand for
        many.
      altered: share of the documents whose decoded text differs, apart from white space
        and Unicode normalisation (NFKC).
      characters: of text per token; infinite where tokens are bytes.
      unread: the line for what lies beside the documents and is not read.
    """

    unknown: float
    lost: float
    altered: float
    characters: float
    unread: str = ""


class Usable(NamedTuple):
    """What an objective can do with a sample of windows.

    Attributes:
      windows: number tried.
      without_example: share of them that give no Example.
      idle: share of them on which one of its settings cannot act.
      events: counts of events that no Example shows (`objectives.tally`).
    """

    windows: int
    without_example: float
    idle: float
    events: Mapping[str, int] = {}


def check_windows(
    mixture: Mixture, shape: RowShape, *, seed: int = 0
) -> tuple[dict[str, Spelling], dict[str, Usable]]:
    """Measures a sample of each corpus and task, and refuses unusable ones.

    Args:
      mixture: corpora, objectives, settings and vocabulary.
      shape: of the rows that Examples must fit.
      seed: of the sample.

    Returns:
      By corpus, and by task.

    Raises:
      UsageError: more than `MOST_UNKNOWN` of a corpus's tokens are unknown, or of its
        characters lost; or an objective makes no Example from any window, or has a
        setting that acts on none.
    """
    spellings: dict[str, Spelling] = {}
    tasks: dict[str, Usable] = {}
    documents = split_documents(mixture, "train")
    for name, tokenised in documents.items():
        rng = np.random.default_rng([seed, *name.encode()])
        indices: list[int] = rng.permutation(len(tokenised))[:DOCUMENTS].tolist()
        texts = mixture.corpus(name).documents("train")
        spelling = _measure_spelling(
            mixture, tokenised, [texts[index] for index in indices], indices
        )
        spelling = spelling._replace(unread=not_read(mixture.corpus(name)))
        spellings[name] = spelling
        if spelling.unknown > MOST_UNKNOWN:
            raise UsageError(
                f"the vocabulary {mixture.vocabulary!r} cannot spell the corpus "
                f"{name!r}: {spelling.unknown:.0%} of its tokens are unknown (at most "
                f"{MOST_UNKNOWN:.0%} are accepted). Set Mixture.vocabulary to one made "
                "for this text, or to 'bytes'."
            )
        if spelling.lost > MOST_UNKNOWN:
            raise UsageError(
                f"the vocabulary {mixture.vocabulary!r} cannot spell the corpus "
                f"{name!r}: {spelling.lost:.0%} of its characters are lost "
                f"(at most {MOST_UNKNOWN:.0%} are accepted). Set Mixture.vocabulary to "
                "one made for this text, or to 'bytes'."
            )
        for task in mixture.positive_rates():
            if split_task(task)[0] == name:
                tasks[task] = _measure_windows(mixture, task, shape, tokenised, indices)
                if not tasks[task].windows and len(indices) == len(tokenised):
                    raise too_short(mixture.objective(split_task(task)[1]), tokenised)
                _check_usable(mixture, task, tasks[task])
    return spellings, tasks


def _measure_spelling(
    mixture: Mixture,
    documents: TokenisedDocuments,
    texts: Sequence[str],
    indices: Sequence[int],
) -> Spelling:
    vocab = vocabulary(mixture.vocabulary)
    tokens = [documents[index][:-1] for index in indices]
    total = max(1, sum(len(ids) for ids in tokens))
    unknown = sum(int((ids == vocab.unk).sum()) for ids in tokens)
    decoded = [vocab.decode(ids) for ids in tokens]
    altered = [_plain(a) != _plain(b) for a, b in zip(decoded, texts, strict=True)]
    written, read = map(_letters, (texts, decoded))
    lost = (written - read).total() / max(1, written.total())
    # A byte is one character, as it is meant to be.
    made_for_bytes = mixture.vocabulary == "bytes"
    characters = math.inf if made_for_bytes else sum(map(len, texts)) / total
    return Spelling(unknown / total, lost, float(np.mean(altered)), characters)


def _letters(texts: Sequence[str]) -> Counter[str]:
    """How often each character occurs, whatever its case and its accents."""
    decomposed = unicodedata.normalize("NFKD", "".join(texts)).casefold()
    return Counter(
        c for c in decomposed if not (c.isspace() or unicodedata.combining(c))
    )


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _measure_windows(
    mixture: Mixture,
    task: str,
    shape: RowShape,
    documents: TokenisedDocuments,
    indices: Sequence[int],
) -> Usable:
    objective = mixture.objective(split_task(task)[1])
    ids = vocabulary(mixture.vocabulary).special_ids
    count = without_example = idle = 0
    with counted() as events:
        for text, rng in itertools.islice(
            _windows(mixture, task, shape, documents, indices), WINDOWS
        ):
            count += 1
            idle += not objective.can_act(text.tokens, ids)
            try:
                objective(text, rng, ids)
            except NoExampleError:
                without_example += 1
    return Usable(count, without_example / max(1, count), idle / max(1, count), events)


def _windows(
    mixture: Mixture,
    task: str,
    shape: RowShape,
    documents: TokenisedDocuments,
    indices: Sequence[int],
) -> Iterator[tuple[Text, np.random.Generator]]:
    objective = mixture.objective(split_task(task)[1])
    window, smallest = objective.window(budget(shape)), objective.smallest()
    for index in indices:
        tokens = documents[index]
        spans = windows(len(tokens), window=window, smallest=smallest)
        for number, (start, stop) in enumerate(spans):
            rng = example_rng(
                0,
                documents.corpus,
                objective.name,
                epoch=0,
                document=index,
                window=number,
            )
            yield Text(tokens, start, stop, documents.others(index)), rng


def _check_usable(mixture: Mixture, task: str, usable: Usable) -> None:
    objective = mixture.objective(split_task(task)[1])
    if usable.windows and usable.without_example == 1:
        raise UsageError(
            f"{task}: none of {usable.windows} windows that were tried gives an "
            "Example: the text repeats itself. Give other text, or a rate of 0."
        )
    if usable.windows and usable.idle == 1:
        raise UsageError(
            f"{task}: a setting among {dict(objective.settings)} can act on none of "
            f"{usable.windows} windows that were tried: the text has no words or "
            "sentences that the vocabulary "
            f"{mixture.vocabulary!r} tells apart. Set masked.unit='token', "
            "reconstruction.shuffle=0.0 or sentence_pair.unit='token', whichever "
            "applies, or use another vocabulary."
        )


def remarks(
    spellings: Mapping[str, Spelling], tasks: Mapping[str, Usable]
) -> list[str]:
    """A line for each finding that a reader would not expect."""
    lines = []
    for name, spelling in spellings.items():
        if spelling.unread:
            lines.append(spelling.unread)
        if spelling.unknown > 0:
            lines.append(f"{name}: {spelling.unknown:.2%} of the tokens are unknown.")
        if spelling.lost > 0:
            lines.append(f"{name}: {spelling.lost:.2%} of the characters are lost.")
        if spelling.altered > 0:
            lines.append(
                f"{name}: {spelling.altered:.0%} of the documents read differently "
                "when decoded."
            )
        if spelling.characters < 1.5:
            lines.append(
                f"{name}: a token stands for {spelling.characters:.2f} characters; the "
                "vocabulary was made for other text."
            )
    for task, usable in tasks.items():
        if usable.without_example > 0:
            lines.append(
                f"{task}: {usable.without_example:.0%} of the windows give no Example."
            )
        if usable.idle > 0:
            lines.append(
                f"{task}: on {usable.idle:.0%} of the windows a setting cannot act."
            )
        for event, times in usable.events.items():
            lines.append(f"{task}: {event}: {times} in {usable.windows} windows.")
    return lines
