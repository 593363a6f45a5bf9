"""Bytes that a compiled program reads and writes in the main memory of a device.

Every instruction outside of a fusion reads its operands and writes its result once;
what lies in other memories of the chip (VMEM) is not counted. Of an operand that is
only sliced, and of a result that is updated in place, the slice counts.
"""

from collections.abc import Iterator

from .hlo import KINDS
from .hlo_text import Computation, Instruction, Module, Shape
from .loops import Place, places

_FREE = {
    "parameter",
    "constant",
    "tuple",
    "get-tuple-element",
    "bitcast",
    "while",
    "call",
    "conditional",
    "after-all",
    "partition-id",
    "replica-id",
    "opt-barrier",
    "async-start",
    "async-update",
}
_SLICES = {"dynamic-slice", "slice", "gather"}
_VIEWS = {"bitcast", "reshape"}


def traffic(module: Module) -> float:
    """Bytes of one device in a step; loop bodies count as often as they run."""
    return float(sum(place.runs * _bytes(module, place) for place in places(module)))


def _bytes(module: Module, place: Place) -> int:
    instruction, computation = place.instruction, place.computation
    opcode = instruction.opcode
    if opcode in _FREE or opcode.endswith("-done"):
        return 0
    if opcode == "custom-call" and "Async" in instruction.attributes:
        return 0  # the collective inside of it is counted where it starts
    reads = [_main(computation.instructions[n].shapes) for n in instruction.operands]
    writes = _main(instruction.shapes)
    if opcode == "copy-start":
        return reads[0] + _main(instruction.shapes[:1])
    if opcode == "fusion":
        return _fusion(module, instruction, reads)
    if opcode in _SLICES:
        return 2 * writes
    if opcode in ("dynamic-update-slice", "scatter"):
        return 2 * sum(reads[1:])
    return sum(reads) + writes


def _main(shapes: tuple[Shape, ...]) -> int:
    return sum(shape.bytes for shape in shapes if shape.space == 0)


def _fusion(module: Module, fusion: Instruction, reads: list[int]) -> int:
    inner = module.computations[fusion.called("calls") or ""]
    total = 0
    for parameter in inner.instructions.values():
        if parameter.opcode == "parameter":
            whole = reads[int(parameter.literal)]
            total += min(whole, _read(inner, parameter)) if whole else 0
    results = [inner.root.name]
    if inner.root.opcode == "tuple":
        results = list(inner.root.operands)
    if len(results) == 1:
        return total + (_main(fusion.shapes) and _written(inner, results[0]))
    # One shape of the fusion for each part of its tuple, unless parts are tuples.
    if len(results) != len(fusion.shapes):
        return total + _main(fusion.shapes)
    return total + sum(
        _written(inner, name)
        for name, shape in zip(results, fusion.shapes, strict=True)
        if shape.space == 0
    )


def _users(inner: Computation, name: str) -> Iterator[Instruction]:
    for user in inner.instructions.values():
        if name in user.operands:
            if user.opcode in _VIEWS and not user.is_root:
                yield from _users(inner, user.name)
            else:
                yield user


def _read(inner: Computation, parameter: Instruction) -> int:
    """Bytes of a parameter that a fusion reads."""
    total = 0
    for user in _users(inner, parameter.name):
        if user.opcode in _SLICES:
            total += _sizes(user)
        elif user.opcode == "dynamic-update-slice" and _is_target(
            inner, user, parameter
        ):
            continue
        elif user.opcode in KINDS:
            total += _sizes(parameter)
        elif user.opcode in ("tuple", "custom-call", *_VIEWS):
            continue  # handed on as it is
        else:
            return _sizes(parameter)
    return total


def _is_target(inner: Computation, update: Instruction, parameter: Instruction) -> bool:
    """Whether a parameter is what is updated, not what it is updated with."""
    target = inner.instructions[update.operands[0]]
    while target.opcode in _VIEWS:
        target = inner.instructions[target.operands[0]]
    return target is parameter


def _written(inner: Computation, name: str) -> int:
    """Bytes of a part of a fusion's result that it writes."""
    made = inner.instructions[name]
    while made.opcode in _VIEWS:
        made = inner.instructions[made.operands[0]]
    if made.opcode in ("parameter", "custom-call"):
        return 0
    if made.opcode == "dynamic-update-slice":
        return _sizes(inner.instructions[made.operands[1]])
    return _sizes(made)


def _sizes(instruction: Instruction) -> int:
    return sum(shape.bytes for shape in instruction.shapes)
