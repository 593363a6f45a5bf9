"""The streams of a run on recorded rows, served by Grain; no TensorFlow.

Row b of batch s is row n = s · B + b of the run, whatever the number of hosts, of
workers, and where the run was resumed.
"""

import dataclasses
import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import grain
import jax
import numpy as np

from ...models.rows import Batch, RowShape
from ...objectives.errors import UsageError
from ...tasks.examples.mixture import Mixture
from ...tasks.recorded.identity import differences
from ...tasks.recorded.manifest import GroupRows, Manifest
from ...tasks.recorded.order import RowOrder, row_shares
from ...tasks.recorded.recipe import (
    describe_corpora,
    describe_tasks,
    with_later_settings,
)
from ...tasks.recorded.serve import Recording
from ...tasks.recorded.serving import groups_of
from ...tasks.tokens.vocabulary import vocabulary

Position = dict[str, Any]
"""Where a stream is, as plain JSON."""

STEPS = 2**40
"""Batches of the stream: more than any run takes."""

THREADS = 1
"""That read batches. A second one costs more by the interpreter's lock than it reads
from a warm disk."""

AHEAD = 8
"""Batches read in advance."""


@dataclasses.dataclass(frozen=True)
class RecordedData:
    """Where the batches of a run on recorded rows come from.

    Attributes:
      folder: of the recording.
      phases: from the first step of each phase, 0 among them, to its mixture.
      rows: capacities of a row.
      batch_rows: B, over all hosts.
      rows_here: the rows [start, stop) of each batch that this process loads; None
        for all.

    Raises:
      UsageError: the recording is damaged, of other rows, or of another mixture.
    """

    folder: Path
    phases: Mapping[int, Mixture]
    rows: RowShape
    batch_rows: int
    rows_here: tuple[int, int] | None = None

    def __post_init__(self):
        manifest = self._recording.manifest
        if manifest.row_format.shape != self.rows:
            raise UsageError(
                f"{self.folder} has rows of {manifest.row_format.shape}, and the run "
                f"asks for {self.rows}; bind the rows that were recorded, or record "
                "again."
            )
        for mixture in self.phases.values():
            _require_recorded(self.folder, manifest, mixture)
        self._order(0)

    def identities(self) -> dict[str, str]:
        """The vocabulary, the corpora and the recording, by content."""
        manifest = self._recording.manifest
        return {
            "vocabulary sha256": manifest.recipe["vocabulary"]["sha256"],
            **manifest.recipe["identities"],
            "recording": manifest.identity,
        }

    def training(
        self, *, seed: int, position: Position | None
    ) -> Iterator[tuple[Batch, Position]]:
        """Training batches without end, each with the position before it.

        Started again at a position, in constant time, the stream gives that batch
        again first, bit for bit.

        Args:
          seed: of the order of rows.
          position: of the first batch; None for the run's first.

        Raises:
          UsageError: a position in another recording.
        """
        first = 0 if position is None else self._step(position)
        order = self._order(seed)
        batches = _Batches(self._recording, self._groups, order, self._local)
        stream = grain.MapDataset.source(batches)[first:].to_iter_dataset(
            grain.ReadOptions(num_threads=THREADS, prefetch_buffer_size=AHEAD)
        )
        identity = self._recording.manifest.identity
        for step, batch in enumerate(stream, first):
            yield batch, {"step": step, "recording": identity}

    def own(self, positions: Sequence[Position]) -> Position:
        """The position of all hosts."""
        return positions[0]

    def held_out(self, *, most: int) -> dict[str, list[Batch]]:
        """Whole validation batches of each task, the same on all hosts.

        The last of a task is padded with empty rows. A task without held-out rows has
        no batches.

        Args:
          most: batches of a task.
        """
        groups = {g.name: g for g in self._recording.manifest.of_split("validation")}
        tasks = {task for m in self.phases.values() for task in m.positive_rates()}
        return {
            task: self._held_out(groups[task], most) if task in groups else []
            for task in sorted(tasks)
        }

    def close(self) -> None:
        """Closes the recording's files."""
        self._recording.close()

    @functools.cached_property
    def _recording(self) -> Recording:
        return Recording(self.folder)

    @property
    def _local(self) -> "_Local":
        start, stop = self.rows_here or (0, self.batch_rows)
        return _Local(self.batch_rows, start, stop)

    @functools.cached_property
    def _groups(self) -> list[GroupRows]:
        """The groups that are served: the mixed one, or that of each mixed task."""
        training = self._recording.manifest.of_split("train")
        if self._recording.manifest.recipe["layout"] == "mixed":
            return training
        tasks = {task for m in self.phases.values() for task in m.positive_rates()}
        groups_of(self._recording, dict.fromkeys(tasks, 1.0))
        return [group for group in training if group.name in tasks]

    def _order(self, seed: int) -> RowOrder:
        groups = self._groups
        return RowOrder(
            {
                step * self.batch_rows: self._shares(mixture)
                for step, mixture in self.phases.items()
            },
            [group.rows for group in groups],
            seed=seed,
            names=[group.name for group in groups],
        )

    def _shares(self, mixture: Mixture) -> list[float]:
        """Each group's share of the rows in a phase."""
        if self._recording.manifest.recipe["layout"] == "mixed":
            return [1.0]
        found = {group.name: group.examples_a_row for group in self._groups}
        rates = mixture.positive_rates()
        shares = row_shares(rates, {task: found[task] for task in rates})
        return [shares.get(group.name, 0.0) for group in self._groups]

    def _step(self, position: Position) -> int:
        identity = self._recording.manifest.identity
        if position.get("recording") != identity:
            raise UsageError(
                f"the run was trained on the recording {position.get('recording')}, "
                f"and {self.folder} is {identity}: resume it with its own recording "
                "or a copy of it, or start a new --run_dir."
            )
        return int(position["step"])

    def _held_out(self, group: GroupRows, most: int) -> list[Batch]:
        size = self.batch_rows
        count = min(most, -(-group.rows // size))
        chosen = [
            range(n * size, min(group.rows, (n + 1) * size)) for n in range(count)
        ]
        return [
            _padded(self._recording.rows(group, numbers), size) for numbers in chosen
        ]


@dataclasses.dataclass(frozen=True)
class _Local:
    """The rows [start, stop) of each batch of `batch_rows`."""

    batch_rows: int
    start: int
    stop: int


class _Batches:
    """The batches of a run by random access, for Grain."""

    def __init__(
        self,
        recording: Recording,
        groups: list[GroupRows],
        order: RowOrder,
        local: _Local,
    ):
        self._recording, self._groups = recording, groups
        self._order, self._local = order, local

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, index: Any) -> Batch:
        first = int(index) * self._local.batch_rows
        places = self._order.places(first + self._local.start, first + self._local.stop)
        return self._recording.batch(self._groups, places)

    def __repr__(self) -> str:
        return f"rows of {os.fspath(self._recording.folder)}"


def _require_recorded(folder: Path, manifest: Manifest, mixture: Mixture) -> None:
    """Refuses a mixture whose Examples were not recorded."""
    recipe = manifest.recipe
    digest = vocabulary(mixture.vocabulary).digest
    recorded = recipe["vocabulary"]["sha256"]
    if digest != recorded:
        raise UsageError(
            f"{folder} was recorded with another vocabulary than "
            f"{mixture.vocabulary!r}: sha256 {recorded}, and not {digest}. Set "
            "Mixture.vocabulary to the one that was recorded, or record again."
        )
    tasks, now = with_later_settings(recipe["tasks"]), describe_tasks(mixture)
    corpora, corpora_now = dict(recipe["corpora"]), describe_corpora(mixture)
    if recipe["layout"] == "per_objective":
        # Rates are the run's own, and what is not mixed does not matter.
        tasks = {t: {"settings": tasks[t]["settings"]} for t in tasks if t in now}
        now = {task: {"settings": now[task]["settings"]} for task in now}
        corpora = {c: corpora[c] for c in corpora if c in corpora_now}
    found = differences(tasks, now, "tasks")
    found += differences(corpora, corpora_now, "corpora")
    if found:
        lines = "\n".join(f"recorded {line}" for line in found)
        hint = (
            "Bind what was recorded, or record again"
            if recipe["layout"] == "per_objective"
            else "Bind what was recorded, or record again; with --layout=per_objective "
            "rates can be changed without recording again"
        )
        raise UsageError(
            f"{folder} is a recording of another mixture:\n{lines}\n{hint}."
        )


def _padded(batch: Batch, rows: int) -> Batch:
    """The batch with empty rows after its own."""
    missing = rows - batch.decoder.tokens.shape[0]
    return jax.tree.map(lambda a: np.pad(a, ((0, missing), (0, 0))), batch)
