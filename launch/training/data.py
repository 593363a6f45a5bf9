"""The streams of a run: training batches, and held-out batches of each objective.

TensorFlow is imported when a stream is first read, on the thread that reads it, so
that it loads while the step compiles.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterable, Iterator

import jax

from ...models.rows import Batch, RowShape
from ...objectives.example import Example
from ...tasks import host_tensorflow
from ...tasks.corpora import EmptySplitError
from ...tasks.examples.mixture import Mixture
from ...tasks.rows.batches import batches
from ...tasks.rows.layout import sequence_length
from ...tasks.tokens.vocabulary import vocabulary

HELD_OUT_SEED = 0
"""Held-out batches are the same in every run, whatever its seed."""


@dataclasses.dataclass(frozen=True)
class Data:
    """Where a run's batches come from.

    Attributes:
      mixture: what is mixed, and the vocabulary.
      rows: capacities of a row.
      batch_rows: B.
      rows_here: the rows [start, stop) of a training batch that this process loads;
        None: all.
    """

    mixture: Mixture
    rows: RowShape
    batch_rows: int
    rows_here: tuple[int, int] | None = None

    def examples(self, *, seed: int) -> Iterator[Example]:
        """Training Examples without end, straight from SeqIO.

        Args:
          seed: of the order of documents, of the mixing and of every Example.
        """
        host_tensorflow.load()
        from ...tasks.seqio_tasks.tasks import seqio_mixture

        return self._read(seqio_mixture(self.mixture), split="train", seed=seed)

    def training(self, *, seed: int, skip: int) -> Iterator[Batch]:
        """Training batches without end.

        The stream is a function of this object and the seed alone. A resumed run
        reads the same stream and drops what it has seen, at the cost of remaking
        it.

        Args:
          seed: as for `examples`.
          skip: batches to drop from the front.
        """
        here = slice(*(self.rows_here or (0, self.batch_rows)))
        stream = self._batches(self.examples(seed=seed))
        for batch in itertools.islice(stream, skip, None):
            yield jax.tree.map(lambda x: x[here], batch)

    def held_out(self, *, most: int) -> dict[str, list[Batch]]:
        """Validation batches of each task, at most `most` of each.

        Every task of the mixture is measured alike, whatever its rate, on rows of its
        own: a pair's one label gets as many rows as a text's 512 tokens. A task without
        validation text has no batches.
        """
        if most == 0:
            return {task: [] for task in self.mixture.positive_rates()}
        host_tensorflow.load()
        from ...tasks.seqio_tasks.tasks import seqio_mixture

        batches: dict[str, list[Batch]] = {}
        tasks = {task.name: task for task in seqio_mixture(self.mixture).tasks}
        for name in self.mixture.positive_rates():
            task = tasks[name.replace("/", ":")]
            read = functools.partial(self._read, task, split="validation", epochs=1)
            try:
                stream = self._batches(read(seed=HELD_OUT_SEED))
                batches[name] = list(itertools.islice(stream, most))
            except EmptySplitError:
                batches[name] = []  # `train` names the task
        return batches

    def _read(
        self, provider, *, split: str, seed: int, epochs: int | None = None
    ) -> Iterator[Example]:
        """The Examples of a SeqIO task or mixture, without end if `epochs` is None."""
        from ...tasks.seqio_tasks.tasks import to_example
        from ...tasks.seqio_tasks.tf_calls import python_errors

        dataset = provider.get_dataset(
            sequence_length=sequence_length(self.rows),
            split=split,
            seed=seed,
            num_epochs=epochs,
        )
        return map(to_example, python_errors(dataset.as_numpy_iterator()))

    def _batches(self, stream: Iterable[Example]) -> Iterator[Batch]:
        vocab = vocabulary(self.mixture.vocabulary)
        return batches(
            stream,
            self.rows,
            batch_rows=self.batch_rows,
            ids=vocab.special_ids,
            vocabulary_size=vocab.size,
        )
