"""Verifying all that a recording says of itself."""

from collections.abc import Callable
from pathlib import Path

from ...objectives.errors import UsageError
from ..files import sha256_of
from ..shares.counts import Counts, add, count, zero_counts
from .manifest import GroupRows, by_objective, damaged
from .serve import Recording

_ROWS = 256
"""Rows that are read at a time."""


def check(folder: Path, *, checked: Callable[[int], None]) -> Recording:
    """Reads every byte and row of a recording and compares it with the manifest.

    Args:
      folder: of the recording.
      checked: called with the bytes of each shard that is checked.

    Returns:
      The recording, sound.

    Raises:
      UsageError: the first damage: a shard that is missing, surplus, of another size,
        checksum or number of rows; an id outside the vocabulary; counts that the rows
        do not have.
    """
    recording = Recording(folder)
    groups = recording.manifest.groups
    listed = {shard.name for group in groups for shard in group.shards}
    for path in sorted(folder.glob("*.array_record")):
        if path.name not in listed:
            raise UsageError(
                f"{path} is no part of the recording: the manifest does not list it. "
                "Move it away, or copy the recording again."
            )
    for group in groups:
        counts = zero_counts()
        first = 0
        for shard in group.shards:
            path = folder / shard.name
            if sha256_of(path) != shard.sha256:
                raise damaged(path, "its sha256 is not that of the manifest")
            for at in range(0, shard.rows, _ROWS):
                rows = range(first + at, first + min(at + _ROWS, shard.rows))
                counts = add(counts, count(recording.rows(group, rows)))
            first += shard.rows
            checked(shard.bytes)
        _check_counts(folder, group, counts)
    return recording


def _check_counts(folder: Path, group: GroupRows, counts: Counts) -> None:
    for name, values in counts._asdict().items():
        said, found = dict(getattr(group, name)), by_objective(values)
        if said != found:
            raise damaged(
                folder,
                f"the rows of {group.split} {group.name} have {name} {found}, but its "
                f"manifest says {said}",
            )
