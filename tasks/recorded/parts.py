"""Making the parts of a recording: from windows to shards, each written whole."""

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from array_record.python.array_record_module import ArrayRecordWriter

from ...models.rows import Batch
from ...objectives.example import Example
from ..examples.mixture import split_task
from ..examples.unchanged import require_unchanged
from ..files import sha256_of, sha256_of_edges, write_whole
from ..rows.layout import Placed, lay_out
from ..rows.packing import collate, first_fit
from ..shares.counts import add, count, zero_counts
from ..tokens.vocabulary import vocabulary
from .examples_of_part import CHUNK, PartExamples
from .manifest import by_objective
from .recipe import Group, Part, Recipe
from .row_format import encode
from .token_cache import CachedTokens, TokenRange, write_range
from .window_order import WindowOrder

WORK = ".work"
"""Folder of what is not finished, inside that of the recording."""

OPTIONS = "group_size:1,snappy"
"""One record a chunk, for random access. Snappy makes rows a fifth of their size and
costs no reading time; zstd makes them a seventh, for a tenth more of it."""

_ROWS = 64
"""Rows that are encoded at a time."""

Made = dict[str, Any]
"""What a sidecar says: `file`, `rows`, `bytes`, `sha256`, `edges`, and counts."""


class Maker:
    """Does the jobs of a recording, in any process and any order.

    Args:
      recipe: of the recording.
      folder: of the recording.
      documents: in each split of each corpus, by (corpus, split).
      identities: of the corpora, as the recipe describes them.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        documents: Mapping[tuple[str, str], int],
        identities: Mapping[str, str],
    ):
        self._identities = identities
        self._recipe, self._folder, self._counts = recipe, folder, documents
        self._vocabulary = vocabulary(recipe.mixture.vocabulary)
        self._format = recipe.row_format()
        self._texts: dict[tuple[str, str], Any] = {}
        self._tokens: dict[tuple[str, str], CachedTokens] = {}
        self._windows: dict[tuple[str, str, int], WindowOrder] = {}

    def __call__(self, job: TokenRange | Part) -> Made | None:
        """Tokenises a range, or makes a part unless its shard is there and sound."""
        if isinstance(job, TokenRange):
            return write_range(
                self._folder / WORK,
                job,
                mixture=self._recipe.mixture,
                open_documents=self._open_documents,
            )
        return sound_shard(self._folder, job) or self._make(job)

    def made(self, job: TokenRange | Part) -> Made | None:
        """What a job made, once it is done, from its sidecar alone."""
        if isinstance(job, TokenRange):
            return None
        return json.loads(_sidecar(self._folder, job).read_bytes())

    def windows(self, task: str, group: Group) -> WindowOrder:
        """The windows of a task of a group."""
        key = task, group.split, group.seed
        if key not in self._windows:
            objective = self._recipe.objective(task)
            self._windows[key] = WindowOrder(
                task,
                self.tokens(split_task(task)[0], group.split).lengths,
                window=self._recipe.window(task),
                smallest=objective.smallest(),
                seed=group.seed,
            )
        return self._windows[key]

    def tokens(self, corpus: str, split: str) -> CachedTokens:
        """The tokens of a split, once all its ranges are written."""
        key = corpus, split
        if key not in self._tokens:
            self._tokens[key] = CachedTokens(
                self._folder / WORK,
                self._recipe.mixture.corpus(corpus),
                split=split,
                documents=self._counts[key],
            )
        return self._tokens[key]

    def _open_documents(self, corpus: str, split: str) -> Any:
        key = corpus, split
        if key not in self._texts:
            self._texts[key] = self._recipe.mixture.corpus(corpus).documents(split)
            require_unchanged(self._recipe.mixture, self._identities)
        return self._texts[key]

    def _make(self, part: Part) -> Made:
        tasks = part.group.shares
        examples = PartExamples(
            part,
            objectives={task: self._recipe.objective(task) for task in tasks},
            windows={task: self.windows(task, part.group) for task in tasks},
            documents={
                task: self.tokens(split_task(task)[0], part.group.split)
                for task in tasks
            },
            ids=self._vocabulary.special_ids,
        )
        shape = self._recipe.rows
        placed = self._placed(iter(examples))
        rows = itertools.islice(first_fit(placed, shape), part.most_rows)
        work = self._folder / WORK
        temporary = work / f"{part.file}.{os.getpid()}"
        counts, total = zero_counts(), 0
        writer = ArrayRecordWriter(os.fspath(temporary), OPTIONS)
        try:
            for batch in self._batches(rows):
                counts = add(counts, count(batch))
                for record in encode(batch, self._format):
                    writer.write(record)
                    total += 1
        finally:
            writer.close()
        made = _finish(temporary, self._folder / part.file) | {
            "rows": total,
            "without_example": examples.without_example,
            **{name: by_objective(values) for name, values in counts._asdict().items()},
        }
        write_whole(_sidecar(self._folder, part), json.dumps(made))
        return made

    def _placed(self, examples: Iterator[Example]) -> Iterator[Placed]:
        bos = self._vocabulary.special_ids.bos
        while some := list(itertools.islice(examples, CHUNK)):
            yield from lay_out(some, self._recipe.rows, bos=bos).placed()

    def _batches(self, rows: Iterator[list[Placed]]) -> Iterator[Batch]:
        while some := list(itertools.islice(rows, _ROWS)):
            yield collate(some, self._recipe.rows)


def sound_shard(folder: Path, part: Part) -> Made | None:
    """What the sidecar of a part says, if the shard is there and as it says."""
    shard = folder / part.file
    try:
        made = json.loads(_sidecar(folder, part).read_bytes())
        # One that an earlier version made, without edges, is made again.
        whole = shard.stat().st_size == made["bytes"] and "edges" in made
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return made if whole and sha256_of(shard) == made["sha256"] else None


def _sidecar(folder: Path, part: Part) -> Path:
    return folder / WORK / f"{part.file}.json"


def _finish(temporary: Path, final: Path) -> Made:
    """Moves a written file into place, on disk to its last byte."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    made = {
        "bytes": temporary.stat().st_size,
        "sha256": sha256_of(temporary),
        "edges": sha256_of_edges(temporary),
    }
    os.replace(temporary, final)
    return made | {"file": final.name}
