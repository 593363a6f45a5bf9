"""The training run, from top to bottom."""

import contextlib
import functools
import logging
from collections.abc import Callable

import jax
import optax

from ...models.config import ModelConfig
from ...models.loss import Normalisation
from ...models.rows import RowShape
from ...objectives.errors import require_count, require_positive
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.preflight import check_examples
from ...tasks.examples.window_check import check_windows, remarks
from ...tasks.shares.counts import add, loss_shares_of, utilisation
from ..hosts import coordination, stopping
from ..hosts.progress import STALL_SECONDS, did, set_stall_seconds
from ..runs.checkpoints import Checkpoints
from ..runs.directory import RunDirectory
from ..runs.goodput import Goodput
from ..runs.metrics import has_record, open_metrics
from ..runs.run_identity import RunIdentity
from . import report
from .data import Streaming
from .evaluate import evaluate_tasks
from .interval import over_hosts
from .ledger import Ledger
from .mesh import MeshShape
from .phases import loss_shares_by_update
from .program import make_program
from .progress import RunProgress
from .reader import Reader, in_background, wait_for
from .rescue import save_after
from .resume import RunConfig, check_continues, checkpoint_data, starting_point
from .schedules import schedule_of
from .shared_run import check_one_run
from .step import NotFiniteError
from .stop import StopRequest, StopRequested

_LOG = logging.getLogger(__name__)

MEASURED_BATCHES = 32
"""Batches measured for the share table before the first step."""

BATCHES_AHEAD = 4
"""Batches made in advance."""

_SLOW = 6
"""Times longer than a step that compiling, restoring or an evaluation may take."""

_SLOW = 6
"""How many times longer than a step it may take to compile, restore or evaluate."""


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
    mesh: MeshShape = MeshShape(data=-1),  # noqa: B008 (frozen)
    microbatches: int = 1,
    clip_norm: float = 1.0,
    normalisation: Normalisation = "objective",
    max_consecutive_skips: int = 10,
    log_every: int = 10,
    eval_every: int = 1000,
    eval_batches: int = 16,
    checkpoint_every: int = 1000,
    keep: int = 2,
    keep_every: int = 0,
    report_seconds: float = 30.0,
    data_workers: int = 1,
    stall_seconds: float = STALL_SECONDS,
) -> int:
    """Trains one model on a mixture of objectives, from scratch or from a checkpoint.

    An interrupted or killed run resumes from its newest sound checkpoint when started
    again with the same config; on the same mesh it ends bit for bit where it would have
    ended. Whatever else ends it, the state at hand is saved first if that can be done.

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
      mesh: devices along each axis.
      microbatches: parts in which a batch is computed, to save memory.
      clip_norm: global gradient norm above which gradients are scaled down.
      normalisation: of the loss (`models.loss`).
      max_consecutive_skips: updates skipped in a row after which the run stops.
      log_every: steps between records of metrics.
      eval_every: steps between evaluations; the last step is evaluated as well.
      eval_batches: most held-out batches of each task; 0 turns evaluation off.
      checkpoint_every: steps between checkpoints; the last step is saved as well.
      keep: number of newest checkpoints to keep.
      keep_every: checkpoints of steps that it divides are kept as well; 0: none.
      report_seconds: between lines on the progress, where there is no terminal.
      data_workers: processes that make training data; 0 for none but this one.
      stall_seconds: without progress, after which the run shows where it stands and
        ends; compiling may take six times as long.

    Returns:
      The number of steps done: fewer than `steps` if a signal stopped the run.

    Raises:
      UsageError: settings that cannot work together, or a run of another config in
        `run_dir`.
      StorageError: the run's directory cannot be written any more, or is another.
      NotFiniteError: too many updates in a row were skipped.
    """
    # ------------------------------------------------------------------- set-up
    log, allow = config.log, config.allow
    set_stall_seconds(stall_seconds)
    for name, value, least in (
        ("steps", steps, 1),
        ("log_every", log_every, 1),
        ("eval_every", eval_every, 1),
        ("eval_batches", eval_batches, 0),
        ("checkpoint_every", checkpoint_every, 1),
        ("keep", keep, 1),
        ("keep_every", keep_every, 0),
        ("max_consecutive_skips", max_consecutive_skips, 1),
    ):
        require_count(f"train.{name}", value, least=least)
    require_positive("train.report_seconds", report_seconds)
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
    )
    shares_of = loss_shares_by_update(mixture)
    check_examples(mixture, rows)
    with log.phase("Reading text"):
        report.show_lines(remarks(*check_windows(mixture, rows)))
    run = RunIdentity(config.text, mixture.identities())
    check_one_run(run)
    directory = RunDirectory(run_dir)

    def evaluation_due(step: int) -> bool:
        return step % eval_every == 0 or step == steps

    def record_due(step: int) -> bool:
        return step % log_every == 0 or step == steps

    # ------------------------------------------------------- restore, or initialise
    goodput = Goodput(run_dir, host=coordination.process())
    checkpoints = Checkpoints(
        run_dir, keep=keep, period=checkpoint_every, keep_every=keep_every
    )
    with goodput.phase("restore"):
        did("restoring", times=_SLOW)
        start = starting_point(checkpoints, program, directory, run=run, allow=allow)
    state, step, position = start.state, start.step, start.position
    # A checkpoint is saved before its step is evaluated, and also where its metrics
    # could not be written: both are made up for.
    record_first = (
        record_due(step) and start.interval.steps + start.interval.skipped > 0
    )
    evaluate_first = (
        step > 0
        and eval_batches > 0
        and evaluation_due(step)
        and not coordination.from_first(
            "resume", has_record(run_dir, step=step, prefix="eval/")
        )
    )
    stopping.begin(step)
    size = sum(x.size for x in jax.tree.leaves(state.params))
    _LOG.info("%s parameters on %d device(s).", f"{size:,}", program.mesh.size)
    if step >= steps and not (record_first or evaluate_first):
        _LOG.info("All %s steps are done; %s is complete.", f"{steps:,}", run_dir)
        checkpoints.close()
        return step

    # ------------------------------------- data, made on a thread while steps compile
    source = Streaming(
        mixture, rows, batch_rows, rows_here=program.rows_here, workers=data_workers
    )
    reader = Reader(source.training(seed=seed, position=position), ahead=BATCHES_AHEAD)
    with goodput.phase("compile"), log.phase("Compiling, and reading text"):
        did("compiling the train step", times=_SLOW)
        train_step = program.compile_train_step()
        did("reading the first batches", times=_SLOW)
        if step:
            batch, position = next(reader)
            last_batch = program.identity(batch, "the last batch, read again")
            check_continues(last_batch, start, allow)
        first = [batch for batch, _ in reader.peek(MEASURED_BATCHES)]
        # Faults in held-out text are found before the first step; the rest is made
        # while the first steps run.
        first_held_out = in_background(source.held_out, most=min(1, eval_batches))
        report.show_lines(report.not_evaluated(first_held_out.result()))
        held_out = in_background(source.held_out, most=eval_batches)

    # -------------------------------------------------- measured shares of the mixture
    counts = over_hosts(functools.reduce(add, map(program.counts, first)))
    shown = loss_shares_of(counts, shares_of(step), normalisation=normalisation)
    log.console.print(report.share_table(counts, shown, utilisation=utilisation(first)))
    del first
    eval_step = functools.cache(program.compile_eval_step)

    # --------------------------------------------------------------------------- loop
    with (
        StopRequest() as stop,
        contextlib.closing(source),
        contextlib.closing(reader),
        goodput,
        checkpoints,
        open_metrics(run_dir, resume_step=step) as writer,
        RunProgress(log, start=step, steps=steps, every=report_seconds) as progress,
    ):
        ledger = Ledger(
            start.interval,
            directory=directory,
            writer=writer,
            progress=progress,
            goodput=goodput,
            shares_of=shares_of,
            normalisation=normalisation,
            learning_rate=schedule_of(schedule, steps=steps),
            most_skips=max_consecutive_skips,
        )

        def check_stop() -> None:
            """Leaves a wait, unless other processes would then wait for this one."""
            if not coordination.together():
                stop.check()

        def wait() -> None:
            """Keeps a wait from being deaf and silent."""
            check_stop()
            progress.waiting()

        def evaluate() -> None:
            """Evaluates the tasks with held-out text; shows and records the results."""
            did(f"evaluating after step {step}", times=_SLOW)
            coordination.meet(f"evaluation after step {step}", times=_SLOW)
            with goodput.phase("evaluation"):
                batches = wait_for(held_out, while_waiting=wait)
                measured = evaluate_tasks(
                    program, eval_step(), state.params, batches, before_each=check_stop
                )
            if measured:
                report.show_evaluation(log, measured, mixture, step=step)
                directory.check()
                writer.write(step, report.evaluation_record(measured, mixture))

        def save() -> None:
            did(f"saving step {step}", times=_SLOW)
            ledger.settle()
            directory.check()
            with goodput.phase("checkpoint"):
                last_batch = program.identity(batch, f"save of step {step}")
                interval = ledger.over_hosts()
                data = checkpoint_data(run, interval, last_batch, position=position)
                checkpoints.save(step, state, data)
            _LOG.info("saving step %s", f"{step:,}")

        reader.while_waiting = wait
        goodput.enter("compute")
        goodput.at_step(step)
        saved = step
        try:
            if record_first:
                ledger.write_record(step, skipped=state.skipped)
            if evaluate_first:
                evaluate()
            ledger.restart_clock()
            coordination.meet("the first step", times=_SLOW)
            while step < steps:
                if stopping.stops_after(step, requested=stop.requested):
                    raise StopRequested(stop.reason)
                did(f"waiting for the batch of step {step + 1}")
                if not reader.is_ready():
                    ledger.settle()  # only what is left once the device is idle is wait
                with goodput.phase("data"):
                    coming = next(reader)
                did(f"running step {step + 1}")
                placed = program.place(coming[0])
                state, metrics = train_step(state, placed, shares_of(step))
                (batch, position), step = coming, step + 1

                # A step's metrics are read while the next one runs, or when due.
                ledger.add(step, program.counts(batch), metrics)
                saves = checkpoints.due(step) or step == steps
                pauses = saves or record_due(step) or evaluation_due(step)
                ledger.settle(0 if pauses else 1)

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
        except NotFiniteError as error:
            _LOG.error("%s", error, extra={"reason": "not finite"})
            raise
        except BaseException as error:
            # The other processes would not come to a save.
            if step > saved and not coordination.together():
                save_after(error, save, checkpoints.wait, state=state, step=step)
            raise
        goodput.enter("checkpoint")  # until the last one is committed

    report.show_end(run_dir, step=step, steps=steps, reason=stop.reason)
    return step
