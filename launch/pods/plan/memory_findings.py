"""Memory and work that are spent for nothing."""

from collections.abc import Sequence

from ...training.program import Program
from .finding import SMALL, Evidence, Finding, size_text
from .hlo_text import Instruction, Module
from .loops import places
from .state import Held

LANES = 128
"""Width of a register and of the matrix unit (256 on v6e): narrower is filled up."""


def replicated_parameters(evidence: Evidence) -> list[Finding]:
    """Large parameters that every device holds whole."""
    whole = _whole(evidence, evidence.state.parameters)
    return _replicated(whole, "replicated parameters", "parameter")


def replicated_optimizer(evidence: Evidence) -> list[Finding]:
    """Large optimiser state that every device holds whole."""
    whole = _whole(evidence, evidence.state.optimizer)
    return _replicated(whole, "unsharded optimiser state", "optimiser state")


def _whole(evidence: Evidence, held: Sequence[Held]) -> list[Held]:
    mesh = evidence.program.mesh
    if mesh.size == 1:
        return []
    return [one for one in held if one.copies == 1 and one.bytes > SMALL]


def _replicated(whole: Sequence[Held], kind: str, what: str) -> list[Finding]:
    if not whole:
        return []
    total = sum(one.bytes for one in whole)
    largest = max(whole, key=lambda one: one.bytes)
    return [
        Finding(
            kind,
            f"{size_text(total)} of {what} lie whole on every device: "
            f"{len(whole)} array(s), the largest {largest.name}.",
            "shard them: give MeshShape.fsdp devices that MeshShape.data has now",
        )
    ]


def scores_in_memory(evidence: Evidence) -> list[Finding]:
    """Scores of attention, [T, S] for every head, or masks of them, in memory."""
    least, side = _scores(evidence.program)
    largest, total = None, 0
    for place in places(evidence.module):
        for shape in place.instruction.shapes:
            if shape.elements < least or shape.space or shape.bytes < SMALL:
                continue
            # Keys of all layers may be as many, and are long in one direction only.
            if sorted(shape.dimensions)[-2:][0] < side:
                continue
            if not _in_attention(evidence.module, place.instruction):
                continue
            total += shape.bytes * place.runs
            if largest is None or shape.bytes > largest.bytes:
                largest = shape
    if largest is None:
        return []
    sizes = ",".join(map(str, largest.dimensions))
    return [
        Finding(
            "scores in memory",
            f"attention writes scores of {size_text(total)} a step, "
            f"{size_text(largest.bytes)} at once ({largest.dtype}[{sizes}]); they grow "
            "with the square of the slots.",
            "use an attention kernel, or fewer slots a row",
        )
    ]


def _scores(program: Program) -> tuple[int, int]:
    """Scores of one layer on a device, and queries or keys of a row, at least."""
    shape, rows = program.mesh.shape, program.rows
    own = program.batch_rows // (shape["data"] * shape["fsdp"] * program.microbatches)
    heads = max(1, program.model.heads // shape["tensor"])
    slots = min(stream.slots for stream in (rows.decoder, rows.encoder) if stream)
    queries = slots // shape["sequence"]
    return own * heads * queries * slots, queries


def _in_attention(module: Module, instruction: Instruction) -> bool:
    """Whether it, or what it fuses, comes from the source of attention."""
    parts = [instruction]
    called = instruction.called("calls")
    if instruction.opcode == "fusion" and called is not None:
        parts += module.computations[called].instructions.values()
    return any(
        "attention" in frame.file.rpartition("/models/")[2]
        for part in parts
        for frame in module.stack(part)
    )


def narrow_heads(evidence: Evidence) -> list[Finding]:
    """Heads that leave lanes of the matrix unit idle."""
    head_dim = evidence.program.model.head_dim
    if not evidence.on_tpu or head_dim % LANES == 0:
        return []
    filled = head_dim / (-(-head_dim // LANES) * LANES)
    return [
        Finding(
            "narrow heads",
            f"head_dim={head_dim} fills {filled:.0%} of the {LANES} lanes of the "
            "matrix unit in attention's products.",
            f"take heads of {LANES} (fewer heads at the same width)",
        )
    ]


def padded_vocabulary(evidence: Evidence) -> list[Finding]:
    """A vocabulary that is filled up to whole registers on every device."""
    size = evidence.program.vocabulary_size
    parts = evidence.program.mesh.shape["tensor"]
    unit = LANES * parts
    waste = (-size % unit) / size
    if not evidence.on_tpu or waste < 0.01:
        return []
    return [
        Finding(
            "padded vocabulary",
            f"{size:,} tokens in {parts} part(s) are filled up to "
            f"{size + -size % unit:,}: {waste:.0%} of the head's work is padding.",
            f"take a vocabulary that is a multiple of {unit}",
        )
    ]


def wide_matmuls(evidence: Evidence) -> list[Finding]:
    """Activations in float32 on a device whose matrix unit reads bfloat16."""
    if not evidence.on_tpu or evidence.program.model.compute_dtype != "float32":
        return []
    return [
        Finding(
            "float32 activations",
            "ModelConfig.compute_dtype is 'float32': activations and the gradients "
            "that are reduced take twice the bytes, and products are rounded to "
            "bfloat16 all the same.",
            "bind ModelConfig.compute_dtype = 'bfloat16'",
        )
    ]
