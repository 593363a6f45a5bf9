"""What would make a step fit: estimates, which nothing was compiled for."""

import math
from collections.abc import Iterator

from ...training.program import Program
from .hlo import slice_indices
from .state import State

GIB = 2**30


def advice(program: Program, state: State, needed: int, capacity: int) -> list[str]:
    """Changes that would save memory, with what each is estimated to save.

    Args:
      program: that does not fit.
      state: what its step is given.
      needed: bytes of a device.
      capacity: bytes of a device.
    """
    held = state.parameter_bytes + state.optimizer_bytes + state.batch
    temporaries = max(0, needed - held)
    return [
        *_recompute(program),
        *_microbatches(program, held, temporaries, capacity),
        *_chunks(program),
        *_sharding(program, state),
        *_chips(program, held, temporaries, capacity),
    ]


def _recompute(program: Program) -> Iterator[str]:
    if program.model.remat != "full":
        yield (
            f"ModelConfig.remat='full' (now {program.model.remat!r}): only the input "
            "of each layer is kept for the backward pass"
        )


def _microbatches(
    program: Program, held: int, temporaries: int, capacity: int
) -> Iterator[str]:
    """The fewest parts of the batch whose temporaries, ∝ rows, leave room."""
    shape = program.mesh.shape
    rows = program.batch_rows // (shape["data"] * shape["fsdp"] * program.microbatches)
    gradients = held // 3  # parameters and two statistics of each: float32 all
    for factor in (n for n in range(2, rows + 1) if rows % n == 0):
        if held + gradients + temporaries / factor <= capacity:
            yield (
                f"train.microbatches={program.microbatches * factor} (now "
                f"{program.microbatches}): about "
                f"{temporaries * (1 - 1 / factor) / GIB:.1f} GiB less, same batch"
            )
            return


def _chunks(program: Program) -> Iterator[str]:
    shape = program.mesh.shape
    rows = program.batch_rows // (shape["data"] * shape["fsdp"] * program.microbatches)
    predictions = program.rows.decoder.predictions
    chunk = program.model.loss_chunk or predictions
    logits = 4 * rows * program.vocabulary_size // shape["tensor"]
    if predictions <= 512 or chunk <= 512:
        return
    saved = logits * (chunk - 512)
    if saved > GIB // 4:
        yield (
            f"ModelConfig.loss_chunk=512 (now {program.model.loss_chunk}): "
            f"{saved / GIB:.1f} GiB less for every copy of the logits"
        )


def _sharding(program: Program, state: State) -> Iterator[str]:
    """Parameters split as far as they may be: between slices they are repeated."""
    data, fsdp = program.mesh.shape["data"], program.mesh.shape["fsdp"]
    slices = len(set(slice_indices(program.mesh).tolist()))
    factor = data // slices
    if factor > 1:
        held = state.parameter_bytes + state.optimizer_bytes
        yield (
            f"MeshShape.fsdp={fsdp * factor}, data={slices} (now {fsdp} and {data}): "
            f"about {held * (1 - 1 / factor) / GIB:.1f} GiB less of parameters and "
            "optimiser"
        )


def _chips(
    program: Program, held: int, temporaries: int, capacity: int
) -> Iterator[str]:
    """Devices among which the state and the rows of the batch divide."""
    shape = program.mesh.shape
    rows = program.batch_rows // (shape["data"] * shape["fsdp"] * program.microbatches)
    factor = math.ceil((held + temporaries) / capacity)
    factor = 2 ** math.ceil(math.log2(max(factor, 2)))
    if factor <= rows:
        yield (
            f"{factor} × the devices ({program.mesh.size * factor}) along fsdp: "
            f"{rows // factor} row(s) each, and 1/{factor} of the state"
        )
    else:
        yield (
            f"MeshShape.sequence or MeshShape.tensor above {shape['sequence']} and "
            f"{shape['tensor']}: a row is divided among devices"
        )
