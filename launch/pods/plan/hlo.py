"""The collectives of a compiled program: how many bytes, how often, over which axes.

for one in collectives(compiled.as_text(), mesh):
    print(one.kind, one.bytes, one.runs, one.axes, one.role)
"""

import dataclasses
import re
from collections.abc import Iterator

import numpy as np
from jax.sharding import Mesh

from .hlo_text import Computation, Instruction, Module, parse
from .loops import ROLES, Loop, Place, places, role_of, runs
from .replica_groups import replica_groups, spanned_axes

KINDS = (
    "all-gather",
    "all-reduce",
    "reduce-scatter",
    "all-to-all",
    "collective-permute",
    "collective-broadcast",
    "ragged-all-to-all",
)
OUTSIDE = "outside"
"""The role of what is part of no loop."""

_BETWEEN_SLICES = re.compile(r'_xla_megascale_transfer_type="(\w+)"')


@dataclasses.dataclass(frozen=True)
class Collective:
    """One collective of the program, as one device runs it.

    Attributes:
      kind: one of `KINDS`.
      bytes: of the whole array that is gathered, reduced, scattered or exchanged by a
        group: the result of an all-gather, the input of the others.
      role: what it is part of: a value of `loops.ROLES`, which "layers" and "loss
        chunks" are, or "outside". By the loop around it, and where the compiler has
        taken it out of one (peeled the first trip, unrolled) by the source.
      loops: around it, the outermost first.
      axes: names of the mesh axes that its groups span.
      members: places in the mesh, in row-major order, of the first group that takes
        part together.
      crosses_slices: whether a group has devices of several slices.
      dtype: of its largest array.
      op_name: the JAX operation that it comes from.
      placed: bytes of its inputs that are slices written into other arrays: a sum of
        them over devices is a gather.
      name: of the instruction.
    """

    kind: str
    bytes: int
    role: str
    loops: tuple[Loop, ...]
    axes: tuple[str, ...]
    members: tuple[int, ...]
    crosses_slices: bool
    dtype: str
    op_name: str
    placed: int
    name: str

    @property
    def group(self) -> int:
        """Devices that take part together."""
        return len(self.members)

    @property
    def runs(self) -> int:
        """How often it runs in a step."""
        return runs(self.loops)

    @property
    def sent(self) -> float:
        """Bytes that each device sends in one run, by a ring over its group.

        `(n - 1) / n` of the array, for an all-reduce twice that (it is a
        reduce-scatter and an all-gather); a permute sends the array.
        """
        if self.kind in ("collective-permute", "collective-broadcast"):
            return float(self.bytes)
        passes = 2 if self.kind == "all-reduce" else 1
        return passes * self.bytes * (self.group - 1) / self.group

    @property
    def total(self) -> int:
        """`bytes` of all runs of a step."""
        return self.bytes * self.runs


def collectives(program: str | Module, mesh: Mesh) -> list[Collective]:
    """The collectives of a program that join more than one device.

    XLA:TPU writes a collective that runs beside computation into each of the fusions
    that it runs beside, under one channel: it is listed once. Outside of fusions a
    channel says nothing: all of `jax.shard_map` have the first. A fusion that adds up
    an array and keeps a slice of it (`all-reduce-scatter`) is a reduce-scatter. Between
    slices it sends to the hosts' own transport, after a collective inside of each.

    Args:
      program: of `jax.stages.Compiled.as_text()`, or the same parsed.
      mesh: that the program was compiled for.
    """
    module = parse(program) if isinstance(program, str) else program
    slices = slice_indices(mesh)
    found = []
    seen: set[tuple[str, ...]] = set()
    for place in places(module):
        for instruction, holder, kind in _within(module, place):
            key = (place.computation.name, *_identity(instruction, holder, place))
            if key in seen:
                continue
            seen.add(key)
            one = _collective(module, instruction, holder, kind, place, mesh, slices)
            if one.group > 1:
                found.append(one)
    return found


def slice_indices(mesh: Mesh) -> np.ndarray:
    """The slice of each device, in the order of the mesh; 0 where there are none."""
    return np.array([getattr(d, "slice_index", 0) or 0 for d in mesh.devices.flat])


def _within(
    module: Module, place: Place
) -> Iterator[tuple[Instruction, Computation, str]]:
    """The collectives that an instruction is or holds, and the kind of each."""
    instruction = place.instruction
    kind = instruction.opcode.removesuffix("-start")
    between = _BETWEEN_SLICES.search(instruction.attributes)
    if between and kind == "send":
        kind = between[1].lower().replace("_", "-")
        kind = "collective-permute" if kind == "one-to-one" else kind
        yield instruction, place.computation, kind
    elif kind in KINDS:
        yield instruction, place.computation, kind
    called = instruction.called("calls") if instruction.opcode == "fusion" else None
    if called is None:
        return
    computation = module.computations[called]
    scattered = called.startswith("all-reduce-scatter")
    for inner in computation.instructions.values():
        if inner.opcode in KINDS:
            reduced = inner.opcode == "all-reduce" and scattered
            yield inner, computation, "reduce-scatter" if reduced else inner.opcode
        elif inner.opcode == "fusion":
            yield from _within(module, Place(inner, computation, place.loops))


def _identity(
    instruction: Instruction, holder: Computation, place: Place
) -> tuple[str, ...]:
    """What parts of one collective have in common, within a computation."""
    channel = re.search(r"channel_id=(\d+)", instruction.attributes)
    if channel is None or holder is place.computation:
        return (instruction.name,)
    return channel[0], instruction.opcode, str(instruction.shapes), instruction.op_name


def _collective(
    module: Module,
    instruction: Instruction,
    holder: Computation,
    kind: str,
    place: Place,
    mesh: Mesh,
    slices: np.ndarray,
) -> Collective:
    between = instruction.opcode == "send"
    if between:
        groups = _one_of_each(slices)
    else:
        groups = replica_groups(instruction.attributes, mesh.size)
    operands = instruction.operands
    if kind == "collective-permute" or between:
        operands = operands[:1]  # others say where the array lies, or when to begin
    arrays = [shape for name in operands for shape in holder.instructions[name].shapes]
    size = sum(shape.bytes for shape in arrays)
    if kind == "all-gather":
        size *= groups.shape[1]
    names = tuple(mesh.axis_names)
    return Collective(
        kind=kind,
        bytes=size,
        role=_role(module, instruction, place),
        loops=place.loops,
        axes=tuple(names[n] for n in spanned_axes(groups, mesh.devices.shape)),
        members=tuple(groups[0].tolist()),
        crosses_slices=bool((slices[groups] != slices[groups[:, :1]]).any()),
        dtype=max(arrays, key=lambda shape: shape.bytes).dtype,
        op_name=instruction.op_name,
        placed=sum(
            shape.bytes
            for name in operands
            if _writes_a_slice(module, holder.instructions[name])
            for shape in holder.instructions[name].shapes
        ),
        name=instruction.name,
    )


def _writes_a_slice(module: Module, instruction: Instruction) -> bool:
    """Whether its last operation, also of what it fuses, writes a slice."""
    called = instruction.called("calls")
    if instruction.opcode == "fusion" and called is not None:
        instruction = module.computations[called].root
    return instruction.opcode == "dynamic-update-slice"


def _role(module: Module, instruction: Instruction, place: Place) -> str:
    """By the innermost loop that has a role, by the source, or the innermost loop."""
    roles = [loop.role for loop in reversed(place.loops)]
    named = [role for role in roles if role in ROLES.values()]
    source = None
    if "/while/body/" in instruction.op_name:
        source = role_of(module.stack(instruction))
    return next(iter([*named, *([source] if source else []), *roles]), OUTSIDE)


def _one_of_each(slices: np.ndarray) -> np.ndarray:
    """The first devices of the slices, the second ones, and so on: [devices, slices].

    Slices are laid out along the first axis of the mesh (`training.mesh`).
    """
    return np.arange(len(slices)).reshape(len(set(slices)), -1).T
