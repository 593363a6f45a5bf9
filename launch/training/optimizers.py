"""Optimisers from optax. Axis names tell them a matrix from an embedding.

Parameters are a Flax state whose layers are stacked: `[L, D, F]` is L matrices, and
`[L, D]` is L norm scales, not a matrix. The names beside each parameter
(`nnx.Param(value, axes=("layers", "embed", "hidden"))`) tell which; a plain array is a
matrix if it has two dimensions.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import optax
from flax import nnx
from jaxtyping import PyTree
from optax.contrib import MuonDimensionNumbers

from ...objectives.errors import (
    UsageError,
    require_count,
    require_number,
    require_positive,
)
from .newton_schulz import Matrices, newton_schulz

STACKED = "layers"
"""The axis over layers, which is no part of a layer's own matrix."""

NO_MATRIX = frozenset({"vocab", "buckets"})
"""Axes of lookup tables, and of the output projection, which has the same shape."""


def optimizer_of(
    make: Callable[[optax.Schedule], optax.GradientTransformation],
    schedule: optax.Schedule,
) -> optax.GradientTransformation:
    """The optimiser that a factory makes with the schedule of a run.

    Raises:
      UsageError: it is an optimiser with a schedule of its own, not a factory.
    """
    if not callable(make):
        raise UsageError(
            "train.optimizer is an optimiser with a schedule of its own; train passes "
            "it train.schedule. Bind it without parentheses, as in `train.optimizer = "
            "@adamw`, and take out `adamw.schedule`."
        )
    return make(schedule)


def matrix_axes(axes: tuple[str | None, ...]) -> MuonDimensionNumbers | None:
    """Which axes of a parameter are the inputs of a matrix, and which the outputs.

    `("layers", "embed", "heads", "head")` maps axis 1 to axes 2 and 3 in each layer;
    `("layers", "heads", "head", "embed")` maps axes 1 and 2 to axis 3.

    Returns:
      None if the parameter is no matrix: scales, biases, embeddings.
    """
    matrix = [i for i, name in enumerate(axes) if name != STACKED]
    if len(matrix) < 2 or NO_MATRIX.intersection(axes):
        return None
    split = 1 if axes[matrix[0]] == "embed" else len(matrix) - 1
    return MuonDimensionNumbers(tuple(matrix[:split]), tuple(matrix[split:]))


def matrices(params: PyTree) -> PyTree:
    """`matrix_axes` of every parameter, in a tree of the same structure."""

    def axes_of(leaf: Any) -> Any:
        if _is_variable(leaf):
            axes = leaf.get_metadata().get("axes")
            if axes is None:
                raise UsageError(
                    f"a parameter without axis names: {leaf}; give it "
                    "nnx.Param(value, axes=(...))."
                )
            return leaf.replace(matrix_axes(axes))
        return MuonDimensionNumbers() if getattr(leaf, "ndim", 0) == 2 else None

    return jax.tree.map(axes_of, params, is_leaf=_is_variable)


def is_matrix(params: PyTree) -> PyTree:
    """Whether each parameter is a matrix: what weight decay applies to."""
    return jax.tree.map(
        lambda numbers: numbers is not None,
        matrices(params),
        is_leaf=lambda x: x is None or isinstance(x, MuonDimensionNumbers),
    )


def adamw(
    schedule: optax.Schedule,
    *,
    b1: float = 0.9,
    b2: float = 0.95,
    eps: float = 1e-8,
    weight_decay: float = 0.1,
) -> optax.GradientTransformation:
    """AdamW (Loshchilov & Hutter 2019); weight decay, times the rate, of matrices only.

    Args:
      schedule: learning rate by update.
      b1: decay of the first moment.
      b2: decay of the second moment.
      eps: added to the root of the second moment.
      weight_decay: share of a matrix taken off at each update, per learning rate.

    Raises:
      UsageError: a number is out of range.
    """
    _require_decays("adamw", b1=b1, b2=b2)
    require_positive("adamw.eps", eps)
    require_number("adamw.weight_decay", weight_decay, least=0.0)
    return optax.adamw(
        schedule, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay, mask=is_matrix
    )


def adafactor(
    schedule: optax.Schedule,
    *,
    decay_rate: float = 0.8,
    clipping_threshold: float = 1.0,
    momentum: float | None = None,
    min_dim_size_to_factor: int = 128,
    weight_decay: float = 0.0,
) -> optax.GradientTransformation:
    """Adafactor (Shazeer & Stern 2018): second moments as row and column means.

    The learning rate is relative: an update is scaled by the root mean square of the
    parameter that it changes, here of a whole stack of layers. The two largest axes
    are factored.

    Args:
      schedule: relative learning rate by update.
      decay_rate: exponent of the second moment's decay, `1 - t^-decay_rate`.
      clipping_threshold: largest root mean square of an update.
      momentum: decay of the first moment; None keeps none.
      min_dim_size_to_factor: smaller axes keep whole second moments.
      weight_decay: share of a matrix taken off at each update, per learning rate.

    Raises:
      UsageError: a number is out of range.
    """
    require_positive("adafactor.decay_rate", decay_rate)
    require_positive("adafactor.clipping_threshold", clipping_threshold)
    if momentum is not None:
        _require_decays("adafactor", momentum=momentum)
    require_count("adafactor.min_dim_size_to_factor", min_dim_size_to_factor)
    require_number("adafactor.weight_decay", weight_decay, least=0.0)
    return optax.chain(
        optax.scale_by_factored_rms(
            decay_rate=decay_rate, min_dim_size_to_factor=min_dim_size_to_factor
        ),
        optax.clip_by_block_rms(clipping_threshold),
        optax.scale_by_param_block_rms(),
        optax.identity() if momentum is None else optax.ema(momentum, debias=False),
        optax.add_decayed_weights(weight_decay, mask=is_matrix),
        optax.scale_by_learning_rate(schedule),
    )


def muon(
    schedule: optax.Schedule,
    *,
    beta: float = 0.95,
    ns_steps: int = 5,
    consistent_rms: float = 0.2,
    weight_decay: float = 0.1,
    adam_b1: float = 0.9,
    adam_b2: float = 0.95,
) -> optax.GradientTransformation:
    """Muon (Jordan 2024): a matrix moves by its momentum, orthogonalised.

    Each layer's matrix is orthogonalised on its own; an attention kernel [D, H, K] is
    the matrix [D, H·K]. All other parameters go to Adam, with the same learning
    rate, which is fair because matrix updates are scaled to the root mean square that
    Adam's have (Liu et al. 2025, §2.2). State and update are those of
    `optax.contrib.muon`; only where the iterations run is another matter.

    Args:
      schedule: learning rate by update.
      beta: decay of the momentum.
      ns_steps: Newton–Schulz iterations.
      consistent_rms: root mean square of a matrix update, per learning rate.
      weight_decay: share of a matrix taken off at each update, per learning rate.
      adam_b1: decay of Adam's first moment.
      adam_b2: decay of Adam's second moment.

    Raises:
      UsageError: a number is out of range.
    """
    _require_decays("muon", beta=beta, adam_b1=adam_b1, adam_b2=adam_b2)
    require_count("muon.ns_steps", ns_steps)
    require_positive("muon.consistent_rms", consistent_rms)
    require_number("muon.weight_decay", weight_decay, least=0.0)
    of_matrices = optax.chain(
        _orthogonalised_momentum(beta=beta, ns_steps=ns_steps),
        _scaled_by_shape(consistent_rms),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(schedule),
    )
    of_others = optax.adamw(
        schedule, b1=adam_b1, b2=adam_b2, weight_decay=0.0, nesterov=True
    )

    def labels(params: PyTree) -> PyTree:
        return jax.tree.map(
            lambda matrix: "muon" if matrix else "adam", is_matrix(params)
        )

    return optax.partition({"muon": of_matrices, "adam": of_others}, labels)


def _require_decays(optimizer: str, **decays: float) -> None:
    for name, value in decays.items():
        require_number(f"{optimizer}.{name}", value, least=0.0)
        if value >= 1:
            raise UsageError(
                f"{optimizer}.{name} is {value!r}; it is a decay: set it below 1."
            )


def _orthogonalised_momentum(
    *, beta: float, ns_steps: int
) -> optax.GradientTransformation:
    """Nesterov momentum, each matrix of it orthogonalised (`newton_schulz`).

    The state is optax's `MuonState`.
    """
    # Without an iteration, all that it does is to divide each matrix by its norm, as
    # the iterations begin with.
    momentum = optax.contrib.scale_by_muon(
        ns_steps=0, beta=beta, weight_dimension_numbers=_present_matrices
    )

    def update(updates, state, params=None):
        updates, state = momentum.update(updates, state, params)
        parameters, tree = jax.tree.flatten(updates, is_leaf=_is_variable)
        present = [i for i, leaf in enumerate(parameters) if jax.tree.leaves(leaf)]
        stacks = newton_schulz([_stack(parameters[i]) for i in present], steps=ns_steps)
        for i, stack in zip(present, stacks, strict=True):
            parameters[i] = jax.tree.map(
                lambda x, stack=stack: stack.reshape(x.shape), parameters[i]
            )
        return jax.tree.unflatten(tree, parameters), state

    return optax.GradientTransformation(momentum.init, update)


def _scaled_by_shape(rms: float) -> optax.GradientTransformation:
    """Gives orthogonal matrices this root mean square (Liu et al. 2025, §2.2)."""

    def scaled(leaf: Any) -> Any:
        if not jax.tree.leaves(leaf):
            return leaf
        factor = rms * max(_stack(leaf).stack.shape[1:]) ** 0.5
        return jax.tree.map(lambda x: factor * x, leaf)

    return optax.stateless(
        lambda updates, _: jax.tree.map(scaled, updates, is_leaf=_is_variable)
    )


def _present_matrices(updates: PyTree) -> PyTree:
    """`matrices`, with optax's mark of an absent leaf where Adam has the parameter."""
    return jax.tree.map(
        lambda numbers: optax.MaskedNode() if numbers is None else numbers,
        matrices(updates),
        is_leaf=lambda x: x is None or isinstance(x, MuonDimensionNumbers),
    )


def _stack(leaf: Any) -> Matrices:
    """A matrix parameter, or its update, as a stack of matrices [N rows columns]."""
    if not _is_variable(leaf):
        return Matrices(leaf[None])
    value, axes = leaf.get_value(), leaf.get_metadata()["axes"]
    numbers = matrix_axes(axes)
    assert numbers is not None
    rows, columns = numbers
    assert isinstance(rows, tuple) and isinstance(columns, tuple)
    first = rows[0]  # behind the layers, if any
    size = math.prod(value.shape[first : columns[0]])
    stack = value.reshape(math.prod(value.shape[:first]), size, -1)
    return Matrices(stack, (axes[first], axes[columns[0]]))


def _is_variable(leaf: Any) -> bool:
    return isinstance(leaf, nnx.Variable)
