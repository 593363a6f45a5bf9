"""A plan as plain values, which JSON holds and the terminal shows."""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import jax

from ...training.program import Program
from .advice import advice
from .compiled import Compiled, Refusal
from .devices import Cluster
from .finding import Evidence
from .findings import findings
from .hlo import Collective, collectives
from .hlo_text import parse
from .model_operations import model_operations
from .operations import operations
from .roofline import Roofline, roofline
from .state import State, state_of
from .traffic import traffic

Report = dict[str, Any]


def report(
    program: Program, cluster: Cluster, compiled: Compiled, *, price: float | None
) -> Report:
    """What a step needs, what bounds it, and what is wasteful.

    Sizes are bytes of one device, times seconds; what is not known is None.

    Args:
      program: that was compiled.
      cluster: that it was compiled for.
      compiled: the result.
      price: dollars of a chip-hour; None for no costs.
    """
    state = state_of(program)
    whole = _subject(program, cluster, state) | _verdict(compiled, cluster)
    whole["compiler"] = {
        "seconds": compiled.seconds,
        "cached": compiled.cached,
        "jax": jax.__version__,
    }
    whole["memory"] = _memory(compiled, state)
    if compiled.refusal is not None:
        rows = advice(
            program, state, compiled.refusal.needed, compiled.refusal.capacity
        )
        return whole | {"advice": rows, "largest": _largest(compiled.refusal)}
    module = parse(compiled.hlo)
    found = collectives(module, program.mesh)
    spent = {
        "operations": operations(module),
        "model_operations": model_operations(program) / program.mesh.size,
        "traffic": traffic(module),
    }
    whole |= spent | {"collectives": _collectives(found)}
    evidence = Evidence(program, state, module, found, compiled.log)
    whole["findings"] = [one._asdict() for one in findings(evidence)]
    if cluster.speeds is not None:
        bounds = roofline(
            operations=spent["operations"],
            traffic=spent["traffic"],
            collectives=found,
            cluster=_in_mesh_order(cluster, program),
            speeds=cluster.speeds,
        )
        whole |= _speed(program, cluster, bounds, spent["model_operations"], price)
    if whole["fits"] is False:
        needed, capacity = whole["needed"], whole["capacity"]
        whole["advice"] = advice(program, state, needed, capacity)
    return whole


def _subject(program: Program, cluster: Cluster, state: State) -> Report:
    model, rows = program.model, program.rows
    parameters = sum(
        array.size for array in jax.tree.leaves(program.abstract_state.params)
    )
    streams = [stream for stream in (rows.decoder, rows.encoder) if stream]
    return {
        "topology": cluster.name,
        "chips": cluster.chips,
        "hosts": len({device.process_index for device in cluster.devices}),
        "devices": program.mesh.size,
        "mesh": dict(program.mesh.shape),
        "architecture": rows.architecture,
        "parameters": parameters,
        "layers": model.layers,
        "remat": model.remat,
        "compute_dtype": model.compute_dtype,
        "loss_chunk": model.loss_chunk,
        "batch_rows": program.batch_rows,
        "microbatches": program.microbatches,
        "slots": [stream.slots for stream in streams],
        "tokens_per_step": program.batch_rows * sum(s.slots for s in streams),
    }


def _verdict(compiled: Compiled, cluster: Cluster) -> Report:
    if compiled.refusal is not None:
        needed, capacity = compiled.refusal.needed, compiled.refusal.capacity
        at_least = compiled.refusal.at_least
        return {
            **{"fits": False, "needed": needed, "capacity": capacity},
            "at_least": at_least,
        }
    assert compiled.memory is not None
    needed = compiled.memory.peak
    fits = None if cluster.capacity is None else needed <= cluster.capacity
    return {
        **{"fits": fits, "needed": needed, "capacity": cluster.capacity},
        "at_least": False,
        "needed_at_most": compiled.memory.at_most,
    }


def _memory(compiled: Compiled, state: State) -> Report:
    """Parts of `needed`; where the compiler refuses, its temporaries are the rest."""
    parts = {
        "parameters": state.parameter_bytes,
        "optimizer": state.optimizer_bytes,
        "batch": state.batch,
    }
    memory = compiled.memory
    if memory is None:
        assert compiled.refusal is not None
        rest = max(0, compiled.refusal.needed - sum(parts.values()))
        return parts | {"temporaries": rest}
    return parts | {
        "padding": memory.arguments - sum(parts.values()),
        "outputs": memory.outputs - memory.aliased,
        "temporaries": memory.temporaries,
        "code": memory.code,
    }


def _largest(refusal: Refusal) -> list[Report]:
    return [dataclasses.asdict(one) for one in refusal.largest[:5]]


def _collectives(found: Sequence[Collective]) -> list[Report]:
    """Sums by place, link, axes and kind, the largest first."""
    groups: dict[tuple[str, str, str, str], list[Collective]] = defaultdict(list)
    for one in found:
        link = "dcn" if one.crosses_slices else "ici"
        groups[one.role, link, " × ".join(one.axes), one.kind].append(one)
    rows = [
        {
            "role": role,
            "link": link,
            "axes": axes,
            "kind": kind,
            "bytes": sum(one.total for one in members),
            "sent": sum(one.runs * one.sent for one in members),
            "runs": sum(one.runs for one in members),
            "largest": max(one.bytes for one in members),
        }
        for (role, link, axes, kind), members in groups.items()
    ]
    return sorted(rows, key=lambda row: -row["bytes"])


def _speed(
    program: Program,
    cluster: Cluster,
    bounds: Roofline,
    model_operations: float,
    price: float | None,
) -> Report:
    assert cluster.speeds is not None
    rows = program.rows
    slots = sum(stream.slots for stream in (rows.decoder, rows.encoder) if stream)
    tokens = program.batch_rows * slots / bounds.seconds
    hosts = len({device.process_index for device in cluster.devices})
    hourly = None if price is None else price * cluster.chips
    return {
        "seconds": dataclasses.asdict(bounds),
        "step_seconds": bounds.seconds,
        "bound": bounds.bound,
        "tokens_per_second": tokens,
        "tokens_per_second_per_host": tokens / hosts,
        "mfu": model_operations / bounds.seconds / cluster.speeds.flops,
        "dollars_per_billion_tokens": hourly and hourly / 3600 / tokens * 1e9,
    }


def _in_mesh_order(cluster: Cluster, program: Program) -> Cluster:
    return dataclasses.replace(cluster, devices=list(program.mesh.devices.flat))
