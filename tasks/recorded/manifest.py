"""The manifest of a recording: what it holds, and by which checksums.

A manifest is untrusted input: everything that is read from it is checked here, so that
a file name cannot lead out of the folder and a count cannot be absurd.
"""

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64

from ...models.rows import Capacity, RowShape
from ...objectives.errors import UsageError
from ...objectives.registry import objectives
from ..files import write_whole
from .identity import LAYOUTS, digest_of
from .row_format import RowFormat

FILE = "manifest.json"
VERSION = 1
"""Of the manifest and of the rows; a reader refuses all others."""

MOST_BYTES = 2**28
"""Of a manifest: a million shards."""

STEM = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
"""How the name of a shard may begin, before the number of its part."""

_SHARD = re.compile(STEM.pattern + r"-[0-9]{5,}\.array_record")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Shard(NamedTuple):
    """One file of rows.

    Attributes:
      name: of the file.
      rows: in it.
      bytes: of it.
      sha256: of all of it.
      edges: `sha256_of_edges`; None in recordings of earlier versions. It follows from
        the content, so it is no part of the recording's identity.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    edges: str | None


@dataclasses.dataclass(frozen=True)
class GroupRows:
    """The rows of a group.

    Attributes:
      name: of its task, or `mixed`.
      split: of the corpora.
      rows: in all shards.
      examples: by objective.
      processed: filled slots by objective.
      supervised: predictions by objective.
      without_example: windows of which the objective made no Example.
      shards: its files, in order.
    """

    name: str
    split: str
    rows: int
    examples: Mapping[str, int]
    processed: Mapping[str, int]
    supervised: Mapping[str, int]
    without_example: int
    shards: tuple[Shard, ...]

    @property
    def examples_a_row(self) -> float:
        """Mean number of Examples of a row."""
        return sum(self.examples.values()) / max(1, self.rows)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a recording holds.

    Attributes:
      recipe: all that determines the rows (`Recipe.describe`).
      groups: training groups, then held-out ones.
      gin: the mixture's configuration, for the reader.
    """

    recipe: Mapping[str, Any]
    groups: tuple[GroupRows, ...]
    gin: str

    @property
    def identity(self) -> str:
        """Digest of the content; the same for every copy of the recording."""
        return digest_of(self._content())

    @property
    def row_format(self) -> RowFormat:
        """How the rows are written."""
        rows = self.recipe["rows"]
        shape = RowShape(
            Capacity(*rows["decoder"]),
            Capacity(*rows["encoder"]) if rows["encoder"] else None,
        )
        size = self.recipe["vocabulary"]["size"]
        return RowFormat(shape, size, self.recipe["most_position"])

    def of_split(self, split: str) -> list[GroupRows]:
        """The groups of a split."""
        return [group for group in self.groups if group.split == split]

    def write(self, folder: Path) -> None:
        """Writes the manifest, whole."""
        body = self._content() | {"gin": self.gin, "identity": self.identity}
        body["edges"] = {s.name: s.edges for group in self.groups for s in group.shards}
        body["digest"] = digest_of(body)
        write_whole(folder / FILE, json.dumps(body, indent=1) + "\n")

    def _content(self) -> dict[str, Any]:
        return {
            "format": VERSION,
            "recipe": dict(self.recipe),
            "schema": [list(field) for field in self.row_format.fields()],
            "groups": [_group_json(group) for group in self.groups],
        }


def read_manifest(folder: Path) -> Manifest:
    """Reads and checks the manifest of a recording.

    Raises:
      UsageError: there is none, it is damaged, or of another version.
    """
    path = folder / FILE
    body = _read_json(path, folder)
    if not isinstance(body, dict):
        raise damaged(path, "it is no JSON object")
    if body.get("format") != VERSION:
        raise UsageError(
            f"{path} is of format {body.get('format')!r}; this version of Sightline "
            f"reads format {VERSION}. Record again, or use the version that recorded "
            "it."
        )
    digest = body.pop("digest", None)
    if digest != digest_of(body):
        raise damaged(path, "its digest does not fit its content")
    try:
        edges = body.get("edges")
        groups = tuple(_group(group, edges) for group in body["groups"])
        manifest = Manifest(_recipe(body["recipe"]), groups, str(body["gin"]))
        if body["schema"] != [list(field) for field in manifest.row_format.fields()]:
            raise damaged(path, "its schema is not the one of its rows")
        if body["identity"] != manifest.identity:
            raise damaged(path, "its identity does not fit its content")
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration) as error:
        if isinstance(error, UsageError):
            raise
        raise damaged(path, f"{type(error).__name__}: {error}") from error
    names = [shard.name for group in groups for shard in group.shards]
    if len(set(names)) != len(names):
        raise damaged(path, "it names a shard twice")
    return manifest


def by_objective(values: Int64[np.ndarray, " O"]) -> dict[str, int]:
    """Counts by the names of objectives, without zeros."""
    names = {objective.id: name for name, objective in objectives().items()}
    return {names[int(id_)]: int(values[id_]) for id_ in np.flatnonzero(values)}


def damaged(path: Path, why: str) -> UsageError:
    """The error that a file of a recording is damaged."""
    return UsageError(
        f"{path} is damaged: {why}. Copy the recording again, or record it anew."
    )


def _read_json(path: Path, folder: Path) -> Any:
    if not path.is_file() or path.is_symlink():
        work = (folder / ".work").is_dir()
        hint = (
            "a recording was begun there and not finished; run the same `sightline "
            "record` again to go on with it"
            if work
            else "give the folder that `sightline record --out` wrote"
        )
        raise UsageError(f"{folder} holds no recording: it has no {FILE}; {hint}.")
    if path.stat().st_size > MOST_BYTES:
        raise damaged(path, f"it has more than {MOST_BYTES:,} bytes")
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is no JSON") from error


def _group_json(group: GroupRows) -> dict[str, Any]:
    named = [shard._asdict() for shard in group.shards]
    for shard in named:
        del shard["edges"]
    return dataclasses.asdict(group) | {"shards": named}


def _group(body: Any, edges: Any) -> GroupRows:
    shards = tuple(_shard(shard, edges) for shard in body["shards"])
    counts = {
        name: {str(key): _count(value) for key, value in body[name].items()}
        for name in ("examples", "processed", "supervised")
    }
    group = GroupRows(
        name=_text(body["name"]),
        split=_text(body["split"]),
        rows=_count(body["rows"]),
        without_example=_count(body["without_example"]),
        shards=shards,
        **counts,
    )
    if group.rows != sum(shard.rows for shard in shards):
        raise ValueError(f"{group.name} has other rows than its shards")
    return group


def _shard(body: Any, edges: Any) -> Shard:
    name = _text(body["name"])
    if not _SHARD.fullmatch(name) or name.startswith("."):
        raise ValueError(f"{name[:80]!r} is no name of a shard")
    return Shard(
        name,
        _count(body["rows"]),
        _count(body["bytes"]),
        _sha256(body["sha256"]),
        None if edges is None else _sha256(edges[name]),
    )


def _recipe(recipe: Any) -> dict[str, Any]:
    """The recipe, with what is read from it checked."""
    if recipe["layout"] not in LAYOUTS:
        raise ValueError(f"no layout {recipe['layout']!r}")
    _count(recipe["seed"])
    _count(recipe["most_position"], most=2**31 - 1)
    _count(recipe["vocabulary"]["size"], least=1, most=2**31 - 1)
    for capacity in (recipe["rows"]["decoder"], recipe["rows"]["encoder"] or [1, 1]):
        slots, predictions = capacity
        _count(predictions, least=1, most=_count(slots, least=1, most=2**24))
    for task in recipe["tasks"].values():
        if not 0 < task["share"] <= 1:
            raise ValueError(f"a share of {task['share']}")
    return recipe


def _count(value: Any, *, least: int = 0, most: int = 2**62) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{value!r} is no count")
    return value


def _sha256(value: Any) -> str:
    if not _SHA256.fullmatch(_text(value)):
        raise ValueError(f"{value[:80]!r} is no sha256")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
