"""Floating-point operations of a compiled program, each loop body as often as it runs.

Only matrix products are counted: `dot`, and `convolution`, into which XLA:TPU turns
every product. The rest of a step is bound by memory, not by arithmetic.
"""

import math
import re
from collections.abc import Iterator

import numpy as np

from .hlo_text import Computation, Instruction, Module
from .loops import Place, places


def operations(module: Module) -> float:
    """Operations of one device in a step; a multiply-add is two."""
    return float(
        sum(
            place.runs * _operations(instruction, holder)
            for place in places(module)
            for instruction, holder in _within(module, place)
        )
    )


def silent_kernels(module: Module) -> list[str]:
    """Kernels that do not say what they compute: their operations are not counted."""
    return sorted(
        {
            place.instruction.op_name or place.instruction.name
            for place in places(module)
            if _is_kernel(place.instruction) and _stated(place.instruction) is None
        }
    )


def _within(module: Module, place: Place) -> Iterator[tuple[Instruction, Computation]]:
    """The instruction, or those of a fusion and of the fusions inside of it."""
    called = place.instruction.called("calls")
    if place.instruction.opcode != "fusion" or called is None:
        yield place.instruction, place.computation
        return
    computation = module.computations[called]
    for inner in computation.instructions.values():
        yield from _within(module, Place(inner, computation, place.loops))


def _operations(instruction: Instruction, holder: Computation) -> float:
    if instruction.opcode == "dot":
        sides = re.search(r"lhs_contracting_dims=\{([\d,]*)\}", instruction.attributes)
        contracted = sides[1].split(",") if sides and sides[1] else []
        left = _operand(instruction, holder, 0)
        width = math.prod(left[int(n)] for n in contracted)
        return 2.0 * instruction.shapes[0].elements * width
    if instruction.opcode == "convolution":
        return _convolution(instruction, holder)
    if _is_kernel(instruction):
        return _stated(instruction) or 0.0
    if "__cublas$" in instruction.attributes:
        sides = re.search(
            r'"lhs_contracting_dimensions":\[([^\]]*)\]', instruction.attributes
        )
        left = _operand(instruction, holder, 0)
        contracted = re.findall(r"\d+", sides[1]) if sides else []
        width = math.prod(left[int(n)] for n in contracted)
        return 2.0 * instruction.shapes[0].elements * width
    return 0.0


def _convolution(instruction: Instruction, holder: Computation) -> float:
    """Pairs of window and input positions that meet, times features and batch."""
    labels = re.search(r"dim_labels=(\w+)_(\w+)->(\w+)", instruction.attributes)
    assert labels, instruction.attributes[:200]
    left, kernel, out = labels[1], labels[2], labels[3]
    sizes = dict(zip(left, _operand(instruction, holder, 0), strict=True))
    features = dict(zip(kernel, _operand(instruction, holder, 1), strict=True))
    made = dict(zip(out, instruction.shapes[0].dimensions, strict=True))
    window = _window(instruction.attributes)
    pairs = 1
    for axis in (label for label in out if label.isdigit()):
        pairs *= _meeting(sizes[axis], made[axis], int(axis), window)
    return 2.0 * made["b"] * made["f"] * features["i"] * pairs


def _window(attributes: str) -> dict[str, list[str]]:
    """`size=4x32 stride=3x31` as lists by name."""
    match = re.search(r"window=\{([^}]*)\}", attributes)
    parts = (one.split("=") for one in match[1].split()) if match else ()
    return {name: value.split("x") for name, value in parts}


def _meeting(size: int, made: int, axis: int, window: dict[str, list[str]]) -> int:
    """(Output, window) positions of an axis that read an input, not padding or gaps.

    XLA:TPU writes batch dimensions of a product as window dimensions in which each
    output meets one position only.
    """

    def value(name: str, default: int) -> int:
        return int(window[name][axis]) if name in window else default

    low = int(window["pad"][axis].partition("_")[0]) if "pad" in window else 0
    gap = value("lhs_dilate", 1)
    starts = np.arange(made) * value("stride", 1) - low
    inside = np.arange(value("size", 1)) * value("rhs_dilate", 1)
    places = starts[:, None] + inside[None]
    reads = (places >= 0) & (places <= (size - 1) * gap) & (places % gap == 0)
    return int(reads.sum())


def _operand(
    instruction: Instruction, holder: Computation, number: int
) -> tuple[int, ...]:
    return holder.instructions[instruction.operands[number]].shapes[0].dimensions


def _is_kernel(instruction: Instruction) -> bool:
    return instruction.opcode == "custom-call" and bool(
        re.search(
            r'custom_call_target="(tpu_custom_call|__gpu\$xla.gpu.triton)',
            instruction.attributes,
        )
    )


def _stated(instruction: Instruction) -> float | None:
    """What a Pallas kernel says that it computes (`pl.CostEstimate`)."""
    match = re.search(r'"flops":"?(\d+)', instruction.attributes)
    return float(match[1]) if match else None
