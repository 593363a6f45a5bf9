"""How long proxies take side by side, and one after another."""

import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jaxtyping import Float
from rich.progress import track

from ...objectives.errors import require_count
from ..training.population import Population
from ..training.program import program_of
from ._batches import BATCHES, Steps, some_batches


def population_seconds(
    settings: Mapping[str, Any], *, sizes: tuple[int, ...], rounds: int
) -> dict[int, Float[np.ndarray, " rounds"]]:
    """Seconds of a step of 1 proxy and of populations, in turns; keys are sizes.

    Args:
      settings: arguments of `train`; they describe one proxy.
      sizes: of the populations.
      rounds: steps of each.
    """
    for size in sizes:
        require_count("--population", size, least=2)
    program = program_of(settings)
    mixture = settings["mixture"]
    batches, shares = some_batches(mixture, settings), mixture.loss_share_array()
    alone = Steps(program)
    placed = [program.place(batch) for batch in batches]
    runs = {}
    for size in sizes:
        population = Population(program=program, seeds=tuple(range(size)))
        own = [
            population.place([batches[(n + m) % BATCHES] for m in range(size)])
            for n in range(BATCHES)
        ]
        together = population.compile_train_step()
        runs[size] = [together, population.initial_state(), own]
    seconds: dict[int, list[float]] = {1: [], **{size: [] for size in sizes}}
    for round_ in track(range(-1, rounds), "Timing steps", transient=True):
        spent = {1: alone.seconds(placed[round_ % BATCHES], shares)}
        for size, run in runs.items():
            begun = time.perf_counter()
            repeated = np.tile(shares, (size, 1))
            run[1], metrics = run[0](run[1], run[2][round_ % BATCHES], repeated)
            jax.block_until_ready(metrics)
            spent[size] = time.perf_counter() - begun
        if round_ >= 0:  # the first round warms up
            for size, each in spent.items():
                seconds[size].append(each)
    return {size: np.array(each) for size, each in seconds.items()}
