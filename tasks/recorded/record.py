"""Recording a mixture: all jobs in any order, then the manifest."""

import fcntl
import functools
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ...objectives.errors import UsageError
from ..corpora import EmptySplitError
from ..examples.mixture import split_task
from ..examples.task_windows import too_short
from ..examples.unchanged import require_unchanged
from ..files import write_whole
from .identity import differences
from .manifest import FILE, GroupRows, Manifest, Shard, read_manifest
from .parts import WORK, Made, Maker
from .recipe import Group, Part, Recipe
from .token_cache import TokenRange, forget, ranges

Job = TokenRange | Part

Runner = Callable[
    [Callable[[], Maker], Sequence[Job]], Iterator[tuple[Job, Made | None]]
]
"""Does jobs with what the first argument makes, in any order and anywhere."""

EXAMPLES_A_ROW = 64
"""Bounds the windows of a held-out group by its rows."""


@runtime_checkable
class Progress(Protocol):
    """Shows how far a recording is."""

    def phase(self, name: str, total: int) -> None:
        """A phase of `total` jobs begins, or is longer than was thought."""
        ...

    def done(self, rows: int) -> None:
        """A job is done that made so many rows."""
        ...


def record(recipe: Recipe, folder: Path, *, runner: Runner, show: Progress) -> Manifest:
    """Records a mixture into a folder, or goes on with a recording that was stopped.

    The rows are a function of the recipe: not of the runner, of when it was stopped,
    or of what was there. A shard that is there is trusted if its checksum fits.

    Args:
      recipe: what to record.
      folder: made if missing.
      runner: does the jobs.
      show: progress.

    Raises:
      UsageError: the folder holds something else, or a recording of another recipe;
        or a corpus changes while it is read.
    """
    description = recipe.describe()
    if (finished := _finished(folder, description)) is not None:
        shutil.rmtree(folder / WORK, ignore_errors=True)
        return finished
    work = folder / WORK
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w") as lock:
        _lock(lock.fileno(), folder)
        _claim(work / "recipe.json", description, folder)
        documents = _count_documents(recipe)
        identities = description["identities"]
        require_unchanged(recipe.mixture, identities)
        make = functools.partial(Maker, recipe, folder, documents, identities)
        jobs = [r for (c, s), n in documents.items() for r in ranges(c, s, n)]
        show.phase("tokenising", len(jobs))
        try:
            for _ in runner(make, jobs):
                show.done(0)
            # Arrow files are read where they lie, so what was open may have changed.
            require_unchanged(recipe.mixture, identities)
        except UsageError:
            forget(work)
            raise
        groups = _make_groups(recipe, make, runner, show)
        manifest = Manifest(description, tuple(groups), recipe.gin)
        _remove_others(folder, manifest)
        manifest.write(folder)
        shutil.rmtree(work, ignore_errors=True)
    return manifest


def _make_groups(
    recipe: Recipe, make: Callable[[], Maker], runner: Runner, show: Progress
) -> list[GroupRows]:
    """Makes the parts of all groups, as many as the recipe asks for."""
    maker = make()
    made: dict[str, dict[int, Made]] = {}

    def run(parts: Iterable[Part]) -> None:
        wanted = [p for p in parts if p.number not in made.get(p.group.stem, {})]
        show.phase("making rows", len(wanted))
        for part, result in runner(make, wanted):
            assert isinstance(part, Part) and result is not None
            made.setdefault(part.group.stem, {})[part.number] = result
            show.done(result["rows"])

    training = recipe.training_groups()
    held_out = [g for g in recipe.held_out_groups() if _has_windows(maker, g)]
    for group in training:
        _require_windows(recipe, maker, group)
    first = [_held_out_part(recipe, maker, group) for group in held_out]
    if recipe.row_count is None:
        run([*first, *(p for g in training for p in _passes(recipe, maker, g))])
    else:
        run([*first, *(_part(recipe, group, 0) for group in training)])
        while short := [
            group for group in training if _rows(made[group.stem]) < recipe.row_count
        ]:
            run(p for g in short for p in _estimate(recipe, g, made[g.stem]))
    most = recipe.row_count
    return [_group_rows(g, made[g.stem], most) for g in training] + [
        _group_rows(g, made[g.stem], None) for g in held_out
    ]


def _part(recipe: Recipe, group: Group, number: int, stop: int | None = None) -> Part:
    size = recipe.part_examples
    end = (number + 1) * size if stop is None else min(stop, (number + 1) * size)
    return Part(group, number, number * size, end)


def _passes(recipe: Recipe, maker: Maker, group: Group) -> list[Part]:
    """The parts until the first task of a group has made its passes."""
    total = min(
        int(recipe.passes * maker.windows(task, group).per_epoch / share)
        for task, share in group.shares.items()
    )
    count = -(-total // recipe.part_examples)
    return [_part(recipe, group, number, total) for number in range(count)]


def _estimate(recipe: Recipe, group: Group, made: dict[int, Made]) -> list[Part]:
    """The parts that are likely to give the rows that are asked for."""
    assert recipe.row_count is not None
    a_part = _rows(made) / len(made)
    if a_part == 0:
        raise UsageError(
            f"{group.name} makes no row of {recipe.part_examples:,} windows; give it "
            "other text or settings, or a rate of 0."
        )
    count = max(len(made) + 1, int(-(-recipe.row_count // a_part)))
    return [_part(recipe, group, number) for number in range(count)]


def _held_out_part(recipe: Recipe, maker: Maker, group: Group) -> Part:
    """The only part of a held-out group."""
    (task,) = group.shares
    most = recipe.held_out_rows * EXAMPLES_A_ROW
    stop = min(most, maker.windows(task, group).per_epoch)
    return Part(group, 0, 0, stop, recipe.held_out_rows)


def _has_windows(maker: Maker, group: Group) -> bool:
    (task,) = group.shares
    return maker.windows(task, group).per_epoch > 0


def _require_windows(recipe: Recipe, maker: Maker, group: Group) -> None:
    for task in group.shares:
        if maker.windows(task, group).per_epoch == 0:
            documents = maker.tokens(split_task(task)[0], group.split)
            raise too_short(recipe.objective(task), documents)


def _rows(made: dict[int, Made]) -> int:
    return sum(result["rows"] for result in made.values())


def _group_rows(group: Group, made: dict[int, Made], most: int | None) -> GroupRows:
    """A group of the fewest first parts that hold `most` rows; None: of all parts."""
    parts = [made[number] for number in sorted(made)]
    sums = list(itertools.accumulate(part["rows"] for part in parts))
    if most is not None:
        parts = parts[: 1 + next(n for n, rows in enumerate(sums) if rows >= most)]

    def total(name: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for part in parts:
            for objective, value in part[name].items():
                counts[objective] = counts.get(objective, 0) + value
        return dict(sorted(counts.items()))

    return GroupRows(
        name=group.name,
        split=group.split,
        rows=sum(part["rows"] for part in parts),
        examples=total("examples"),
        processed=total("processed"),
        supervised=total("supervised"),
        without_example=sum(part["without_example"] for part in parts),
        shards=tuple(
            Shard(
                part["file"], part["rows"], part["bytes"], part["sha256"], part["edges"]
            )
            for part in parts
        ),
    )


def _count_documents(recipe: Recipe) -> dict[tuple[str, str], int]:
    """The documents of each split; prepares corpora that are not prepared yet."""
    counts: dict[tuple[str, str], int] = {}
    for name in dict.fromkeys(split_task(t)[0] for t in recipe.mixture.task_shares()):
        corpus = recipe.mixture.corpus(name)
        counts[name, "train"] = len(corpus.documents("train"))
        try:
            counts[name, "validation"] = len(corpus.documents("validation"))
        except EmptySplitError:
            counts[name, "validation"] = 0
    return counts


def _finished(folder: Path, description: dict[str, Any]) -> Manifest | None:
    """The recording that is there, if it is finished and of the same recipe."""
    if not (folder / FILE).exists():
        strangers = folder.is_dir() and not (folder / WORK).is_dir()
        if strangers and any(folder.iterdir()):
            raise UsageError(
                f"--out: {folder} is not empty and holds no recording; give a new or "
                "an empty folder."
            )
        return None
    manifest = read_manifest(folder)
    _require_same(manifest.recipe, description, folder, "holds")
    return manifest


def _claim(path: Path, description: dict[str, Any], folder: Path) -> None:
    """Notes the recipe of a recording that begins, or compares it."""
    if not path.exists():
        return write_whole(path, json.dumps(description))
    before = json.loads(path.read_bytes())
    _require_same(before, description, folder, "holds the beginning of")


def _require_same(before: Any, now: Any, folder: Path, holds: str) -> None:
    found = differences(before, now)
    if found:
        lines = "\n".join(found)
        raise UsageError(
            f"--out: {folder} {holds} a recording of another config:\n{lines}\n"
            "Give another --out, or the config of that recording."
        )


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UsageError(
            f"another process is recording into {folder}; wait for it, or stop it."
        ) from error


def _remove_others(folder: Path, manifest: Manifest) -> None:
    """Removes shards that were made ahead and are not needed."""
    ours = {shard.name for group in manifest.groups for shard in group.shards}
    for path in folder.glob("*.array_record"):
        if path.name not in ours:
            os.unlink(path)
