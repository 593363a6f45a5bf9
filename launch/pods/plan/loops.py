"""How often each instruction of a compiled program runs."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .hlo_text import Computation, Frame, Instruction, Module

ROLES = {
    "scan_stateful": "layers",
    "vocabulary_loss": "loss chunks",
    "_accumulate": "microbatches",
}
"""Functions of the source that make a loop, and what it runs over."""


class Loop(NamedTuple):
    """A loop that an instruction is inside of.

    Attributes:
      role: what it runs over: a value of `ROLES`, or the function that made it.
      trips: how often it runs; None if the program does not show it.
      name: of its `while` instruction.
    """

    role: str
    trips: int | None
    name: str


class Place(NamedTuple):
    """An instruction where it runs.

    Attributes:
      instruction: outside of fusions.
      computation: that holds it.
      loops: around it, the outermost first.
    """

    instruction: Instruction
    computation: Computation
    loops: tuple[Loop, ...]

    @property
    def runs(self) -> int:
        """How often it runs in a call of the program."""
        return runs(self.loops)


def runs(loops: Iterable[Loop]) -> int:
    """How often what is inside of loops runs; those of unknown trips count once."""
    return math.prod(1 if loop.trips is None else loop.trips for loop in loops)


def places(module: Module) -> Iterator[Place]:
    """Every instruction that runs, with the loops around it.

    What a fusion, a reduction or a sort computes inside is not listed; branches of a
    conditional all are, as if every one of them ran.
    """
    yield from _places(module, module.entry, ())


def _places(
    module: Module, computation: Computation, loops: tuple[Loop, ...]
) -> Iterator[Place]:
    for instruction in computation.instructions.values():
        yield Place(instruction, computation, loops)
        if instruction.opcode == "while":
            loop = _loop(module, computation, instruction)
            body = module.computations[instruction.called("body") or ""]
            yield from _places(module, body, (*loops, loop))
        for name in _callees(instruction):
            yield from _places(module, module.computations[name], loops)


def _callees(instruction: Instruction) -> list[str]:
    """Computations that run once where the instruction stands."""
    if instruction.opcode == "call":
        return [instruction.called("to_apply") or ""]
    if instruction.opcode == "async-start":
        return [instruction.called("calls") or ""]
    if instruction.opcode == "conditional":
        listed = re.search(r"branch_computations=\{([^}]*)\}", instruction.attributes)
        if listed:
            return [name.strip().lstrip("%") for name in listed[1].split(",")]
        branches = "true_computation", "false_computation"
        return [instruction.called(branch) or "" for branch in branches]
    return []


def role_of(stack: Iterable[Frame]) -> str | None:
    """What the innermost known loop of the source runs over; None outside of them."""
    functions = (frame.function.partition(".")[0] for frame in stack)
    return next((ROLES[name] for name in functions if name in ROLES), None)


def _loop(module: Module, computation: Computation, instruction: Instruction) -> Loop:
    stack = list(module.stack(instruction))
    body = module.computations[instruction.called("body") or ""]
    if stack:
        role = role_of(stack) or stack[0].function.partition(".")[0]
    else:
        role = _commonest_role(module, body) or "a loop"
    return Loop(role, _trips(module, computation, instruction), instruction.name)


def _commonest_role(module: Module, body: Computation) -> str | None:
    """By what a loop runs, where the compiler has dropped the loop's own source."""
    roles = (role_of(module.stack(one)) for one in body.instructions.values())
    counted = Counter(role for role in roles if role is not None)
    return counted.most_common(1)[0][0] if counted else None


def _trips(module: Module, computation: Computation, loop: Instruction) -> int | None:
    """Trips of a loop that counts from a constant to a constant by a constant."""
    known = re.search(r'known_trip_count":\{"n":"(\d+)"', loop.attributes)
    if known:
        return int(known[1])
    condition = module.computations[loop.called("condition") or ""]
    body = module.computations[loop.called("body") or ""]
    compared = _compared(module, condition)
    if compared is None:
        return None
    index, end = compared
    start, step = _initial(computation, loop, index), _step(module, body, index)
    if start is None or step is None or step <= 0:
        return None
    return max(0, -(-(end - start) // step))


class _Value(NamedTuple):
    """An instruction, seen through a fusion that holds nothing else.

    Attributes:
      instruction: that computes it.
      operands: what it reads, outside of the fusion.
    """

    instruction: Instruction
    operands: tuple[Instruction, ...]


def _value(
    module: Module, computation: Computation, instruction: Instruction
) -> _Value:
    """Looks behind copies and into a fusion."""
    while instruction.opcode in ("copy", "bitcast", "copy-start", "copy-done"):
        instruction = computation.instructions[instruction.operands[0]]
    given = tuple(computation.instructions[name] for name in instruction.operands)
    if instruction.opcode not in ("fusion", "call"):
        return _Value(instruction, given)
    name = instruction.called("calls") or instruction.called("to_apply") or ""
    inner = module.computations[name]
    operands = tuple(inner.instructions[name] for name in inner.root.operands)
    return _Value(
        inner.root,
        tuple(
            given[int(o.literal)] if o.opcode == "parameter" else o for o in operands
        ),
    )


def _compared(module: Module, condition: Computation) -> tuple[int, int] | None:
    """`counter < end`: the counter's place in the loop's tuple, and the end."""
    value = _value(module, condition, condition.root)
    direction = re.search(r"direction=(\w+)", value.instruction.attributes)
    if value.instruction.opcode != "compare" or direction is None:
        return None
    counter, end = value.operands
    if _index(counter) is None or end.opcode != "constant":
        return None
    more = {"LT": 0, "LE": 1}.get(direction[1])
    return None if more is None else (_index(counter) or 0, int(end.literal) + more)


def _step(module: Module, body: Computation, index: int) -> int | None:
    """`counter + step`, of which the body makes the next counter."""
    if body.root.opcode != "tuple":
        return None
    made = body.instructions[body.root.operands[index]]
    value = _value(module, body, made)
    if value.instruction.opcode != "add":
        return None
    seen = [
        _value(module, body, o).instruction if o.name in body.instructions else o
        for o in value.operands
    ]
    counters = [one for one in seen if _index(one) == index]
    steps = [one for one in seen if one.opcode == "constant"]
    return int(steps[0].literal) if counters and steps else None


def _index(instruction: Instruction) -> int | None:
    """Which part of a tuple an instruction takes."""
    match = re.search(r"index=(\d+)", instruction.attributes)
    taken = instruction.opcode == "get-tuple-element"
    return int(match[1]) if taken and match else None


def _initial(computation: Computation, loop: Instruction, index: int) -> int | None:
    """The constant that a counter starts from, behind copies of it."""
    given = computation.instructions[loop.operands[0]]
    if given.opcode != "tuple":
        return None
    value = computation.instructions[given.operands[index]]
    while value.opcode in ("copy", "bitcast", "copy-start", "copy-done"):
        value = computation.instructions[value.operands[0]]
    return int(value.literal) if value.opcode == "constant" else None
