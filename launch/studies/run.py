"""Trains one run of a study; killed or stopped, it goes on where it was."""

import contextlib
import time
from collections.abc import Callable

import jax
import numpy as np
from jaxtyping import PyTree

from ...tasks.shares.counts import count
from ..runs.checkpoints import Checkpoints
from ..training.phases import loss_shares_by_update
from ..training.state import TrainState, initial_state
from ..training.step import stop_if_not_finite
from .resources import StudyResources
from .runs import Run, learning_rates
from .store import (
    Saved,
    Store,
    data_of,
    has_point,
    keep_point,
    read_point,
    saved_of,
)

CHECK_EVERY = 50
"""Steps between checks that the loss is finite."""

SAVE_EVERY = 60.0
"""Seconds between checkpoints of a run under way."""

BRANCH_SEED = 2**20
"""Added to the seed of the rows of a branch: it does not read again, in the same order,
what its base has read first."""


def train(
    resources: StudyResources,
    store: Store,
    run: Run,
    *,
    deadline: float = np.inf,
    progress: Callable[[int], None] = lambda tokens: None,
) -> bool:
    """Trains a run to its end, or until the time is over; either way it is saved.

    Args:
      resources: the study's programs and rows.
      store: its folder.
      run: what is trained.
      deadline: `time.time()` at which to save and stop; one step at least is done.
      progress: called with the tokens processed.

    Returns:
      Whether the run is at its end.

    Raises:
      NotFiniteError: ten steps in a row were not finite.
    """
    folder, mixture = store.run(run), run.arm.mixture
    size = resources.study.batch_tokens
    rates = learning_rates(run.arm, run.length, batch_tokens=size)
    shares = loss_shares_by_update(mixture)
    with contextlib.ExitStack() as stack:
        checkpoints = stack.enter_context(Checkpoints(folder, keep=1, period=1))
        step, state, tokens, position = _begin(resources, store, run, checkpoints)
        stream = resources.rows.training(
            mixture, seed=_rows_seed(run), position=position
        )
        stack.callback(stream.close)
        ahead = [point for point in run.kept if not has_point(folder, point)]
        began, saved_at = step, time.monotonic()
        for batch, position in stream:
            here = Saved(step, state, tokens, position)
            while ahead and ahead[0] <= tokens:
                kept = state if ahead[0] in run.forks else _params_of(state)
                keep_point(folder, ahead.pop(0), kept, here)
            if tokens >= run.length:
                break
            over = step > began and time.time() >= deadline
            if over or time.monotonic() - saved_at > SAVE_EVERY:
                if step != checkpoints.newest:
                    checkpoints.save(step, state, data_of(here))
                saved_at = time.monotonic()
            if over:
                return False
            rate = rates[min(tokens // size, len(rates) - 1)]
            state, metrics = resources.step(
                state, resources.program.place(batch), shares(step), rate
            )
            tokens, step = tokens + int(count(batch).processed.sum()), step + 1
            if step % CHECK_EVERY == 0:
                stop_if_not_finite(jax.device_get(metrics), step=step, most=10)
                progress(tokens)
    store.finish(run)
    return True


def _begin(
    resources: StudyResources, store: Store, run: Run, checkpoints: Checkpoints
) -> Saved:
    """The state that a run goes on from, or begins with."""
    program = resources.program_of(run.seed)
    restored = checkpoints.restore(program.abstract_state)
    if restored is not None:
        return saved_of(*restored)
    if run.fork:
        return read_point(store.longest(run), run.fork, program.abstract_state)
    if run.arm.base is None:
        return Saved(0, program.initial_state(), 0, None)
    base = resources.arms[run.arm.base]
    params = read_point(
        store.of(base.name, run.seed),
        base.lengths[-1],
        program.abstract_params,
        prefix="params.",
    ).state.params
    placement = jax.tree.map(lambda x: x.sharding, program.abstract_state)
    with jax.set_mesh(program.mesh):
        begin = jax.jit(
            lambda given: initial_state(given, program.transformation),
            out_shardings=placement,
        )
        return Saved(0, begin(params), 0, None)


def _rows_seed(run: Run) -> int:
    return run.seed if run.arm.base is None else run.seed + BRANCH_SEED


def _params_of(state: TrainState) -> PyTree:
    """The parameters alone, where they stand in the state."""
    return jax.tree.map(lambda _: None, state)._replace(params=state.params)
