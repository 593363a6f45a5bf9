"""A few Examples of each task of a mixture, to be looked at; SeqIO is not needed."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int32

from ..models.rows import RowShape
from ..objectives.example import Example
from ..objectives.text import Text
from .corpora import Corpus
from .layout import budget
from .mixture import Mixture, split_task
from .vocabulary import Vocabulary, vocabulary
from .windows import example_rng, windows

TRIES = 256
"""Documents drawn, at most, to find those that fill a row."""


def draw(
    mixture: Mixture,
    shape: RowShape,
    *,
    tasks: Sequence[str],
    seed: int,
    examples: int = 1,
) -> list[tuple[str, Example]]:
    """Makes Examples of each task, of the first windows of documents.

    Every objective is given the same documents of its corpus, so that they can be
    compared. The documents are drawn at random; those that are long enough to fill a
    row come first. Each Example is the one that a run with this seed and these rows
    makes of that window in its first pass.

    Args:
      mixture: its corpora, settings and vocabulary.
      shape: of the rows that the Examples are to fit.
      tasks: of the mixture.
      seed: of the documents and the Examples.
      examples: of each task.

    Returns:
      Task and Example, task after task.

    Raises:
      ValueError: an objective fits no row, or a corpus has no document that is long
        enough for it.
    """
    words = vocabulary(mixture.vocabulary)
    found = []
    for name in dict.fromkeys(split_task(task)[0] for task in tasks):
        corpus = mixture.corpus(name)
        of_corpus = [task for task in tasks if split_task(task)[0] == name]
        chosen = [mixture.objective(split_task(task)[1]) for task in of_corpus]
        sizes = [objective.window(budget(shape)) for objective in chosen]
        documents = _Documents(corpus, words)
        drawn = documents.draw(examples, longer_than=max(sizes), seed=seed)
        for task, objective, size in zip(of_corpus, chosen, sizes, strict=True):
            for index in drawn:
                tokens = documents.tokens(index)
                smallest = objective.smallest()
                if len(tokens) < smallest:
                    raise ValueError(
                        f"task {task!r} takes texts of {smallest} tokens or more, but "
                        f"document {index} of {name!r}, one of the {len(drawn)} "
                        f"longest drawn, has {len(tokens)}; try another seed."
                    )
                start, stop = windows(len(tokens), window=size, smallest=smallest)[0]
                text = Text(tokens, start, stop, documents.other_than(index))
                rng = example_rng(
                    seed, objective.name, epoch=0, document=index, window=0
                )
                found.append((task, objective(text, rng, words.special_ids)))
    return found


class _Documents:
    """The tokenised training documents of a corpus, by index."""

    def __init__(self, corpus: Corpus, words: Vocabulary):
        self._name = corpus.name
        self._texts = corpus.documents("train")
        self._words = words

    def tokens(self, index: int) -> Int32[np.ndarray, " N"]:
        """A document's tokens, EOS included."""
        return self._words.encode_document(self._texts[index])

    def draw(self, count: int, *, longer_than: int, seed: int) -> list[int]:
        """Draws documents, those first that have more than `longer_than` tokens."""
        rng = np.random.default_rng(seed)
        long: list[int] = []
        short: dict[int, int] = {}
        for _ in range(TRIES):
            index = int(rng.integers(len(self._texts)))
            if index in long or index in short:
                continue
            size = len(self.tokens(index))
            if size > longer_than:
                long.append(index)
            else:
                short[index] = size
            if len(long) == count:
                return long
        rest = sorted(short, key=lambda index: -short[index])
        drawn = [*long, *rest][:count]
        if len(drawn) < count:
            raise ValueError(
                f"corpus {self._name!r} gave {len(drawn)} documents, and {count} "
                f"examples of each task were asked for; ask for {len(drawn)}."
            )
        return drawn

    def other_than(self, index: int):
        """A function that draws another document, every one equally likely."""

        def other(rng: np.random.Generator) -> Int32[np.ndarray, " N"]:
            others = len(self._texts) - 1
            if others < 1:
                raise ValueError(
                    f"corpus {self._name!r} has one document only, so there is no "
                    "other one to draw; use one with more, or no objective of pairs."
                )
            drawn = int(rng.integers(others))
            return self.tokens(drawn + (drawn >= index))

        return other
