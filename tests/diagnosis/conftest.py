"""Tiny models of both architectures, with the measurement compiled once for each."""

import jax
import numpy as np
import pytest
from flax import nnx

from sightline.diagnosis.audit.audit import SHAPES
from sightline.diagnosis.audit.dependence import make_measure
from sightline.models.build import build
from sightline.models.config import ModelConfig
from sightline.tasks.rows import layout, packing
from sightline.tasks.tokens.vocabulary import vocabulary

CONFIG = ModelConfig(
    layers=2,
    d_model=16,
    heads=2,
    kv_heads=1,
    head_dim=8,
    d_hidden=32,
    compute_dtype="float32",
)


@pytest.fixture(scope="session")
def config():
    return CONFIG


@pytest.fixture(scope="session")
def vocab():
    return vocabulary("python_docs")


@pytest.fixture(scope="session", params=sorted(SHAPES))
def audited(request, vocab):
    """An architecture's name, its rows, and the measurement of a tiny model of it."""
    shape = SHAPES[request.param]
    rngs = nnx.Rngs(params=0)
    model = build(CONFIG, vocabulary_size=vocab.size, shape=shape, rngs=rngs)
    return request.param, shape, make_measure(model)


@pytest.fixture(autouse=True)
def one_device():
    """Eight emulated devices would share two cores for nothing here."""
    with jax.default_device(jax.devices()[0]):
        yield


@pytest.fixture
def widen(monkeypatch):
    """`widen(by, within=False)`: each target slot sees `by` slots more.

    `within`: none beyond the slots of its own Example.
    """

    def patch(by, *, within=False):
        plain = layout._one_stream

        def widened(fields, inputs, targets, bos):
            flat = plain(fields, inputs, targets, bos)
            size = inputs + targets
            place = np.concatenate([np.arange(n) for n in size])
            is_target = place >= np.repeat(inputs, size)
            sees = flat.slots.visible_to + np.int32(by) * is_target
            if within:
                sees = np.minimum(sees, np.repeat(size, size))
            sees = sees.astype(np.int32)
            return flat._replace(slots=flat.slots._replace(visible_to=sees))

        monkeypatch.setattr(layout, "_one_stream", widened)

    return patch


@pytest.fixture
def see_the_row(monkeypatch):
    """`see_the_row()`: every slot sees its row from the first slot on."""

    def patch():
        plain = packing._stream

        def from_the_row_start(*arguments):
            stream, at = plain(*arguments)
            return stream._replace(visible_from=np.zeros_like(stream.visible_from)), at

        monkeypatch.setattr(packing, "_stream", from_the_row_start)

    return patch
