"""The arrays of a model by name, as checkpoints hold them; each can be read alone."""

from pathlib import Path

import jax
import numpy as np
from flax import nnx

from ...models.build import build
from ...models.config import ModelConfig
from ...models.rows import (
    Architecture,
    RowShape,
    decoder_rows,
    encoder_decoder_rows,
)
from ..runs.literal_path import literal_path
from ..runs.verified import CheckpointError, check_manifests, read_verified
from .weights import Shape


def rows_of(architecture: Architecture, slots: int) -> RowShape:
    """Rows of so many slots in each stream, each of which may predict."""
    if architecture == "decoder":
        return decoder_rows(slots=slots, predictions=slots)
    return encoder_decoder_rows(
        slots=slots, predictions=slots, memory_slots=slots, memory_predictions=slots
    )


def names_and_shapes(
    config: ModelConfig, rows: RowShape, *, vocabulary_size: int
) -> dict[str, tuple[str, Shape]]:
    """By "layers.mlp.gate": the array's name in a checkpoint, and its shape."""
    model = nnx.eval_shape(
        lambda: build(
            config, vocabulary_size=vocabulary_size, shape=rows, rngs=nnx.Rngs(params=0)
        )
    )
    found: dict[str, tuple[str, Shape]] = {}
    tree = {"params": nnx.state(model)}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path, simple=True, separator=".")
        short = name.removeprefix("params.").removesuffix(".value")
        found[short] = (name, tuple(leaf.shape))
    return found


def host_memory() -> jax.sharding.SingleDeviceSharding:
    """The host's memory, where arrays are on their way in or out."""
    return jax.sharding.SingleDeviceSharding(jax.local_devices(backend="cpu")[0])


class Parameters:
    """The parameters of a run's newest checkpoint, read one at a time.

    Attributes:
      step: of the checkpoint.
    """

    def __init__(self, run_dir: Path, named: dict[str, tuple[str, Shape]]):
        """Finds the newest checkpoint with a sound manifest.

        Args:
          run_dir: of the run.
          named: as `names_and_shapes` gives.

        Raises:
          CheckpointError: there is none.
        """
        self._folder = run_dir.resolve() / "checkpoints"
        self._named = named
        manifests = check_manifests(run_dir)
        sound = [step for step, damage in manifests.items() if damage is None]
        if not sound:
            raise CheckpointError(
                f"no checkpoint in {self._folder} is whole: {manifests}"
            )
        self.step = sound[0]

    def read(self, short: str) -> np.ndarray:
        """One array, checked by its fingerprint.

        Raises:
          CheckpointError: it is damaged.
        """
        name, shape = self._named[short]
        struct = jax.ShapeDtypeStruct(shape, np.float32, sharding=host_memory())
        try:
            with literal_path(self._folder) as opened:
                arrays, _ = read_verified(
                    opened / str(self.step), {name: struct}, prefix=name
                )
        except CheckpointError as error:
            raise CheckpointError(
                f"the checkpoint of step {self.step} in {self._folder} is not whole: "
                f"{error}. Restore it from a copy, or move it away to use the one "
                "before it."
            ) from error
        return np.asarray(arrays[name])
