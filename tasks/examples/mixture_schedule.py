"""What of a mixture changes over a run, by step."""

from collections.abc import Mapping
from typing import Any

from ...objectives.errors import UsageError, nearest

SCHEDULED = ("rates", "loss_shares")
"""What a schedule may change."""


def check_schedule(where: str, schedule: Mapping[Any, Any]) -> None:
    """Refuses steps that do not ascend from 1, and changes of anything else.

    Args:
      where: begins the message.
      schedule: changes by the first step that they hold for.

    Raises:
      UsageError: naming the step.
    """
    before = 0
    for step, changes in schedule.items():
        whole = isinstance(step, int) and not isinstance(step, bool)
        if not whole or step <= before:
            raise UsageError(
                f"{where} has step {step!r}"
                + (f" after step {before}" if before else "")
                + "; its steps are whole numbers from 1 on, in ascending order. What "
                "holds from step 0 on is Mixture.rates and Mixture.loss_shares."
            )
        before = step
        if not isinstance(changes, Mapping) or not changes:
            raise UsageError(
                f"{where} has {changes!r} at step {step}; give a dict of 'rates', "
                "'loss_shares' or both, or take the step out."
            )
        for name in changes:
            if name not in SCHEDULED:
                raise UsageError(
                    f"{where} changes {name!r} at step {step}, which stays the same "
                    f"over a run; {nearest(name, SCHEDULED)}"
                )
        if changes.get("rates", {}) is None:
            raise UsageError(f"{where} has no rates at step {step}; give some.")


def values_by_step(
    start: Mapping[str, Any], schedule: Mapping[int, Mapping[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Everything that may change, by the first step that it holds for, from 0 on.

    Args:
      start: what holds at step 0, for each of `SCHEDULED`.
      schedule: changes; what one leaves out stays as it was.
    """
    now = dict(start)
    values = {0: now}
    for step, changes in schedule.items():
        now = {**now, **changes}
        values[step] = now
    return values
