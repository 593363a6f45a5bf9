"""Compiles the train step for devices that need not be there, or finds it compiled."""

import re
import time
from collections.abc import Callable
from typing import Any

import jax

from ...training.program import Program
from .cache import Cache, content_key
from .captured import captured_stderr
from .compiled import Array, Compiled, Memory, Refusal
from .devices import Cluster

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_USED = re.compile(r"Used ([\d.]+)([KMGT]?) of ([\d.]+)([KMGT]?) hbm")
_LARGE = re.compile(
    r"Size: ([\d.]+)([KMGT]?)\n(?:\s+Operator: op_name=\"([^\"]*)\".*\n)?"
    r"\s+Shape: (\S+)"
)
_NO_ARGUMENTS = re.compile(r"^ +arguments +0B", re.MULTILINE)
_ALLOCATION = re.compile(r"size=(\d+)\) would exceed memory \(size=(\d+)\)")


def compile_step(
    program: Program,
    cluster: Cluster,
    *,
    cache: Cache,
    show: Callable[[str], None] = lambda _: None,
) -> Compiled:
    """Compiles the train step of a program on the devices of its mesh.

    Args:
      program: made for the cluster's devices.
      cluster: named in the cache's key.
      cache: of results; what is in it is not compiled again.
      show: called with the name of each phase when it begins.

    Raises:
      JaxRuntimeError: the compiler fails for any other reason than memory.
    """
    show("tracing the train step")
    with captured_stderr() as tracing:
        traced = program.trace_train_step()
        with jax.set_mesh(program.mesh):
            lowered = traced.lower()
    key = content_key(lowered.as_text(), cluster.name, program.mesh)
    if (found := cache.read(key)) is not None:
        return found
    show(f"compiling for {cluster.name}")
    begin = time.monotonic()
    try:
        with captured_stderr() as compiling:
            compiled = lowered.compile(program.compiler_options)
    except jax.errors.JaxRuntimeError as error:
        refusal = refusal_of(str(error))
        if refusal is None:
            raise
        result = Compiled("", None, refusal, "", time.monotonic() - begin)
    else:
        log = tracing.text + compiling.text
        seconds = time.monotonic() - begin
        text = compiled.as_text()
        assert text is not None  # XLA's backends all print it
        platform = program.mesh.devices.flat[0].platform
        memory = memory_of(compiled.memory_analysis(), platform)
        result = Compiled(text, memory, None, log, seconds)
    cache.write(key, result)
    return result


def refusal_of(message: str) -> Refusal | None:
    """Reads the message of RESOURCE_EXHAUSTED; None for any other error."""
    if not message.startswith("RESOURCE_EXHAUSTED"):
        return None
    first = message.splitlines()[0]
    if used := _USED.search(message):
        largest = tuple(
            Array(_bytes(number, unit), re.sub(r"\{.*", "", shape), operator)
            for number, unit, operator, shape in _LARGE.findall(message)
        )
        needed, capacity = _bytes(*used.group(1, 2)), _bytes(*used.group(3, 4))
        # Of a program that alone is too large, arguments are not counted.
        at_least = _NO_ARGUMENTS.search(message) is not None
        return Refusal(needed, capacity, first, largest, at_least)
    if allocation := _ALLOCATION.search(message):
        needed, capacity = int(allocation[1]), int(allocation[2])
        return Refusal(needed, capacity, first, at_least=True)
    return None


def _bytes(number: str, unit: str) -> int:
    return int(float(number) * _UNITS[unit])


def memory_of(analysis: Any, platform: str) -> Memory:
    """The buffer assignment of a program, as far as its compiler tells.

    XLA:TPU states the peak, arguments and outputs included; what it reports of
    temporaries is larger in all but the smallest programs. XLA for CPUs and GPUs
    reports the assigned block itself, and the peak that they state leaves temporaries
    out (jax 0.10).

    Args:
      analysis: `Compiled.memory_analysis()`.
      platform: of its devices.
    """
    arguments = analysis.argument_size_in_bytes
    outputs = analysis.output_size_in_bytes
    aliased = analysis.alias_size_in_bytes
    reported = temporaries = analysis.temp_size_in_bytes
    if platform == "tpu":
        stated = analysis.peak_memory_in_bytes - (arguments + outputs - aliased)
        # A libtpu that states no peak would otherwise make every program fit.
        assert stated >= 0, analysis
        # What lies in the chip's own memory at the peak counts in it: megabytes, which
        # show in small programs only.
        temporaries = min(stated, reported)
    return Memory(
        arguments=arguments,
        outputs=outputs,
        aliased=aliased,
        temporaries=temporaries,
        code=analysis.generated_code_size_in_bytes,
        reported=reported,
    )
