"""The training run, from top to bottom."""

import functools
import itertools
import time
from collections.abc import Callable

import jax
import numpy as np
import optax
from rich.console import Console

from ...models.config import ModelConfig
from ...models.rows import Normalisation, RowShape
from ...tasks.examples.mixture import Mixture
from ...tasks.examples.preflight import check_examples
from ...tasks.rows.batches import check_same, digest, prefetch
from ...tasks.shares.counts import Counts, add, count, loss_shares_of, utilisation
from ...tasks.tokens.vocabulary import vocabulary
from ..runs.checkpoints import Checkpoints
from ..runs.directory import prepare_run_dir
from ..runs.metrics import MetricsWriter
from . import report
from .data import Data
from .evaluate import evaluate
from .interval import extend, fresh, from_json, record, to_json
from .mesh import MeshShape, check_rows, make_mesh
from .program import Program
from .step import StepMetrics, stop_if_not_finite
from .stop import StopRequest

MEASURED = 32
"""Batches that the share table, shown before the first step, is measured on."""


def train(
    *,
    run_dir: str,
    config: str,
    mixture: Mixture,
    model: ModelConfig,
    rows: RowShape,
    schedule: optax.Schedule,
    optimizer: Callable[[optax.Schedule], optax.GradientTransformation],
    steps: int,
    batch_rows: int,
    seed: int,
    mesh: MeshShape = MeshShape(data=-1),  # noqa: B008 (frozen)
    microbatches: int = 1,
    clip_norm: float = 1.0,
    normalisation: Normalisation = "objective",
    most_skipped_in_a_row: int = 10,
    log_every: int = 10,
    eval_every: int = 1000,
    eval_batches: int = 16,
    checkpoint_every: int = 1000,
    keep: int = 2,
) -> None:
    """Trains one model on a mixture of objectives, from scratch or from where it was.

    A run that was stopped, however hard, goes on from its newest sound checkpoint when
    it is started again with the same config, and on the same mesh ends bit for bit
    where it would have ended.

    Args:
      run_dir: holds config.gin, metrics.jsonl, tensorboard/ and checkpoints/.
      config: resolved gin config, saved with the run and compared on resume.
      mixture: rates, loss shares, settings of the objectives, and the vocabulary.
      model: dimensions.
      rows: capacities of a row; they choose the architecture.
      schedule: learning rate by update.
      optimizer: from a schedule to an optax transformation.
      steps: in all.
      batch_rows: B, over all devices and microbatches.
      seed: of parameters and data.
      mesh: devices along each axis.
      microbatches: parts in which a batch is computed, to save memory.
      clip_norm: global gradient norm above which gradients are scaled down.
      normalisation: of the loss (`models.loss`).
      most_skipped_in_a_row: non-finite steps in a row after which the run stops.
      log_every: steps between records of metrics.
      eval_every: steps between evaluations; the last step is evaluated as well.
      eval_batches: most held-out batches of each task.
      checkpoint_every: steps between checkpoints; the last step is saved as well.
      keep: newest checkpoints that are kept.

    Raises:
      ValueError: settings that cannot work together, or a run of another config in
        `run_dir`.
      FloatingPointError: too many non-finite steps in a row.
    """
    # ------------------------------------------------------------------- set-up
    console = Console()
    device_mesh = make_mesh(mesh)
    check_rows(batch_rows, microbatches=microbatches, mesh=device_mesh)
    shares = mixture.loss_share_array()
    words = vocabulary(mixture.vocabulary)
    check_examples(mixture, rows)
    prepare_run_dir(run_dir, config, identities=mixture.identities())

    program = Program(
        model=model,
        vocabulary_size=words.size,
        rows=rows,
        batch_rows=batch_rows,
        transformation=optimizer(schedule),
        mesh=device_mesh,
        seed=seed,
        microbatches=microbatches,
        clip_norm=clip_norm,
        normalisation=normalisation,
    )

    # ------------------------------------------------------- restore, or initialise
    checkpoints = Checkpoints(run_dir, keep=keep, period=checkpoint_every)
    restored = checkpoints.restore(program.abstract_state)
    if restored:
        start, state, saved = restored
        interval = from_json(saved["interval"])
        console.print(f"Resuming {run_dir} after step {start:,}.")
    else:
        start, state, interval = 0, program.initial_state(), fresh()
    size = sum(x.size for x in jax.tree.leaves(state.params))
    console.print(f"{size:,} parameters on {device_mesh.size} device(s).")
    if start >= steps:
        console.print(f"Step {start:,} of {steps:,} is done: nothing to do.")
        return checkpoints.close()

    # ------------------------------------- data, made on a thread while steps compile
    source = Data(mixture, rows, batch_rows)
    stream = prefetch(
        source.training(seed=seed, skip=max(0, start - 1)), ahead=MEASURED
    )
    with console.status("Compiling, and reading text"):
        train_step = program.compile_train_step()
        if restored:
            check_same(next(stream), restored[2]["last_batch"])
        first = list(itertools.islice(stream, MEASURED))

    # ---------------------------------------------------- what the mixture really is
    counts = functools.reduce(add, map(count, first))
    weighed = functools.partial(loss_shares_of, normalisation=normalisation)
    console.print(
        report.share_table(
            counts, weighed(counts, shares), utilisation=utilisation(first)
        )
    )
    stream = itertools.chain(first, stream)
    eval_step = functools.cache(program.compile_eval_step)
    held_out = functools.cache(lambda: source.held_out(most=eval_batches))

    # --------------------------------------------------------------------------- loop
    with (
        checkpoints,
        MetricsWriter(run_dir, resume_step=start) as writer,
        StopRequest() as stop,
        report.progress_bar(console) as bar,
    ):
        shown = bar.add_task("train", total=steps, completed=start, loss=0, speed=0)
        tokens, began = 0, time.perf_counter()
        waiting: list[tuple[Counts, StepMetrics]] = []
        step, last = start, False
        while not last:
            batch = next(stream)
            state, metrics = train_step(state, program.place(batch), shares)
            step += 1

            last = step == steps or stop.asked
            logs = step % log_every == 0 or step == steps
            saves = checkpoints.due(step) or last
            evaluates = step % eval_every == 0 or step == steps
            values: dict[str, float] = {}

            # A step's metrics are read while the next one runs, or when they are due.
            waiting.append((count(batch), metrics))
            while len(waiting) > (0 if logs or saves or evaluates else 1):
                counted, reported = jax.device_get(waiting.pop(0))
                stop_if_not_finite(
                    reported, step=step - len(waiting), most=most_skipped_in_a_row
                )
                interval = extend(interval, counted, reported)
                tokens += int(counted.processed.sum())
                bar.update(shown, completed=step, loss=float(reported.loss))

            if logs:
                speed = tokens / (time.perf_counter() - began)
                updates = step - int(state.skipped)
                values |= record(interval, weighed(interval.counts, shares)) | {
                    "learning_rate": float(np.asarray(schedule(updates - 1))),
                    "tokens_per_second": speed,
                }
                bar.update(shown, speed=speed)
                interval = fresh()
            if evaluates:
                measured = evaluate(program, eval_step(), state.params, held_out())
                values |= report.record_of("eval", measured._asdict())
                bar.console.print(report.evaluation_table(measured, step=step))
            if values:
                writer.write(step, values)
            if saves:
                checkpoints.save(
                    step,
                    state,
                    {"interval": to_json(interval), "last_batch": digest(batch)},
                )
            if logs or evaluates or saves:
                tokens, began = 0, time.perf_counter()

    if step < steps:
        console.print(f"Stopped after step {step:,}; the same command goes on from it.")
