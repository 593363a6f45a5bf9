"""What a study measured of each mix, seed and budget; one file a run."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...tasks.files import write_whole
from ..scores.score import Score


class Record(NamedTuple):
    """One measurement.

    Attributes:
      mix: name of the mixture.
      seed: of parameters and data.
      tokens: processed so far: filled slots, in every stream.
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
    """Writes the records of a run, all or nothing."""
    plain = [
        record._asdict() | {"scores": [score._asdict() for score in record.scores]}
        for record in records
    ]
    write_whole(path, json.dumps(plain, ensure_ascii=False) + "\n")


def read(path: Path) -> list[Record]:
    """Reads what `write` wrote."""
    return [_record(plain) for plain in json.loads(path.read_text(encoding="utf-8"))]


def read_all(folder: Path) -> list[Record]:
    """The records of every run in a folder, by the names of their files."""
    return [record for path in sorted(folder.glob("*.json")) for record in read(path)]


def _record(plain: dict[str, Any]) -> Record:
    scores = tuple(Score(**score) for score in plain.pop("scores"))
    left_out = tuple(plain.pop("left_out", ()))
    return Record(**plain, scores=scores, left_out=left_out)
