"""Learning rates as functions of the number of updates so far, from 0.

Gin binds a factory, `train.schedule = @warmup_cosine`, and `train` passes it the steps
of the run, so that a schedule is as long as its run.
"""

import inspect
from collections.abc import Callable

import jax.numpy as jnp
import optax

from ...objectives.errors import UsageError, require_positive, require_share


def schedule_of(make: Callable[..., optax.Schedule], *, steps: int) -> optax.Schedule:
    """The schedule that a factory makes for a run of that many steps.

    Raises:
      UsageError: it is a schedule with a length of its own, not a factory.
    """
    try:
        inspect.signature(make).bind(steps=steps)
    except TypeError as error:
        raise UsageError(
            "train.schedule is a schedule with a length of its own; train passes it "
            "the steps of the run. Bind it without parentheses, as in "
            "`train.schedule = @warmup_cosine`, and take out `warmup_cosine.steps`."
        ) from error
    return make(steps=steps)


def constant(value: float, *, steps: int) -> optax.Schedule:
    """The same learning rate at every step."""
    del steps
    require_positive("constant.value", value)
    return optax.constant_schedule(value)


def warmup_cosine(
    peak: float, *, warmup_steps: int | float, steps: int, final_fraction: float = 0.1
) -> optax.Schedule:
    """Linear to the peak, then half a cosine down to `final_fraction · peak`.

    Args:
      peak: highest learning rate, reached at update `warmup_steps`.
      warmup_steps: updates of the warm-up, or below 1 a share of `steps`; the first
        update has `peak / warmup_steps`, not 0.
      steps: updates of the whole run.
      final_fraction: of the peak, at the end and after.
    """
    require_positive("warmup_cosine.peak", peak)
    require_share("warmup_cosine.final_fraction", final_fraction)
    warmup_steps = _warmup_steps(warmup_steps, steps=steps, end=steps)
    decay = optax.cosine_decay_schedule(
        peak, max(1, steps - warmup_steps), final_fraction
    )
    return optax.join_schedules([_warmup(peak, warmup_steps), decay], [warmup_steps])


def warmup_rsqrt(
    peak: float, *, warmup_steps: int | float, steps: int
) -> optax.Schedule:
    """Linear to the peak, then `peak · √(warmup_steps / t)` without end (T5 §3.1.2).

    Args:
      peak: highest learning rate, reached at update `warmup_steps`.
      warmup_steps: updates of the warm-up, or below 1 a share of `steps`.
      steps: updates of the whole run; the curve does not depend on them.
    """
    require_positive("warmup_rsqrt.peak", peak)
    warmup_steps = _warmup_steps(warmup_steps, steps=steps, end=steps + 1)

    def decay(step):
        # A joined schedule is also evaluated at steps before its beginning.
        return peak * (warmup_steps / (jnp.maximum(step, 0) + warmup_steps)) ** 0.5

    return optax.join_schedules([_warmup(peak, warmup_steps), decay], [warmup_steps])


def warmup_stable_decay(
    peak: float,
    *,
    warmup_steps: int | float,
    steps: int,
    decay_steps: int | float,
    final_fraction: float = 0.0,
) -> optax.Schedule:
    """Linear to the peak, flat, then linear down over the last `decay_steps`.

    A run can be made longer from any checkpoint of the flat part (MiniCPM §4).

    Args:
      peak: highest learning rate.
      warmup_steps: updates of the warm-up, or below 1 a share of `steps`.
      steps: updates of the whole run.
      decay_steps: updates of the decay, or below 1 a share of `steps`.
      final_fraction: of the peak, at the end and after.
    """
    require_positive("warmup_stable_decay.peak", peak)
    require_share("warmup_stable_decay.final_fraction", final_fraction)
    decay_steps = _count("decay_steps", decay_steps, steps=steps)
    if not 1 <= decay_steps < steps:
        raise UsageError(
            f"decay_steps={decay_steps} must be at least 1 and less than steps={steps}."
        )
    warmup_steps = _warmup_steps(warmup_steps, steps=steps, end=steps - decay_steps)
    down = optax.linear_schedule(peak, final_fraction * peak, decay_steps)
    return optax.join_schedules(
        [_warmup(peak, warmup_steps), optax.constant_schedule(peak), down],
        [warmup_steps, steps - decay_steps],
    )


def _warmup(peak: float, warmup_steps: int) -> optax.Schedule:
    return optax.linear_schedule(peak / warmup_steps, peak, max(warmup_steps - 1, 1))


def _warmup_steps(warmup: int | float, *, steps: int, end: int) -> int:
    """Updates of the warm-up of a run.

    Args:
      warmup: updates, or a share of `steps`, rounded to at least one.
      steps: of the run.
      end: the update by which the warm-up must be over.
    """
    count = _count("warmup_steps", warmup, steps=steps)
    if not 1 <= count < max(end, 2):
        raise UsageError(
            f"warmup_steps={count} must be at least 1 and less than {end}, where the "
            f"decay begins or ends (steps={steps}); bind fewer, or train longer."
        )
    return count


def _count(name: str, updates: int | float, *, steps: int) -> int:
    """Updates of a part of a run that are given as such, or as a share of `steps`.

    Raises:
      UsageError: it is neither.
    """
    share = isinstance(updates, float)
    if isinstance(updates, bool) or (share and not 0 < updates < 1):
        raise UsageError(
            f"{name}={updates} is neither a number of steps (an integer ≥ 1) nor a "
            "share of them (between 0 and 1)."
        )
    return max(1, round(updates * steps)) if share else int(updates)
