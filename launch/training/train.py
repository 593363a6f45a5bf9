"""The training run, from top to bottom."""

import concurrent.futures
import functools
import itertools
import time
from collections.abc import Callable

import jax
import numpy as np
import optax
from rich.console import Console

from ...models.config import ModelConfig
from ...models.loss import Normalisation
from ...models.rows import RowShape
from ...objectives.errors import require_count
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.preflight import check_examples
from ...tasks.examples.window_check import check_windows, remarks
from ...tasks.rows.batches import prefetch
from ...tasks.shares.counts import Counts, add, loss_shares_of, utilisation
from ..hosts import coordination, progress, stopping
from ..hosts.sums import over_processes
from ..runs.checkpoints import Checkpoints
from ..runs.metrics import has_record, open_metrics
from . import report
from .batch_identity import check_same_batch
from .data import Data
from .evaluate import evaluate
from .interval import extend, fresh, from_json, over_hosts, record, to_json, together
from .mesh import MeshShape
from .program import make_program
from .report import not_evaluated
from .schedules import schedule_of
from .shared_run import enter_run_dir
from .step import StepMetrics, stop_if_not_finite
from .stop import StopRequest

MEASURED_BATCHES = 32
"""Batches measured for the share table before the first step."""

BATCHES_AHEAD = 4
"""Batches made in advance."""

_SLOW = 6
"""How many times longer than a step it may take to compile, restore or evaluate."""


def train(
    *,
    run_dir: str,
    config: str,
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
    stall_seconds: float = progress.STALL_SECONDS,
) -> int:
    """Trains one model on a mixture of objectives, from scratch or from a checkpoint.

    An interrupted or killed run resumes from its newest sound checkpoint when started
    again with the same config; on the same mesh it ends bit for bit where it would have
    ended.

    Args:
      run_dir: holds config.gin, metrics.jsonl, tensorboard/ and checkpoints/.
      config: resolved gin config, saved with the run and compared on resume.
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
      stall_seconds: without progress, after which the run shows where it stands and
        ends; compiling may take six times as long.

    Returns:
      The number of steps done: fewer than `steps` if SIGTERM stopped the run.

    Raises:
      UsageError: settings that cannot work together, or a run of another config in
        `run_dir`.
      NotFiniteError: too many updates in a row were skipped.
    """
    # ------------------------------------------------------------------- set-up
    progress.set_stall_seconds(stall_seconds)
    console = Console(quiet=coordination.process() > 0)
    for name, value, least in (
        ("steps", steps, 1),
        ("log_every", log_every, 1),
        ("eval_every", eval_every, 1),
        ("eval_batches", eval_batches, 0),
        ("checkpoint_every", checkpoint_every, 1),
        ("keep", keep, 1),
        ("max_consecutive_skips", max_consecutive_skips, 1),
    ):
        require_count(f"train.{name}", value, least=least)
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
    shares = mixture.loss_share_array()
    learning_rate = schedule_of(schedule, steps=steps)
    check_examples(mixture, rows)
    with console.status("Reading text"):
        notes = remarks(*check_windows(mixture, rows))
    for line in notes:
        console.print(line, markup=False, highlight=False)
    lease = enter_run_dir(run_dir, config, identities=mixture.identities())

    def evaluation_due(step: int) -> bool:
        return step % eval_every == 0 or step == steps

    # ------------------------------------------------------- restore, or initialise
    checkpoints = Checkpoints(run_dir, keep=keep, period=checkpoint_every)
    progress.did("restoring", times=_SLOW)
    restored = checkpoints.restore(program.abstract_state)
    if restored:
        start, state, saved = restored
        interval = from_json(saved["interval"])
        console.print(f"Resuming {run_dir} after step {start:,}.", markup=False)
    else:
        start, state, interval = 0, program.initial_state(), fresh()
    stopping.begin(start)
    stopped = False
    # A checkpoint is saved before its step is evaluated, so the evaluation is
    # missing if the run was killed between the two.
    evaluate_first = (
        start > 0
        and eval_batches > 0
        and evaluation_due(start)
        and not coordination.from_first(
            "resume", has_record(run_dir, step=start, prefix="eval/")
        )
    )
    size = sum(x.size for x in jax.tree.leaves(state.params))
    console.print(f"{size:,} parameters on {program.mesh.size} device(s).")
    if start >= steps and not evaluate_first:
        console.print(f"All {steps:,} steps are done; {run_dir} is complete.")
        checkpoints.close()
        return start

    # ------------------------------------- data, made on a thread while steps compile
    source = Data(mixture, rows, batch_rows, rows_here=program.rows_here)
    stream = prefetch(
        source.training(seed=seed, skip=max(0, start - 1)), ahead=BATCHES_AHEAD
    )
    with console.status("Compiling, and reading text"):
        progress.did("compiling the train step", times=_SLOW)
        train_step = program.compile_train_step()
        progress.did("reading the first batches", times=_SLOW)
        if restored:
            last_batch = program.identity(next(stream), "the last batch, read again")
            check_same_batch(last_batch, restored[2]["last_batch"])
        first = list(itertools.islice(stream, MEASURED_BATCHES))
        # Only now: TensorFlow, which the stream has loaded, must not be imported by two
        # threads at once.
        worker = concurrent.futures.ThreadPoolExecutor(1, "sightline-held-out")
        first_held_out = worker.submit(source.held_out, most=min(1, eval_batches))
        held_out = worker.submit(source.held_out, most=eval_batches)
        worker.shutdown(wait=False)
        # Faults in held-out text are found before the first step; the other batches are
        # made while the first steps run.
        for line in not_evaluated(first_held_out.result()):
            console.print(line, markup=False, highlight=False)

    # -------------------------------------------------- measured shares of the mixture
    counts = over_hosts(functools.reduce(add, map(program.counts, first)))
    loss_shares = functools.partial(loss_shares_of, normalisation=normalisation)
    console.print(
        report.share_table(
            counts, loss_shares(counts, shares), utilisation=utilisation(first)
        )
    )
    stream = itertools.chain(first, stream)
    del first
    eval_step = functools.cache(program.compile_eval_step)

    def run_evaluation(step: int) -> None:
        """Evaluates every task with held-out text; shows and records the results."""
        progress.did(f"evaluating after step {step}", times=_SLOW)
        coordination.meet(f"evaluation after step {step}", times=_SLOW)
        measured = {
            task: evaluate(program, eval_step(), state.params, batches)
            for task, batches in held_out.result().items()
            if batches
        }
        if measured:
            bar.console.print(report.evaluation_table(measured, mixture, step=step))
            writer.write(step, report.evaluation_record(measured, mixture))

    # --------------------------------------------------------------------------- loop
    with (
        checkpoints,
        open_metrics(run_dir, resume_step=start) as writer,
        StopRequest() as stop,
        report.progress_bar(console) as bar,
    ):
        task = bar.add_task("train", total=steps, completed=start, loss=0, speed=0)
        tokens, began = 0, time.perf_counter()
        waiting: list[tuple[Counts, StepMetrics]] = []
        step = start
        if evaluate_first:
            run_evaluation(start)
        coordination.meet("the first step", times=_SLOW)
        while step < steps and not stopped:
            progress.did(f"waiting for the batch of step {step + 1}")
            batch = next(stream)
            progress.did(f"running step {step + 1}")
            state, metrics = train_step(state, program.place(batch), shares)
            step += 1

            stopped = stopping.stops_after(step, requested=stop.requested)
            last = step == steps or stopped
            logs = step % log_every == 0 or step == steps
            saves = checkpoints.due(step) or last

            # A step's metrics are read while the next one runs, or when they are due.
            waiting.append((program.counts(batch), metrics))
            while len(waiting) > (0 if logs or saves or evaluation_due(step) else 1):
                step_counts, reported = jax.device_get(waiting.pop(0))
                stop_if_not_finite(
                    reported, step=step - len(waiting), most=max_consecutive_skips
                )
                interval = extend(interval, step_counts, reported)
                tokens += int(step_counts.processed.sum())
                bar.update(task, completed=step, loss=float(reported.loss))

            if logs or saves:
                interval = together(interval)
            if logs:
                tokens = int(over_processes(np.array([tokens]))[0])
                speed = tokens / (time.perf_counter() - began)
                updates = step - int(state.skipped)
                writer.write(
                    step,
                    record(interval, loss_shares(interval.counts, shares))
                    | {
                        "learning_rate": float(np.asarray(learning_rate(updates - 1))),
                        "tokens_per_second": speed,
                    },
                )
                bar.update(task, speed=speed)
                interval = fresh()
            # Saved before evaluation, so that a failure there loses no step.
            if saves:
                progress.did(f"saving step {step}")
                if lease is not None:
                    lease.check()
                last_batch = program.identity(batch, f"save of step {step}")
                checkpoints.save(
                    step,
                    state,
                    {"interval": to_json(interval), "last_batch": last_batch},
                )
            if evaluation_due(step):
                run_evaluation(step)
            if logs or saves or evaluation_due(step):
                tokens, began = 0, time.perf_counter()

    if step < steps:
        console.print(f"Stopped after step {step:,}; rerun the same command to resume.")
    return step
