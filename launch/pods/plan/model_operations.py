"""Operations that the model itself asks for, however a step computes them.

The matrix products of one forward pass, three times: backwards each costs two. What is
computed again to save memory counts only in `operations`. Attention counts all pairs of
slots, those masked too, as in the definition of MFU (PaLM, appendix B).
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from jax.extend import core

from ...training.program import Program


def model_operations(program: Program) -> float:
    """Operations of a step, on all devices together; a multiply-add is two."""
    # Chunks of the loss are filled up to one size, with what no model asks for.
    model = dataclasses.replace(program.model, loss_chunk=None)
    whole = dataclasses.replace(program, model=model)
    return 3.0 * program_operations(whole.trace_eval_step().jaxpr)


def program_operations(jaxpr: Any) -> float:
    """Operations of the matrix products of a traced function.

    Args:
      jaxpr: open or closed. Bodies of scans count as often as they run, the largest
        branch of a conditional counts, bodies of `while` count once.
    """
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    return sum((_operations(one) for one in jaxpr.eqns), 0.0)


def _operations(equation: Any) -> float:
    name, parameters = equation.primitive.name, equation.params
    if name == "dot_general":
        ((contracted, _), _) = parameters["dimension_numbers"]
        left = equation.invars[0].aval.shape
        width = math.prod(left[axis] for axis in contracted)
        return 2.0 * equation.outvars[0].aval.size * width
    if name == "cond":
        return max(program_operations(branch) for branch in parameters["branches"])
    inner = sum((program_operations(one) for one in _inner(parameters)), 0.0)
    if name == "scan":
        return parameters["length"] * inner
    if name == "shard_map":
        manual = parameters.get("manual_axes", parameters["mesh"].axis_names)
        sizes = dict(parameters["mesh"].shape)
        return math.prod(sizes[axis] for axis in manual) * inner
    if name == "pallas_call":
        estimate = parameters.get("cost_estimate")
        grid = parameters["grid_mapping"].grid
        return float(estimate.flops) if estimate else math.prod(grid) * inner
    return inner


def _inner(parameters: dict[str, Any]) -> Iterator[Any]:
    """The functions that an equation calls, whatever it calls them."""
    for value in parameters.values():
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, core.ClosedJaxpr | core.Jaxpr):
                yield one
