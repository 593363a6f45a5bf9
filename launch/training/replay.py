"""Computes one step of a run again, to tell a fault of the machine from the run's own.

Training is deterministic (on GPUs with `train.deterministic`): the same state and rows
give the same bits on the same kind and number of devices. A step that comes out
otherwise was computed wrongly, then or now.
"""

import contextlib
import functools
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32
from rich.progress import track
from rich.table import Table

from ...models.rows import Batch
from ...objectives.errors import UsageError
from ..runs.changes import read_changes
from ..runs.past_config import check_same_step
from ..runs.run_identity import RunIdentity, written_origin
from ..runs.trace import Step, traced_step
from ..runs.verified import data_at, restore_before
from .batch_identity import check_same_batch
from .data import DataPlace, Position, Source, place_of_all
from .origin import open_run
from .phases import loss_shares_by_update
from .program import Program, program_of
from .rollback import newest_to
from .sources import open_source
from .state import TrainState
from .step import step_of


class Replay(NamedTuple):
    """A step of a run, and the same computed twice from the same state and rows.

    Attributes:
      step: its number.
      start: the step of the checkpoint from which it was reached; 0 is initialisation.
      recorded: what the run computed.
      again: what was computed now.
      once_more: the same from the same state, a second time.
    """

    step: int
    start: int
    recorded: Step
    again: Step
    once_more: Step

    @property
    def bit_equal(self) -> bool:
        """Whether all three are the same."""
        return _same(self.recorded, self.again) and _same(self.again, self.once_more)

    @property
    def verdict(self) -> str:
        """One sentence for the user."""
        if self.bit_equal:
            return "bit-equal: the run computed this step as it is computed now."
        if not _same(self.again, self.once_more):
            return (
                "not reproducible here: the same state and rows gave two results just "
                "now, so this machine miscomputes, or kernels are not deterministic "
                "(on GPUs set train.deterministic = True)."
            )
        return (
            "transient: computed twice now it is the same, and it is not what the run "
            "recorded, with the same config and rows as far as they are recorded. A "
            "fault struck the run between the checkpoint and this step, or it ran on "
            "other or more devices or with other versions; replay on the "
            "host that ran it: the same wrong value again is a persistent fault of "
            "that host."
        )


def replay_run(settings: Mapping[str, Any], *, step: int) -> Replay:
    """`replay` of a step of the run that `train` makes of these arguments."""
    program = program_of(settings)
    source, identities = open_source(
        settings.get("data"),
        settings["mixture"],
        settings["rows"],
        batch_rows=settings["batch_rows"],
        rows_here=program.rows_here,
        workers=0,
        log=settings["config"].log,
    )
    config = settings["config"]
    now = RunIdentity(config.text, identities, defaults=config.defaults)
    with contextlib.closing(source):
        return replay(
            run_dir=settings["run_dir"],
            step=step,
            program=program,
            source=source,
            seed=settings["seed"],
            initial=functools.partial(_first_state, settings, program),
            shares_at=loss_shares_by_update(settings["mixture"]),
            check=functools.partial(check_same_step, settings["run_dir"], now),
        )


def _first_state(settings: Mapping[str, Any], program: Program) -> TrainState:
    """The state before the first step of a run.

    Raises:
      UsageError: it began with another run's parameters, and these are gone or others.
    """
    start_from = settings.get("start_from")
    if start_from is None:
        return program.initial_state()
    text = (Path(settings["run_dir"]) / "config.gin").read_text("utf-8")
    began = written_origin(text)
    named = start_from if began is None else f"{began.path}@{began.step}"
    state, origin = open_run(named, program, settings["mixture"]).begin()
    if origin != began:
        raise UsageError(
            f"the run began with {began}, and there is {origin} now; a step before the "
            "run's first checkpoint cannot be computed again without it."
        )
    return state


def replay(
    *,
    run_dir: str | os.PathLike[str],
    step: int,
    program: Program,
    source: Source,
    seed: int,
    initial: Callable[[], TrainState],
    shares_at: Callable[[int], Float32[np.ndarray, " O"]],
    check: Callable[..., None],
) -> Replay:
    """Computes a step again from the newest checkpoint before it; writes nothing.

    Args:
      run_dir: the run's directory.
      step: number of the step, from 1.
      program: of the run.
      source: of the run's batches.
      seed: of the data.
      initial: makes the state before the first step.
      shares_at: the loss shares by number of steps done.
      check: `check(step=...)` refuses another config than that of the run at a step.

    Raises:
      UsageError: the run has no record of the step, or its rows or its config are not
        those of now.
    """
    recorded = traced_step(run_dir, step)
    if recorded is None:
        raise UsageError(
            f"{os.fspath(run_dir)!r} has no record of step {step}; its steps.jsonl "
            "lists those that can be replayed."
        )
    check(step=step)
    restored = restore_before(run_dir, program.abstract_state, step=step)
    start, state, data = restored or (0, initial(), None)
    check(step=start + 1)  # it may have changed between the two
    place = DataPlace(**data["place"]) if data else None
    batches = _batches_after(run_dir, source, program, place, seed=seed, start=start)
    train_step = program.compile_train_step()
    for number in track(
        range(start, step - 1), f"Recomputing from step {start}", transient=True
    ):
        batch, _ = next(batches)
        state, _ = train_step(state, program.place(batch), shares_at(number))
    batch, position = next(batches)
    if saved := data_at(run_dir, step):
        place = DataPlace(**saved["place"])
        _check_batch(program, batch, position, place, name=f"batch of step {step}")
    shares = shares_at(step - 1)
    copied: TrainState = jax.tree.map(jnp.copy, state)
    _, again = train_step(state, program.place(batch), shares)
    _, once_more = train_step(copied, program.place(batch), shares)
    now = (step_of(jax.device_get(metrics)) for metrics in (again, once_more))
    return Replay(step, start, recorded, *now)


def _batches_after(
    run_dir: str | os.PathLike[str],
    source: Source,
    program: Program,
    place: DataPlace | None,
    *,
    seed: int,
    start: int,
) -> Iterator[tuple[Batch, Position]]:
    """The batches that a run read after a number of steps, from a place in its data on.

    Raises:
      UsageError: the last batch before a place is another one now.
    """
    changed = {after for after, _ in read_changes(run_dir)}
    batches = source.training(
        seed=seed, position=source.own(place.positions) if place else None
    )
    for number in itertools.count(start):
        went_back = newest_to(Path(run_dir), number)
        if went_back is not None:
            place = went_back.place
            batches = source.training(seed=seed, position=source.own(place.positions))
        if place is not None:
            batch, position = next(batches)
            if number not in changed:  # other settings may give other rows
                name = f"batch {place.batches}"
                _check_batch(program, batch, position, place, name=name)
            place = None
        yield next(batches)


def _check_batch(
    program: Program, batch: Batch, position: Position, place: DataPlace, *, name: str
) -> None:
    """Refuses another batch than the last one before a place; all hosts meet here."""
    digest = program.digest(batch)
    now = place_of_all(place.batches, position, digest, name=name)
    check_same_batch(now.last_batch, place.last_batch)


def replay_table(result: Replay) -> Table:
    """The three computations side by side, floats in hexadecimal."""
    table = Table(
        title=f"Step {result.step}, recomputed from step {result.start}",
        caption=result.verdict,
    )
    table.add_column("")
    for column in ("loss", "gradient norm", "skipped"):
        table.add_column(column, justify="right")
    for name, step in (
        ("recorded", result.recorded),
        ("now", result.again),
        ("once more", result.once_more),
    ):
        floats = (float(x).hex() for x in (step.loss, step.grad_norm))
        table.add_row(name, *floats, step.skipped or "no")
    return table


def _same(a: Step, b: Step) -> bool:
    return a.skipped == b.skipped and all(
        np.float32(x).tobytes() == np.float32(y).tobytes()
        for x, y in ((a.loss, b.loss), (a.grad_norm, b.grad_norm))
    )
