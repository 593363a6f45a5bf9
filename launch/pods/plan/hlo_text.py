"""Compiled HLO as text, read into computations and instructions.

`jax.stages.Compiled.as_text()` prints every computation of a program, the one that
runs last, and before them tables of the Python source of its instructions.
"""

import dataclasses
import functools
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SIZES = {"pred": 1.0, "s4": 0.5, "u4": 0.5, "s2": 0.25, "u2": 0.25}
"""Bytes of an element of types whose name is not their number of bits."""

_ARRAY = re.compile(r"\b([a-z]+\d*[a-z0-9]*)\[([\d,<=]*)\](?:\{([^}]*)\})?")
_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$")
_INSTRUCTION = re.compile(r"^\s+(ROOT )?%?([\w.\-]+) = ")
_NAME = re.compile(r"%([\w.\-]+)")
_TABLE = re.compile(r"^(\d+) (.*)$")


class Shape(NamedTuple):
    """One array.

    Attributes:
      dtype: "bf16".
      dimensions: their sizes.
      space: the memory that it lies in; 0 is the device's main memory.
    """

    dtype: str
    dimensions: tuple[int, ...]
    space: int = 0

    @property
    def elements(self) -> int:
        """Their number."""
        count = 1
        for size in self.dimensions:
            count *= size
        return count

    @property
    def bytes(self) -> int:
        """Without padding."""
        return int(self.elements * _element_bytes(self.dtype))


def shapes(text: str) -> tuple[Shape, ...]:
    """The arrays that a printed type holds: one, or those of a tuple."""
    return tuple(
        Shape(
            dtype, tuple(int(n.lstrip("<=")) for n in sizes.split(",") if n), _space(at)
        )
        for dtype, sizes, at in _ARRAY.findall(text)
        if dtype not in ("token", "opaque")
    )


def _space(layout: str) -> int:
    match = re.search(r"S\((\d+)\)", layout)
    return int(match[1]) if match else 0


@functools.cache
def _element_bytes(dtype: str) -> float:
    if dtype in _SIZES:
        return _SIZES[dtype]
    bits = re.match(r"[a-z]+(\d+)", dtype)
    if bits is None:
        raise ValueError(f"no element type {dtype!r} is known.")
    return int(bits[1]) / 8


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
      name: without the per cent sign.
      type_text: its printed type, with layouts.
      opcode: "all-gather", "fusion", …
      rest: what follows the opcode: operands in parentheses, then attributes.
      is_root: whether its value is that of its computation.
    """

    name: str
    type_text: str
    opcode: str
    rest: str
    is_root: bool

    @functools.cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Of its value."""
        return shapes(self.type_text)

    @functools.cached_property
    def operands(self) -> tuple[str, ...]:
        """Names of the instructions that it reads."""
        return tuple(_NAME.findall(self._operand_text))

    @functools.cached_property
    def attributes(self) -> str:
        """What stands behind the operands."""
        return self.rest[len(self._operand_text) + 2 :]

    @property
    def literal(self) -> str:
        """What stands between the parentheses: of a constant its value."""
        return self._operand_text

    @functools.cached_property
    def _operand_text(self) -> str:
        return self.rest[1 : _closing(self.rest, 0)]

    def called(self, attribute: str) -> str | None:
        """The computation that an attribute names, "body", "condition", "calls"."""
        match = re.search(rf"\b{attribute}=%?([\w.\-]+)", self.attributes)
        return match[1] if match else None

    @functools.cached_property
    def op_name(self) -> str:
        """The JAX operation that it comes from, "jit(train_step)/while/body/dot"."""
        match = re.search(r'op_name="([^"]*)"', self.attributes)
        return match[1] if match else ""

    @functools.cached_property
    def frame(self) -> int | None:
        """Number of its frame in the tables of the source."""
        match = re.search(r"stack_frame_id=(\d+)", self.attributes)
        return int(match[1]) if match else None


@dataclasses.dataclass(frozen=True)
class Computation:
    """Instructions in the order of their text, by name."""

    name: str
    instructions: Mapping[str, Instruction]

    @property
    def root(self) -> Instruction:
        """The instruction whose value is the computation's."""
        return next(i for i in self.instructions.values() if i.is_root)


class Frame(NamedTuple):
    """A place of the Python source."""

    file: str
    function: str
    line: int


@dataclasses.dataclass(frozen=True)
class Module:
    """A compiled program.

    Attributes:
      computations: by name.
      entry: the one that runs.
      frames: places of the source with the number of the frame that called each.
    """

    computations: Mapping[str, Computation]
    entry: Computation
    frames: Mapping[int, tuple[Frame, int]]

    def stack(self, instruction: Instruction) -> Iterator[Frame]:
        """The source of an instruction, the innermost frame first."""
        number = instruction.frame
        while number is not None and number in self.frames:
            frame, caller = self.frames[number]
            yield frame
            if caller == number:
                return
            number = caller


def parse(text: str) -> Module:
    """Reads the text of a compiled program.

    Args:
      text: of `jax.stages.Compiled.as_text()`.

    Raises:
      ValueError: it has no ENTRY computation.
    """
    computations: dict[str, Computation] = {}
    entry: Computation | None = None
    tables: dict[str, dict[int, str]] = {}
    table: dict[int, str] | None = None
    current: dict[str, Instruction] | None = None
    for line in text.splitlines():
        if current is not None:
            if line.startswith("}"):
                current = None
            elif instruction := _instruction(line):
                current[instruction.name] = instruction
        elif head := _COMPUTATION.match(line):
            current = {}
            computations[head[2]] = Computation(head[2], current)
            if head[1]:
                entry = computations[head[2]]
        elif table is not None and (row := _TABLE.match(line)):
            table[int(row[1])] = row[2]
        elif re.fullmatch(r"[A-Z]\w+", line):
            table = tables.setdefault(line, {})
    if entry is None:
        raise ValueError("the text is no HLO module: it has no ENTRY computation.")
    return Module(computations, entry, _frames(tables))


def _instruction(line: str) -> Instruction | None:
    head = _INSTRUCTION.match(line)
    if head is None:
        return None
    rest = line[head.end() :]
    # A tuple's type stands in parentheses; an array's holds none before its layout.
    end = _closing(rest, 0) + 1 if rest.startswith("(") else rest.index(" ")
    opcode, _, _ = rest[end + 1 :].partition("(")
    body = rest[end + 1 + len(opcode) :]
    return Instruction(head[2], rest[:end], opcode, body, head[1] is not None)


def _closing(text: str, start: int) -> int:
    """Where the parenthesis that opens at `start` closes."""
    depth = 0
    for match in re.compile(r"[()]").finditer(text, start):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            return match.start()
    raise ValueError(f"a parenthesis is not closed: {text[start : start + 80]!r}")


def _frames(tables: Mapping[str, Mapping[int, str]]) -> dict[int, tuple[Frame, int]]:
    """The tables joined. A caller is printed as its number plus one, 0 is nobody."""

    def unquoted(name: str) -> dict[int, str]:
        return {n: row.strip('"') for n, row in tables.get(name, {}).items()}

    files, functions = unquoted("FileNames"), unquoted("FunctionNames")
    places = {}
    for number, row in tables.get("FileLocations", {}).items():
        at = _fields(row)
        file, function = files[at["file_name_id"]], functions[at["function_name_id"]]
        places[number] = Frame(file, function, at["line"])
    frames = {}
    for number, row in tables.get("StackFrames", {}).items():
        at = _fields(row)
        frames[number] = places[at["file_location_id"]], at["parent_frame_id"] - 1
    return frames


def _fields(row: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", row)}
