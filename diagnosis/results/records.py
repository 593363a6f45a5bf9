"""The measurements of a study for each mix, seed and budget; one file a run."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..probes.published.published_test import PublishedScore
from ..scores.score import Score
from . import json_file


class TaskLoss(NamedTuple):
    """What a run has learned of an objective: mean losses in nats.

    Attributes:
      held_out: on validation text.
      training: on training text; NaN if not measured.
      unigram: of a model that knows how often each token is a held-out target, and
        nothing else.
    """

    held_out: float
    training: float
    unigram: float


class Record(NamedTuple):
    """One measurement.

    Attributes:
      mix: name of the arm: a mixture, trained in one way.
      seed: of parameters and data.
      tokens: processed so far: filled slots in all streams.
      point: tokens at which it was to be measured: the end of the next batch.
      plan: digest of what was measured, and how.
      losses: held-out loss of each objective of the incumbent, in nats.
      learned: losses of each objective that the arm is trained on.
      scores: of the probes.
      left_out: a sentence for each probe that could not be run.
      published: scores on published tests.
    """

    mix: str
    seed: int
    tokens: int
    losses: Mapping[str, float]
    scores: tuple[Score, ...]
    left_out: tuple[str, ...] = ()
    point: int = 0
    plan: str = ""
    learned: Mapping[str, TaskLoss] = {}
    published: tuple[PublishedScore, ...] = ()


def write(path: Path, records: Iterable[Record]) -> None:
    """Writes the records of a run atomically."""
    json_file.write(path, list(records))


def read(path: Path) -> list[Record]:
    """Reads what `write` wrote; raises as `json_file.read` does."""
    return json_file.read(path, list[Record])


def read_all(folder: Path) -> list[Record]:
    """The records of every run in a folder, by the names of their files."""
    return [record for path in sorted(folder.glob("*.json")) for record in read(path)]
