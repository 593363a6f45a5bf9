"""Stacks of equal layers: stacked parameters, one scan over them, rematerialisation."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import jax
from flax import nnx
from jaxtyping import Float, PyTree

from .axes import constrain

Layer = TypeVar("Layer", bound=nnx.Module)
State = TypeVar("State")
Remat = Literal["none", "mlp", "attention", "qkv", "full"]

KEPT: dict[str, tuple[str, ...]] = {
    "full": (),
    "qkv": ("qkv",),
    "attention": ("qkv", "attention"),
    "mlp": ("qkv", "attention", "out", "mlp"),
}
"""What the backward pass finds of a layer, by the names that layers give to it."""


def stacked(make: Callable[[nnx.Rngs], Layer], layers: int, rngs: nnx.Rngs) -> Layer:
    """`layers` layers in one module: each parameter gets a leading `layers` axis.

    Each layer is initialised from a key of its own.
    """
    keys = jax.random.split(rngs.params(), layers)
    module = nnx.vmap(lambda key: make(nnx.Rngs(params=key)))(keys)
    for _, parameter in nnx.to_flat_state(nnx.state(module)):
        axes = parameter.get_metadata()["axes"]
        parameter.set_metadata(axes=("layers", *axes))
    return module


def scan_layers(
    layers: Layer,
    x: Float[jax.Array, "B T D"],
    apply: Callable[[Layer, jax.Array], jax.Array],
    *,
    remat: Remat,
    unroll: int,
) -> Float[jax.Array, "B T D"]:
    """Runs stacked layers one after another: `x = apply(layer, x)` for each.

    One layer is compiled, whatever their number.

    Args:
      layers: of `stacked`.
      x: the residual stream.
      apply: one layer's function; what else it needs, it closes over.
      remat: `ModelConfig.remat`.
      unroll: `ModelConfig.unroll`.
    """

    def alone(layer: Layer, x: jax.Array, state: None, _: None):
        return apply(layer, x), state, None

    return scan_stateful(
        layers, x, alone, state=None, parts=None, remat=remat, unroll=unroll
    )[0]


def scan_stateful(
    layers: Layer,
    x: Float[jax.Array, "B T D"],
    apply: Callable[[Layer, jax.Array, State, Any], tuple[jax.Array, State, Any]],
    *,
    state: State,
    parts: PyTree,
    remat: Remat,
    unroll: int,
) -> tuple[Float[jax.Array, "B T D"], State, PyTree]:
    """`scan_layers` of layers that hand a state on, each with a part of its own.

    `x, state, made = apply(layer, x, state, part)` for each.

    Args:
      layers: of `stacked`.
      x: the residual stream.
      apply: one layer's function.
      state: what the first layer gets.
      parts: arrays with a leading axis L; each layer gets its own slice.
      remat: `ModelConfig.remat`.
      unroll: `ModelConfig.unroll`.

    Returns:
      x and state of the last layer, and what all made, stacked as `parts`.
    """
    graph, parameters = nnx.split(layers)

    def layer(carry: tuple, xs: tuple[PyTree, PyTree]) -> tuple[tuple, PyTree]:
        x, state, made = apply(nnx.merge(graph, xs[0]), carry[0], carry[1], xs[1])
        return (constrain(x, "batch", "slots", None), state), made

    x = constrain(x, "batch", "slots", None)
    body = _rematerialised(layer, remat)
    (x, state), made = jax.lax.scan(
        body, (x, state), (parameters, parts), unroll=unroll
    )
    return x, state, made


def _rematerialised(body: Callable, remat: Remat) -> Callable:
    if remat == "none":
        return body
    policy = jax.checkpoint_policies.save_only_these_names(*KEPT[remat])
    # A scan already keeps the compiler from undoing the recomputation.
    return jax.checkpoint(body, policy=policy, prevent_cse=False)
