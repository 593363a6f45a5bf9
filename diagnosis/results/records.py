"""The measurements of a study for each mix, seed and budget; one file a run."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from ..scores.score import Score
from . import json_file


class Record(NamedTuple):
    """One measurement.

    Attributes:
      mix: name of the mixture.
      seed: of parameters and data.
      tokens: processed so far: filled slots in all streams.
      losses: held-out loss of each objective of the incumbent, in nats.
      scores: of the probes.
      left_out: a sentence for each probe that could not be run.
    """

    mix: str
    seed: int
    tokens: int
    losses: Mapping[str, float]
    scores: tuple[Score, ...]
    left_out: tuple[str, ...] = ()


def write(path: Path, records: Iterable[Record]) -> None:
    """Writes the records of a run atomically."""
    json_file.write(path, list(records))


def read(path: Path) -> list[Record]:
    """Reads what `write` wrote; raises as `json_file.read` does."""
    return json_file.read(path, list[Record])


def read_all(folder: Path) -> list[Record]:
    """The records of every run in a folder, by the names of their files."""
    return [record for path in sorted(folder.glob("*.json")) for record in read(path)]
