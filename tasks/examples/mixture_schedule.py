"""What of a mixture changes over a run, by step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...objectives.errors import UsageError, nearest

SCHEDULED = ("rates", "loss_shares", "settings")
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
                "holds from step 0 on is Mixture.rates, Mixture.loss_shares and the "
                "settings of objectives."
            )
        before = step
        if not isinstance(changes, Mapping) or not changes:
            raise UsageError(
                f"{where} has {changes!r} at step {step}; give a dict of 'rates', "
                "'loss_shares' or 'settings', or take the step out."
            )
        for name in changes:
            if name not in SCHEDULED:
                raise UsageError(
                    f"{where} changes {name!r} at step {step}, which stays the same "
                    f"over a run; {nearest(name, SCHEDULED)}"
                )
        rates = changes.get("rates", {})
        if not isinstance(rates, Mapping):
            raise UsageError(
                f"{where} has the rates {rates!r} at step {step}; give a dict, such as "
                "{'python_docs.causal': 1.0}."
            )
        settings = changes.get("settings", {})
        if not isinstance(settings, Mapping) or not all(
            isinstance(each, Mapping) for each in settings.values()
        ):
            raise UsageError(
                f"{where} has the settings {settings!r} at step {step}; give those of "
                "each objective, such as {'masked': {'rate': 0.15}}."
            )


def values_by_step(
    start: Mapping[str, Any],
    schedule: Mapping[int, Mapping[str, Any]],
    *,
    settings_of: Callable[[str], Mapping[str, Any]],
) -> dict[int, dict[str, Any]]:
    """Everything that may change, by the first step that it holds for, from 0 on.

    An objective whose settings change is mixed as a variant from then on, with a window
    and a place in the corpus of its own: `masked` as `from_1000/masked`, `x/masked` as
    `x_from_1000/masked`.

    Args:
      start: what holds at step 0, for each of `SCHEDULED`, and the `corpora` to share
        rates out to, which a phase has none of that shares none out.
      schedule: changes; what one leaves out stays as it was.
      settings_of: settings of an objective or variant at step 0.

    Raises:
      UsageError: settings of an objective that is not mixed from that step on.
    """
    now = dict(start)
    rates, variants = start["rates"], dict[str, str]()
    values = {0: now}
    for step, changes in schedule.items():
        rates = changes.get("rates", rates)
        settings = dict(now["settings"])
        for name, change in changes.get("settings", {}).items():
            _require_mixed(name, step, rates)
            before = settings.get(variants.get(name, name), settings_of(name))
            scope, _, base = name.rpartition("/")
            variants[name] = f"{scope}{'_' if scope else ''}from_{step}/{base}"
            settings[variants[name]] = {**before, **change}
        named = {_renamed(task, variants): rate for task, rate in rates.items()}
        now = {**now, **changes, "rates": named, "settings": settings}
        values[step] = now
    # Where no phase shares rates out, corpora are a mistake, which a mixture refuses.
    shares_out = [step for step, now in values.items() if _shares_out(now["rates"])]
    for step in values if shares_out else ():
        if step not in shares_out:
            values[step] = {**values[step], "corpora": {}}
    return values


def _shares_out(rates: Mapping[str, float | int]) -> bool:
    """Whether a rate names no corpus, so that those of the mixture share it."""
    return any("." not in task for task in rates)


def mean_rates(phases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean rate of each task over phases, on the scale of the first's."""
    scale = sum(phases[0].values()) / len(phases)
    rates: dict[str, float] = {}
    for phase in phases:
        total = sum(phase.values())
        for task, rate in phase.items():
            rates[task] = rates.get(task, 0.0) + rate / total * scale
    return rates


def _renamed(task: str, variants: Mapping[str, str]) -> str:
    """The task with its objective as it is called now."""
    corpus, dot, name = task.rpartition(".")
    return corpus + dot + variants.get(name, name)


def _require_mixed(name: str, step: int, rates: Mapping[str, float | int]) -> None:
    mixed = {task.rpartition(".")[2] for task, rate in rates.items() if rate}
    if name not in mixed:
        raise UsageError(
            f"Mixture.schedule changes settings of {name!r} at step {step}, where the "
            f"rates have no such objective; {nearest(name, mixed)}"
        )
