"""The training run, from top to bottom."""

import contextlib
import logging
from collections.abc import Callable, Sequence

import jax
import optax

from ...models.config import ModelConfig
from ...models.loss import Normalisation
from ...models.rows import RowShape
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.preflight import check_loss_shares
from ..hosts import coordination, stopping
from ..hosts.progress import SLOW, STALL_SECONDS, did, set_stall_seconds
from ..runs.checkpoints import Checkpoints
from ..runs.directory import RunDirectory
from ..runs.goodput import Goodput
from ..runs.metrics import open_metrics
from ..runs.run_identity import RunIdentity
from ..runs.trace import StepTrace
from ..runs.trackers import check_libraries
from . import report
from .data import DataPlace, place_of_all
from .first_batches import show_shares
from .held_out import HeldOut
from .interval import is_empty
from .ledger import Ledger
from .loss_picture import loss_picture
from .mesh import MeshShape, counted_rows
from .origin import other_run
from .phases import loss_shares_by_update, never_begins
from .profile import ProfiledStep
from .program import make_program
from .progress import RunProgress
from .reader import Reader
from .replicas import ReplicaError, check_replicas
from .rescue import save_after
from .resume import (
    RunConfig,
    check_continues,
    checkpoint_data,
    evaluation_owed,
    starting_point,
)
from .rollback import Rollback, begun_again, roll_back, rollbacks as rollbacks_of
from .schedules import schedule_of
from .settings import check_loop
from .shared_run import check_one_run
from .sources import open_source
from .step import NotFiniteError
from .stop import StopRequest, StopRequested

_LOG = logging.getLogger(__name__)

BATCHES_AHEAD = 4
"""Batches made in advance."""


@begun_again
def train(
    *,
    run_dir: str,
    config: RunConfig,
    mixture: Mixture,
    model: ModelConfig,
    rows: RowShape,
    schedule: Callable[..., optax.Schedule],
    optimizer: Callable[[optax.Schedule], optax.GradientTransformation],
    steps: int,
    batch_rows: int,
    seed: int,
    start_from: str | None = None,
    data: str | None = None,
    mesh: MeshShape = MeshShape(data=-1),  # noqa: B008 (frozen)
    microbatches: int = 1,
    clip_norm: float = 1.0,
    normalisation: Normalisation = "objective",
    spike_deviations: float | None = None,
    max_consecutive_skips: int = 10,
    rollbacks: int = 0,
    check_replicas_every: int = 0,
    deterministic: bool = False,
    log_every: int = 10,
    eval_every: int = 1000,
    eval_batches: int = 16,
    checkpoint_every: int = 1000,
    keep: int = 2,
    keep_every: int = 0,
    report_seconds: float = 30.0,
    data_workers: int = 1,
    stall_seconds: float = STALL_SECONDS,
    trackers: Sequence[str] = ("tensorboard",),
) -> int:
    """Trains one model on a mixture of objectives, from scratch or from a checkpoint.

    An interrupted or killed run resumes from its newest sound checkpoint when started
    again with the same config; on the same mesh it ends bit for bit where it would have
    ended (on GPUs if `deterministic`). Else its state is saved first, if possible.

    Args:
      run_dir: holds config.gin, metrics.jsonl, goodput.jsonl, tensorboard/ and
        checkpoints/; changes.jsonl, if a resumed run changed its config.
      config: the resolved gin config, and what of it may change on resume.
      mixture: rates, loss shares, settings of the objectives, and the vocabulary.
      model: dimensions.
      rows: capacities of a row; they choose the architecture.
      schedule: makes the learning rate by update, from the number of `steps`.
      optimizer: from a schedule to an optax transformation.
      steps: in all.
      batch_rows: B, over all devices and microbatches.
      seed: of parameters and data.
      start_from: run whose parameters this one begins with, at its newest sound
        checkpoint or at one named, `runs/mine@4000` (`origin`); None is the seed's.
      data: folder of recorded rows; None reads the mixture's corpora.
      mesh: devices along each axis.
      microbatches: parts in which a batch is computed, to save memory.
      clip_norm: global gradient norm above which gradients are scaled down.
      normalisation: of the loss (`models.loss`); "token_sum" takes no loss shares.
      spike_deviations: standard deviations of the logarithm of the gradient norm above
        its mean at which an update is skipped (`spikes`); None skips none.
      max_consecutive_skips: updates skipped in a row after which the run stops.
      rollbacks: times that it goes back to its newest checkpoint instead (`rollback`).
      check_replicas_every: steps between comparisons of copies (`replicas`); 0: none.
      deterministic: rules out GPU kernels that add in any order; others never do.
      log_every: steps between records of metrics.
      eval_every: steps between evaluations; the last step is evaluated as well.
      eval_batches: most held-out batches of each task; 0 turns evaluation off.
      checkpoint_every: steps between checkpoints; the last step is saved as well.
      keep: number of newest checkpoints to keep.
      keep_every: checkpoints of steps that it divides are kept as well; 0: none.
      report_seconds: between lines on the progress, where there is no terminal.
      data_workers: processes that make data of corpora; 0 for none but this one.
      stall_seconds: without progress, after which the run shows where it stands and
        ends; compiling may take six times as long.
      trackers: where metrics go beside metrics.jsonl (`runs/trackers`).

    Returns:
      The number of steps done: fewer than `steps` if a signal stopped the run.

    Raises:
      UsageError: settings that cannot work together, a run of another config in
        `run_dir`, or a run to start from that is of another model.
      StorageError: the run's directory cannot be written any more, or is another.
      NotFiniteError: too many updates in a row were skipped.
      ReplicaError: devices hold different copies of a parameter.
    """
    # ------------------------------------------------------------------- set-up
    log, allow = config.log, config.allow
    log.step = None  # after going back it is of the step that failed
    check_loop(
        steps=steps,
        log_every=log_every,
        eval_every=eval_every,
        eval_batches=eval_batches,
        checkpoint_every=checkpoint_every,
        keep=keep,
        keep_every=keep_every,
        max_consecutive_skips=max_consecutive_skips,
        rollbacks=rollbacks,
        check_replicas_every=check_replicas_every,
        data_workers=data_workers,
        report_seconds=report_seconds,
        stall_seconds=stall_seconds,
        trackers=trackers,
        data=data,
    )
    check_loss_shares(mixture, normalisation)
    check_libraries(trackers)
    set_stall_seconds(stall_seconds)
    program = make_program(
        mixture=mixture,
        model=model,
        rows=rows,
        schedule=schedule,
        optimizer=optimizer,
        steps=steps,
        batch_rows=batch_rows,
        seed=seed,
        mesh=mesh,
        microbatches=microbatches,
        clip_norm=clip_norm,
        normalisation=normalisation,
        spike_deviations=spike_deviations,
        deterministic=deterministic,
    )
    shares_of = loss_shares_by_update(mixture)
    report.show_lines(never_begins(mixture, steps=steps))
    other = other_run(start_from, program, mixture, run_dir=run_dir)
    source, identities = open_source(
        data,
        mixture,
        rows,
        batch_rows=batch_rows,
        rows_here=program.rows_here,
        workers=data_workers,
        log=log,
    )
    run = RunIdentity(config.text, identities, defaults=config.defaults)
    check_one_run(run)
    beginning = other and other.begin()
    directory = RunDirectory(run_dir)
    directory.refuse_study()

    def evaluation_due(step: int) -> bool:
        return eval_batches > 0 and (step % eval_every == 0 or step == steps)

    def record_due(step: int) -> bool:
        return step % log_every == 0 or step == steps

    def read_from(place: DataPlace | None) -> Reader:
        position = source.own(place.positions) if place else None
        stream = source.training(seed=seed, position=position)
        return Reader(stream, ahead=BATCHES_AHEAD)

    # ------------------------------------------------------- restore, or initialise
    goodput = Goodput(run_dir, host=coordination.process())
    checkpoints = Checkpoints(
        run_dir, keep=keep, period=checkpoint_every, keep_every=keep_every
    )
    # A run without a past reads while its state is made: both take seconds.
    early = read_from(None) if checkpoints.newest is None else None
    with goodput.phase("restore"):
        did("restoring", times=SLOW)
        start = starting_point(
            checkpoints, program, directory, run=run, allow=allow, beginning=beginning
        )
    run, state, step, place = start.run, start.state, start.step, start.place
    # A checkpoint is saved also where its metrics could not be written.
    record_first = record_due(step) and not is_empty(start.interval)
    evaluate_first = evaluation_owed(run_dir, start, due=evaluation_due(step))
    stopping.begin(step)
    size = sum(x.size for x in jax.tree.leaves(state.params))
    _LOG.info("%s parameters on %d device(s).", f"{size:,}", program.mesh.size)
    if step >= steps and not (record_first or evaluate_first):
        report.show_complete(run_dir, step=step, steps=steps)
        checkpoints.close()
        return step

    # ------------------------------------- data, made elsewhere while steps compile
    read = place.batches if place else 0
    if early and place:
        early.close()
    reader = early if early and not place else read_from(place)
    with goodput.phase("compile"), log.phase("Compiling, and reading data"):
        did("compiling the train step", times=SLOW)
        compiled = program.compile_train_step()
        did("reading the first batches", times=SLOW)
        if place:
            batch, position = next(reader)
            again = place_of_all(read, position, program.digest(batch), name="again")
            check_continues(again.last_batch, start)
        first = [batch for batch, _ in reader.peek(report.measured_batches(batch_rows))]
        held_out = HeldOut(
            source, program, mixture, most=eval_batches, log=log, goodput=goodput
        )
    train_step = ProfiledStep(compiled, config.profile, run_dir=run_dir, done=step)
    share_table = show_shares(log, program, first, shares_of(step))
    del first

    # --------------------------------------------------------------------------- loop
    with (
        StopRequest() as stop,
        contextlib.closing(source),
        contextlib.closing(reader),
        contextlib.closing(train_step),
        goodput,
        open_metrics(run_dir, resume_step=step, trackers=trackers) as writer,
        checkpoints,  # closed before trackers, whose end may take a while
        StepTrace(run_dir, resume_step=step) as trace,
        RunProgress(
            log,
            start=step,
            steps=steps,
            every=report_seconds,
            waited=lambda: goodput.seconds("data"),
        ) as progress,
    ):
        ledger = Ledger(
            start.interval,
            directory=directory,
            writer=writer,
            trace=trace,
            progress=progress,
            goodput=goodput,
            shares_of=shares_of,
            normalisation=normalisation,
            learning_rate=schedule_of(schedule, steps=steps),
            most_skips=max_consecutive_skips,
            counted=float(counted_rows(program.mesh, batch_rows).mean()),
        )

        def check_stop() -> None:
            """Leaves a wait, unless other processes would then wait for this one."""
            if not coordination.together():
                stop.check()

        def while_waiting() -> None:
            """Keeps a wait from being deaf and silent."""
            check_stop()
            progress.waiting()

        def evaluate() -> None:
            measured = held_out.evaluate(
                state.params,
                step=step,
                check_stop=check_stop,
                while_waiting=while_waiting,
            )
            if measured:
                directory.check()
                writer.write_table(step, "held_out", held_out.table)
                writer.write(step, measured)

        def data_place() -> DataPlace:
            name = f"place of step {step}"
            return place_of_all(read, position, program.digest(batch), name=name)

        def save() -> None:
            did(f"saving step {step}", times=SLOW)
            interval = ledger.flush()
            directory.check()
            with goodput.phase("checkpoint"):
                content = checkpoint_data(run, interval, data_place())
                checkpoints.save(step, state, content)
            _LOG.info("saving step %s", f"{step:,}")

        writer.write_config(config.text)
        if place is None:
            writer.write_table(0, "shares", share_table)
        reader.while_waiting = while_waiting
        goodput.enter("compute")
        goodput.at_step(step)
        saved, going_back = step, None
        try:
            if record_first:
                ledger.write_record(step, skipped=state.skipped)
            if evaluate_first:
                evaluate()
            ledger.restart_clock()
            coordination.meet("the first step")
            while step < steps:
                if stopping.stops_after(step, reason=stop.reason):
                    raise StopRequested(stop.reason)
                did(f"waiting for the batch of step {step + 1}")
                if not reader.is_ready():
                    ledger.settle()  # only what is left once the device is idle is wait
                with goodput.phase("data"):
                    coming = next(reader)
                did(f"running step {step + 1}")
                placed = program.place(coming[0])
                state, metrics = train_step(state, placed, shares_of(step))
                (batch, position), step, read = coming, step + 1, read + 1

                # A step's metrics are read while the next one runs, or when due.
                numbers = range((read - 1) * batch_rows, read * batch_rows)
                ledger.add(step, numbers, program.counts(batch), metrics)
                saves = checkpoints.due(step) or step == steps
                pauses = saves or record_due(step) or evaluation_due(step)
                ledger.settle(0 if pauses else 1)

                # Before every save too: which copy is saved is up to chance.
                compares = saves or step % (check_replicas_every or 1) == 0
                if check_replicas_every and compares:
                    check_replicas(state.params, program.mesh, step=step)
                if record_due(step):
                    ledger.write_record(step, skipped=state.skipped)
                # Saved before evaluation, so that a failure there loses no step. While
                # updates are skipped nothing is saved: `keep` is for good checkpoints.
                if saves and (ledger.skipped_in_a_row == 0 or step == steps):
                    save()
                    saved = step
                if evaluation_due(step):
                    evaluate()
                if pauses:
                    ledger.restart_clock()
        except StopRequested:
            if step > saved:
                save()
        except (NotFiniteError, ReplicaError) as error:
            _LOG.error("%s", error, extra={"reason": type(error).__name__})
            stuck = isinstance(error, NotFiniteError)
            if not stuck or len(rollbacks_of(directory.path)) >= rollbacks:
                raise
            going_back = Rollback(step, checkpoints.newest or 0, data_place())
        except BaseException as error:
            # The other processes would not come to a save.
            if step > saved and not coordination.together():
                save_after(error, save, checkpoints.wait, state=state, step=step)
            raise
        goodput.enter("checkpoint")  # until the last one is committed
        if step == steps:
            writer.write_picture(step, "losses", lambda: loss_picture(run_dir))

    if going_back is not None:
        raise roll_back(directory.path, going_back, rows=batch_rows)
    reason = stopping.reason() or stop.reason
    report.show_end(run_dir, step=step, steps=steps, reason=reason)
    return step
