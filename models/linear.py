"""Matrix products of activations and parameters, gathered where they are multiplied.

A parameter lies sharded over `fsdp` by its `embed` dimension. A product gathers it once
forwards and once backwards, as the matrix in the dtype of the activations, and its
gradient goes straight back to the shards.
"""

import math

import jax
from flax import nnx
from jaxtyping import Float

from .axes import constrain, used, used_spec

Axes = tuple[str | None, ...]


def project(
    x: Float[jax.Array, "B T *inputs"], kernel: nnx.Param
) -> Float[jax.Array, "B T *outputs"]:
    """Multiplies each slot by a parameter, in the dtype of the activations.

    Slots of all rows are one dimension in the product: its gradient to the parameter
    then sums over one dimension, which on CPU saves a transposed copy of the widest
    activation. Where slots are sharded, that dimension would tear the shards apart,
    so rows stay.

    Args:
      x: activations; all dimensions but rows and slots are summed over.
      kernel: [*inputs *outputs], with the axis names of its dimensions.
    """
    inputs = x.ndim - 2
    value = kernel[...]
    width, outputs = math.prod(value.shape[:inputs]), value.shape[inputs:]
    # A layer of a stack still has the names of the stack.
    names = kernel.get_metadata()["axes"][-value.ndim :]
    matrix = value.astype(x.dtype).reshape(width, -1)
    leading = x.shape[:2] if _slots_are_sharded() else (-1,)
    made = _product(x.reshape(*leading, width), matrix, (names[0], names[inputs]))
    return made.reshape(*x.shape[:2], *outputs)


def gathered(parameter: jax.Array, axes: Axes) -> jax.Array:
    """A parameter whole along `fsdp`, whose gradient is sharded as the parameter is.

    A plain constraint would hold for the gradient as well, and sum it whole on every
    device.

    Args:
      parameter: in the dtype in which it is wanted.
      axes: names of its dimensions.
    """
    return _gathered(parameter, axes)


def _gather(parameter: jax.Array, axes: Axes) -> jax.Array:
    return constrain(parameter, *_whole(axes))


_gathered = jax.custom_vjp(_gather, nondiff_argnums=(1,))


def _whole(axes: Axes) -> Axes:
    return tuple(None if name == "embed" else name for name in axes)


_gathered.defvjp(
    lambda parameter, axes: (_gather(parameter, axes), None),
    # Whole first: where a loop adds the gradient up, shards would be summed over the
    # mesh in every round of it, rather than once behind it.
    lambda axes, _, gradient: (constrain(constrain(gradient, *_whole(axes)), *axes),),
)


def _multiply(x: jax.Array, matrix: jax.Array, axes: Axes) -> jax.Array:
    return x @ gathered(matrix, axes)


_product = jax.custom_vjp(_multiply, nondiff_argnums=(2,))


def _product_backwards(axes: Axes, kept: tuple, gradient: jax.Array) -> tuple:
    x, matrix = kept
    of_x = jax.linear_transpose(lambda x: x @ gathered(matrix, axes), x)(gradient)[0]
    return of_x, _matrix_gradient(x, gradient, axes)


def _matrix_gradient(x: jax.Array, gradient: jax.Array, axes: Axes) -> jax.Array:
    """`xᵀ · gradient`, summed over the mesh right into the shards of the matrix.

    Left to the compiler, each device sums the whole gradient, and keeps its shard.
    """

    def own_rows(x: jax.Array, gradient: jax.Array) -> jax.Array:
        slots = tuple(range(x.ndim - 1))
        return jax.lax.dot_general(x, gradient, ((slots, slots), ((), ())))

    def summed(x: jax.Array, gradient: jax.Array) -> jax.Array:
        part = own_rows(x, gradient)
        for name in used("fsdp"):
            part = jax.lax.psum_scatter(
                part, name, scatter_dimension=axes.index("embed"), tiled=True
            )
        return jax.lax.psum(part, whole) if whole else part

    whole = used("data", "sequence")
    if not (whole or used("fsdp")):
        return own_rows(x, gradient)
    rows = ("batch", "slots")[: x.ndim - 1]
    return jax.shard_map(
        summed,
        in_specs=tuple(used_spec((*rows, end)) for end in _whole(axes)),
        out_specs=used_spec(axes),
    )(x, gradient)


_product.defvjp(
    # Kept for the backward pass are the shards of the matrix, and not the whole.
    lambda x, matrix, axes: (_multiply(x, matrix, axes), (x, matrix)),
    _product_backwards,
)


def _slots_are_sharded() -> bool:
    return jax.sharding.get_abstract_mesh().shape.get("sequence", 1) > 1
