"""Learning rates: functions of the number of updates made so far, from 0."""

import jax.numpy as jnp
import optax

from ...objectives.errors import UsageError


def constant(value: float) -> optax.Schedule:
    """The same learning rate at every step."""
    return optax.constant_schedule(value)


def warmup_cosine(
    peak: float, *, warmup_steps: int, steps: int, final_fraction: float = 0.1
) -> optax.Schedule:
    """Linear to the peak, then half a cosine down to `final_fraction · peak`.

    Args:
      peak: highest learning rate, reached at update `warmup_steps`.
      warmup_steps: updates of the warm-up; the first one is not lost: it has
        `peak / warmup_steps`.
      steps: updates of the whole run.
      final_fraction: of the peak, at the end and after.
    """
    _check(warmup_steps, steps)
    decay = optax.cosine_decay_schedule(peak, steps - warmup_steps, final_fraction)
    return optax.join_schedules([_warmup(peak, warmup_steps), decay], [warmup_steps])


def warmup_rsqrt(peak: float, *, warmup_steps: int) -> optax.Schedule:
    """Linear to the peak, then `peak · √(warmup_steps / t)` without end (T5 §3.1.2).

    Args:
      peak: highest learning rate, reached at update `warmup_steps`.
      warmup_steps: updates of the warm-up.
    """
    _check(warmup_steps, None)

    def decay(step):
        # A joined schedule is asked about steps before its beginning, too.
        return peak * (warmup_steps / (jnp.maximum(step, 0) + warmup_steps)) ** 0.5

    return optax.join_schedules([_warmup(peak, warmup_steps), decay], [warmup_steps])


def warmup_stable_decay(
    peak: float,
    *,
    warmup_steps: int,
    steps: int,
    decay_steps: int,
    final_fraction: float = 0.0,
) -> optax.Schedule:
    """Linear to the peak, flat, then linear down over the last `decay_steps`.

    A run can be made longer from any checkpoint of the flat part (MiniCPM §4).

    Args:
      peak: highest learning rate.
      warmup_steps: updates of the warm-up.
      steps: updates of the whole run.
      decay_steps: updates of the decay.
      final_fraction: of the peak, at the end and after.
    """
    _check(warmup_steps, steps - decay_steps)
    down = optax.linear_schedule(peak, final_fraction * peak, decay_steps)
    return optax.join_schedules(
        [_warmup(peak, warmup_steps), optax.constant_schedule(peak), down],
        [warmup_steps, steps - decay_steps],
    )


def _warmup(peak: float, warmup_steps: int) -> optax.Schedule:
    return optax.linear_schedule(peak / warmup_steps, peak, max(warmup_steps - 1, 1))


def _check(warmup_steps: int, end: int | None) -> None:
    if warmup_steps < 1 or (end is not None and end <= warmup_steps):
        raise UsageError(
            f"a schedule needs 1 ≤ warmup_steps < the steps before its decay ends or "
            f"begins, got warmup_steps={warmup_steps} and {end} steps."
        )
