"""What a recording is made from: it determines every row."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ...models.rows import RowShape
from ...objectives.errors import UsageError
from ...objectives.registry import Objective, get
from ..corpora import FOLDERS
from ..examples.mixture import Mixture, split_task
from ..rows.layout import budget
from ..tokens.vocabulary import vocabulary
from .identity import Layout
from .manifest import STEM
from .row_format import RowFormat

HELD_OUT_SEED = 0
"""Held-out rows are the same in every recording of a mixture, whatever its seed."""

MIXED = "mixed"
"""Name of the group of a whole mixture."""


class Group(NamedTuple):
    """Rows that belong together.

    Attributes:
      name: of its task, or `mixed`.
      split: of the corpora.
      shares: each task's share of the Examples; they sum to 1.
      seed: of the order of windows and of every Example.
    """

    name: str
    split: str
    shares: Mapping[str, float]
    seed: int

    @property
    def stem(self) -> str:
        """How the names of its files begin."""
        return f"{self.split}-{self.name.replace('/', ':')}"


class Part(NamedTuple):
    """A part of a group, made independently of all others: one shard.

    Attributes:
      group: of the part.
      number: in the group, from 0.
      start: first Example of the group that belongs to it.
      stop: the Example after its last.
      most_rows: after which the part ends early; None for no limit.
    """

    group: Group
    number: int
    start: int
    stop: int
    most_rows: int | None = None

    @property
    def file(self) -> str:
        """The name of its shard."""
        return f"{self.group.stem}-{self.number:05d}.array_record"

    def __str__(self) -> str:
        return f"part {self.number} of {self.group.split} {self.group.name}"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a recording is made from.

    Attributes:
      mixture: of the Examples.
      rows: capacities of a row.
      seed: of the orders of windows and of every Example.
      layout: `mixed` or `per_objective`.
      row_count: rows of each training group, at least; None: by `passes`.
      passes: over the corpus; of a mixture until its first task has made them.
      part_examples: Examples of a part.
      held_out_rows: most rows of each task's held-out group.
      gin: text of the mixture's configuration, for the reader.

    Raises:
      UsageError: a task's name makes no name of a shard.
    """

    mixture: Mixture
    rows: RowShape
    _: dataclasses.KW_ONLY
    seed: int
    layout: Layout = "mixed"
    row_count: int | None = None
    passes: int = 1
    part_examples: int = 8192
    held_out_rows: int = 512
    gin: str = ""

    def __post_init__(self):
        for group in (*self.training_groups(), *self.held_out_groups()):
            if not STEM.fullmatch(group.stem):
                raise UsageError(
                    f"the task {group.name!r} cannot be recorded: its files would "
                    f"begin with {group.stem!r}, which may have up to 200 of A-Z, a-z, "
                    "0-9, '_', '.', ':' and '-'. Give its variant another name."
                )

    def training_groups(self) -> list[Group]:
        """The training groups of the layout."""
        # Sorted: rates that are written in another order are the same recipe.
        shares = dict(sorted(self.mixture.task_shares().items()))
        if self.layout == "mixed":
            return [Group(MIXED, "train", shares, self.seed)]
        return [Group(task, "train", {task: 1.0}, self.seed) for task in shares]

    def held_out_groups(self) -> list[Group]:
        """A held-out group for each task."""
        tasks = sorted(self.mixture.task_shares())
        return [Group(t, "validation", {t: 1.0}, HELD_OUT_SEED) for t in tasks]

    def objective(self, task: str) -> Objective:
        """The objective of a task, with its settings."""
        return self.mixture.objective(split_task(task)[1])

    def window(self, task: str) -> int:
        """Most tokens in a window of a task."""
        return self.objective(task).window(budget(self.rows))

    def row_format(self) -> RowFormat:
        """How its rows are written."""
        widest = max(map(self.window, self.mixture.task_shares()))
        slots = self.rows.decoder.slots
        slots += self.rows.encoder.slots if self.rows.encoder else 0
        # Separators and other texts of an Example stand at positions of their own.
        most_position = widest + slots
        size = vocabulary(self.mixture.vocabulary).size
        return RowFormat(self.rows, size, most_position)

    def describe(self) -> dict[str, Any]:
        """Everything that determines the rows, as plain JSON without paths or times."""
        vocab = vocabulary(self.mixture.vocabulary)
        return {
            "layout": self.layout,
            "seed": self.seed,
            "row_count": self.row_count,
            "passes": None if self.row_count else self.passes,
            "part_examples": self.part_examples,
            "held_out_rows": self.held_out_rows,
            "rows": {
                "decoder": list(self.rows.decoder),
                "encoder": list(self.rows.encoder) if self.rows.encoder else None,
            },
            "most_position": self.row_format().most_position,
            "vocabulary": {"size": vocab.size, "sha256": vocab.digest},
            "tasks": describe_tasks(self.mixture),
            "corpora": describe_corpora(self.mixture),
            "identities": {
                name: identity
                for name, identity in self.mixture.identities().items()
                if name.startswith("corpus ")
            },
        }


def describe_tasks(mixture: Mixture) -> dict[str, Any]:
    """Each task's share of the Examples and its settings, as plain JSON."""
    tasks = {
        task: {
            "share": share,
            "settings": dict(mixture.objective(split_task(task)[1]).settings),
        }
        for task, share in sorted(mixture.task_shares().items())
    }
    return json.loads(json.dumps(tasks))


def with_later_settings(tasks: Mapping[str, Any]) -> dict[str, Any]:
    """What `describe_tasks` wrote, with settings that objectives have got since.

    A setting is added with a default that makes the Examples as they were before.
    """
    found = {}
    for task, described in tasks.items():
        defaults = json.loads(json.dumps(dict(get(split_task(task)[1]).settings)))
        found[task] = {**described, "settings": defaults | described["settings"]}
    return found


def describe_corpora(mixture: Mixture) -> dict[str, Any]:
    """The settings of each corpus as plain JSON, without those that are paths."""
    corpora = mixture.corpus_names()
    settings = {name: _settings(mixture.corpus(name)) for name in corpora}
    return json.loads(json.dumps(settings))


def _settings(corpus: Any) -> dict[str, Any]:
    fields = [field.name for field in dataclasses.fields(corpus)]
    return {name: getattr(corpus, name) for name in fields if name not in FOLDERS}
