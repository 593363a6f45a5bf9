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
from ...tasks.rows.batches import check_same, digest, prefetch
from ...tasks.shares.counts import Counts, add, count, loss_shares_of, utilisation
from ..runs.checkpoints import Checkpoints
from ..runs.directory import prepare_run_dir
from ..runs.metrics import MetricsWriter, has_record
from . import report
from .data import Streaming
from .evaluate import evaluate
from .interval import extend, fresh, from_json, record, to_json
from .mesh import MeshShape
from .program import make_program
from .report import not_evaluated
from .schedules import schedule_of
from .step import StepMetrics, stop_if_not_finite
from .stop import StopRequest

MEASURED_BATCHES = 32
"""Batches measured for the share table before the first step."""

BATCHES_AHEAD = 4
"""Batches made in advance."""


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
    data_workers: int = 1,
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
      data_workers: processes that make training data; 0 for none but this one.

    Returns:
      The number of steps done: fewer than `steps` if SIGTERM stopped the run.

    Raises:
      UsageError: settings that cannot work together, or a run of another config in
        `run_dir`.
      NotFiniteError: too many updates in a row were skipped.
    """
    # ------------------------------------------------------------------- set-up
    console = Console()
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
    prepare_run_dir(run_dir, config, identities=mixture.identities())

    def evaluation_due(step: int) -> bool:
        return step % eval_every == 0 or step == steps

    # ------------------------------------------------------- restore, or initialise
    checkpoints = Checkpoints(run_dir, keep=keep, period=checkpoint_every)
    restored = checkpoints.restore(program.abstract_state)
    if restored:
        start, state, saved = restored
        interval = from_json(saved["interval"])
        console.print(f"Resuming {run_dir} after step {start:,}.", markup=False)
    else:
        start, state, interval = 0, program.initial_state(), fresh()
    # A checkpoint is saved before its step is evaluated, so the evaluation is
    # missing if the run was killed between the two.
    evaluate_first = (
        start > 0
        and eval_batches > 0
        and evaluation_due(start)
        and not has_record(run_dir, step=start, prefix="eval/")
    )
    size = sum(x.size for x in jax.tree.leaves(state.params))
    console.print(f"{size:,} parameters on {program.mesh.size} device(s).")
    if start >= steps and not evaluate_first:
        console.print(f"All {steps:,} steps are done; {run_dir} is complete.")
        checkpoints.close()
        return start

    # ------------------------------------- data, made on a thread while steps compile
    source = Streaming(mixture, rows, batch_rows, workers=data_workers)
    position = restored[2]["position"] if restored else None
    stream = prefetch(
        source.training(seed=seed, position=position), ahead=BATCHES_AHEAD
    )
    with console.status("Compiling, and reading text"):
        train_step = program.compile_train_step()
        if restored:
            check_same(next(stream)[0], restored[2]["last_batch"])
        first = list(itertools.islice(stream, MEASURED_BATCHES))
        worker = concurrent.futures.ThreadPoolExecutor(1, "sightline-held-out")
        first_held_out = worker.submit(source.held_out, most=min(1, eval_batches))
        held_out = worker.submit(source.held_out, most=eval_batches)
        worker.shutdown(wait=False)
        # Faults in held-out text are found before the first step; the other batches are
        # made while the first steps run.
        for line in not_evaluated(first_held_out.result()):
            console.print(line, markup=False, highlight=False)

    # -------------------------------------------------- measured shares of the mixture
    first_batches = [batch for batch, _ in first]
    counts = functools.reduce(add, map(count, first_batches))
    loss_shares = functools.partial(loss_shares_of, normalisation=normalisation)
    console.print(
        report.share_table(
            counts, loss_shares(counts, shares), utilisation=utilisation(first_batches)
        )
    )
    stream = itertools.chain(first, stream)
    del first, first_batches
    eval_step = functools.cache(program.compile_eval_step)

    def run_evaluation(step: int) -> None:
        """Evaluates every task with held-out text; shows and records the results."""
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
        MetricsWriter(run_dir, resume_step=start) as writer,
        StopRequest() as stop,
        report.progress_bar(console) as bar,
    ):
        task = bar.add_task("train", total=steps, completed=start, loss=0, speed=0)
        tokens, began = 0, time.perf_counter()
        waiting: list[tuple[Counts, StepMetrics]] = []
        step = start
        if evaluate_first:
            run_evaluation(start)
        while step < steps and not stop.requested:
            batch, position = next(stream)
            shares = mixture.at(step).loss_share_array()
            state, metrics = train_step(state, program.place(batch), shares)
            step += 1

            last = step == steps or stop.requested
            logs = step % log_every == 0 or step == steps
            saves = checkpoints.due(step) or last

            # A step's metrics are read while the next one runs, or when they are due.
            waiting.append((count(batch), metrics))
            while len(waiting) > (0 if logs or saves or evaluation_due(step) else 1):
                step_counts, reported = jax.device_get(waiting.pop(0))
                stop_if_not_finite(
                    reported, step=step - len(waiting), most=max_consecutive_skips
                )
                interval = extend(interval, step_counts, reported)
                tokens += int(step_counts.processed.sum())
                bar.update(task, completed=step, loss=float(reported.loss))

            if logs:
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
                checkpoints.save(
                    step,
                    state,
                    {
                        "interval": to_json(interval),
                        "last_batch": digest(batch),
                        "position": position,
                    },
                )
            if evaluation_due(step):
                run_evaluation(step)
            if logs or saves or evaluation_due(step):
                tokens, began = 0, time.perf_counter()

    source.close()
    if step < steps:
        console.print(f"Stopped after step {step:,}; rerun the same command to resume.")
    return step
