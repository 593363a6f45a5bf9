"""The compiled program: which collectives it holds, and that meshes agree."""

import functools
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import AxisType, NamedSharding

from sightline.models import loss as losses
from sightline.models.axes import MESH_AXES, constrain, param_shardings, partition_spec
from sightline.objectives.registry import CAPACITY

pytestmark = pytest.mark.optimised

ROWS = 8
SLOTS, D, V = 8, 16, 32
COLLECTIVE = re.compile(
    r"= (.*?) (all-gather|all-reduce|all-to-all|reduce-scatter)(?:-start)?\("
)


def mesh_of(sizes: tuple[int, ...]):
    devices = jax.devices()[: math.prod(sizes)]
    return jax.make_mesh(
        sizes, MESH_AXES, axis_types=(AxisType.Auto,) * 4, devices=devices
    )


@functools.cache
def step(architecture, sizes: tuple[int, ...]):
    """Compiled loss and gradient on a mesh, and what it gives."""
    mesh = mesh_of(sizes)
    graph, state = nnx.split(architecture.build(kv_heads=4, remat="full"))
    batch = jax.tree.map(lambda x: np.tile(x, (ROWS // 2, 1)), architecture.batch)
    shares = np.full(CAPACITY, 1 / CAPACITY, np.float32)
    coefficients = losses.loss_coefficients(shares, losses.weight_totals(batch))

    def gradient(state, batch):
        def loss(state):
            return losses.mixture_loss(nnx.merge(graph, state), batch, coefficients)[0]

        return jax.value_and_grad(loss)(state)

    with jax.set_mesh(mesh):
        layout = param_shardings(state, mesh)
        rows = NamedSharding(mesh, partition_spec(("batch", None)))
        whole = NamedSharding(mesh, partition_spec(()))
        run = jax.jit(
            gradient, in_shardings=(layout, rows), out_shardings=(whole, layout)
        )
        state, batch = jax.device_put(state, layout), jax.device_put(batch, rows)
        compiled = run.lower(state, batch).compile()
        return compiled.as_text(), jax.device_get(compiled(state, batch))


MESHES = {
    "decoder": [(8, 1, 1, 1), (1, 8, 1, 1), (1, 1, 4, 2), (2, 2, 2, 1)],
    "encoder_decoder": [(1, 8, 1, 1), (1, 2, 2, 2)],
}


def test_every_mesh_gives_the_same(architecture):
    _, alone = step(architecture, (1, 1, 1, 1))
    for sizes in MESHES[architecture.architecture]:
        _, ours = step(architecture, sizes)
        agree(ours, alone)


def agree(ours, alone):
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(alone), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-6)


def collectives(text: str) -> list[tuple[str, str, tuple[int, ...]]]:
    """(computation, kind, shape) of every array that a collective makes."""
    found, computation = [], ""
    for line in text.splitlines():
        if line.endswith("{") and not line.startswith(" "):
            computation = line.split()[0]
        for made, kind in COLLECTIVE.findall(line):
            for shape in re.findall(r"\w+\[([\d,]*)\]", made):
                found.append(
                    (computation, kind, tuple(map(int, filter(None, shape.split(",")))))
                )
    return found


def test_a_layer_gathers_its_kernels_once_in_each_direction(architecture):
    """And sums each gradient once, into shards; no activation is summed."""
    text, _ = step(architecture, (1, 8, 1, 1))
    layers = [item for item in collectives(text) if not item[0].startswith("ENTRY")]
    attention, mlp = 4 * D * 32, 3 * D * 24
    kernels = attention + mlp
    if architecture.architecture == "encoder_decoder":
        kernels += 2 * attention + mlp  # both stacks, and cross-attention
    assert elements(layers, "all-gather") == 2 * kernels
    assert elements(layers, "reduce-scatter") * 8 == kernels
    norms = [shape for _, kind, shape in layers if kind == "all-reduce"]
    assert set(norms) == {(D,)}


def test_outside_of_layers_the_table_moves_once_in_each_direction(decoder):
    text, _ = step(decoder, (1, 8, 1, 1))
    outside = [item for item in collectives(text) if item[0].startswith("ENTRY")]
    rows = ROWS * SLOTS
    assert elements(outside, "all-gather") == V * D + rows  # the table, and token ids
    assert elements(outside, "all-to-all") == 2 * rows // 8 * D  # what was looked up
    # The table's gradient; of the rest, sums by objective are the largest.
    assert V * D <= elements(outside, "all-reduce") < V * D + 8 * CAPACITY


def test_looking_tokens_up_exchanges_rows_and_gathers_none(decoder):
    """With batch, slots and vocabulary split, XLA by itself makes every row whole."""
    mesh = mesh_of((1, 2, 2, 2))
    graph, state = nnx.split(decoder.build().embedding)
    tokens = jax.ShapeDtypeStruct((ROWS, SLOTS), "int32")

    def total(state, tokens):
        x = nnx.merge(graph, state)(tokens)
        return jnp.square(constrain(x, "batch", "slots", None)).sum()

    with jax.set_mesh(mesh):
        layout = param_shardings(state, mesh)
        slots = NamedSharding(mesh, partition_spec(("batch", "slots")))
        run = jax.jit(
            jax.grad(total), in_shardings=(layout, slots), out_shardings=layout
        )
        text = run.lower(state, tokens).compile().as_text()
    assert not re.findall(r"= f32\S* all-gather", text)


def elements(made, kind: str) -> int:
    return sum(math.prod(shape) for _, of, shape in made if of == kind)


def test_data_alone_moves_gradients_only(decoder):
    text, _ = step(decoder, (8, 1, 1, 1))
    made = collectives(text)
    assert {kind for _, kind, _ in made} == {"all-reduce"}
    assert max(np.prod(shape) for _, _, shape in made) <= 32 * 16
