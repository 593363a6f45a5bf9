"""How often each instruction of a compiled program runs."""

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
        """How often it runs in a call of the program; unknown loops count once."""
        runs = 1
        for loop in self.loops:
            runs *= loop.trips or 1
        return runs


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
    """Trips of a loop that counts up by one to a constant, as scans do."""
    known = re.search(r'known_trip_count":\{"n":"(\d+)"', loop.attributes)
    if known:
        return int(known[1])
    condition = module.computations[loop.called("condition") or ""]
    found = _compared(module, condition)
    if found is None:
        return None
    index, end, inclusive = found
    start = _initial(module, computation, loop, index)
    return None if start is None else end - start + inclusive


def _compared(module: Module, condition: Computation) -> tuple[int, int, bool] | None:
    """`counter < end`: the counter's place in the loop's tuple, end, and if it is ≤."""
    root, within = condition.root, condition
    arguments: tuple[Instruction, ...] = ()
    if root.opcode in ("fusion", "call"):
        name = root.called("calls") or root.called("to_apply") or ""
        arguments = tuple(condition.instructions[name] for name in root.operands)
        within = module.computations[name]
        root = within.root
    if root.opcode != "compare":
        return None
    direction = re.search(r"direction=(\w+)", root.attributes)
    if direction is None or direction[1] not in ("LT", "LE"):
        return None

    def outside(name: str) -> Instruction:
        one = within.instructions[name]
        if one.opcode == "parameter" and arguments:
            return arguments[int(one.literal)]
        return one

    counter, end = map(outside, root.operands)
    index = re.search(r"index=(\d+)", counter.attributes)
    if counter.opcode != "get-tuple-element" or end.opcode != "constant" or not index:
        return None
    return int(index[1]), int(end.literal), direction[1] == "LE"


def _initial(
    module: Module, computation: Computation, loop: Instruction, index: int
) -> int | None:
    """The constant that a counter starts from, behind copies of it."""
    given = computation.instructions[loop.operands[0]]
    if given.opcode != "tuple":
        return None
    value = computation.instructions[given.operands[index]]
    while value.opcode in ("copy", "bitcast", "copy-start", "copy-done"):
        value = computation.instructions[value.operands[0]]
    return int(value.literal) if value.opcode == "constant" else None
