"""Matrix products of activations and parameters."""

import jax
from jaxtyping import Float


def project(
    x: Float[jax.Array, "B T D"], kernel: Float[jax.Array, "D *outputs"]
) -> Float[jax.Array, "B T *outputs"]:
    """Multiplies each slot by a parameter, in the dtype of the activations.

    Slots of all rows are one dimension in the product: its gradient to the parameter
    then sums over one dimension, which on CPU saves a transposed copy of the widest
    activation. Where slots are sharded, that dimension would tear the shards apart,
    so rows stay.
    """
    outputs = kernel.shape[1:]
    kernel = kernel.astype(x.dtype).reshape(x.shape[-1], -1)
    rows = x if _slots_are_sharded() else x.reshape(-1, x.shape[-1])
    return (rows @ kernel).reshape(*x.shape[:-1], *outputs)


def _slots_are_sharded() -> bool:
    return jax.sharding.get_abstract_mesh().shape.get("sequence", 1) > 1
