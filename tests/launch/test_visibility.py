"""Every objective × architecture, through layout and packing, on the model itself.

Perturbing a token that a slot must not see leaves its logits bit-equal; perturbing one
that it may see changes them. What may be seen is written down here from the definition
of an Example, not read from the intervals that packing made.
"""

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.models.vocabulary_loss import logits
from sightline.objectives import registry
from sightline.tasks.layout import layout
from sightline.tasks.packing import collate, first_fit


def seen(inputs: int, targets: int) -> np.ndarray:
    """Who sees whom in one Example: [slots, slots], inputs first, then targets.

    An input sees every input; the slot that predicts target j sees every input and
    the slots of the targets up to j.
    """
    size = inputs + targets
    may = np.zeros((size, size), bool)
    may[:, :inputs] = True
    may[inputs:, inputs:] = np.tril(np.ones((targets, targets), bool))
    return may


@pytest.fixture(scope="module", params=["decoder", "encoder_decoder"])
def forward(request, make_program):
    """The architecture's row shape, and logits of every slot of both streams."""
    program = make_program(request.param)
    model = program.fresh_model()
    graph, params = nnx.split(model)

    @jax.jit
    def run(batch):
        model = nnx.merge(graph, params)
        hidden = model(batch)
        states = {k: v for k, v in hidden._asdict().items() if v is not None}
        return {k: logits(v, model.projection()) for k, v in states.items()}

    return program.rows, lambda batch: jax.device_get(run(batch))


def perturbed(batch, stream: str, slot: int):
    part = getattr(batch, stream)
    tokens = part.tokens.copy()
    tokens[0, slot] = 11 if tokens[0, slot] != 11 else 12
    return batch._replace(**{stream: part._replace(tokens=tokens)})


@pytest.mark.parametrize("name", sorted(registry.objectives()))
def test_logits_depend_on_what_may_be_seen_and_on_nothing_else(
    name, forward, make_text, ids
):
    shape, run = forward
    rng = np.random.default_rng(0)
    others = [n for n in sorted(registry.objectives()) if n != name][:2]
    names = [others[0], name, others[1]]  # a neighbour on either side, in one row
    examples = [registry.get(n)(make_text(13, seed=5), rng, ids) for n in names]
    place = layout(shape, bos=ids.bos)
    (row,) = first_fit(map(place, examples), shape)
    batch = collate([row] * 8, shape)
    sizes = [(len(e.inputs), len(e.targets)) for e in examples]
    inputs, targets = sizes[1]
    if shape.encoder is None:
        places = [("decoder", sum(sizes[0]) + k) for k in range(inputs + targets)]
    else:
        places = [("encoder", sizes[0][0] + k) for k in range(inputs)]
        places += [("decoder", sizes[0][1] + k) for k in range(targets)]
    may = seen(inputs, targets)
    plain = run(batch)
    for held, (stream, slot) in enumerate(places):
        found = run(perturbed(batch, stream, slot))
        changed = {
            (part, row, at)
            for part in plain
            for row, at in np.argwhere((plain[part] != found[part]).any(-1)).tolist()
        }
        seers = [places[seer] for seer in np.flatnonzero(may[:, held])]
        assert changed == {(part, 0, at) for part, at in seers}
