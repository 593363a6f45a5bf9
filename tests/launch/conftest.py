"""A tiny model, batches of all five objectives to train it on, and a run of one."""

import jax
import numpy as np
import optax
import pytest
from jax.sharding import AxisType

from sightline.launch.configuration.config import load
from sightline.launch.inference.asked import AskedModel
from sightline.launch.inference.open import load_trained
from sightline.launch.runs.checkpoints import Checkpoints
from sightline.launch.runs.directory import RunDirectory
from sightline.launch.runs.run_identity import RunIdentity
from sightline.launch.training.program import Program, program_of
from sightline.models.config import ModelConfig
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.tasks.rows.layout import layout
from sightline.tasks.rows.packing import collate, first_fit

VOCABULARY = 1152
FIVE = ("causal", "masked", "span_corruption", "permuted", "sentence_pair")
TINY = ModelConfig(
    layers=2,
    d_model=32,
    heads=8,
    kv_heads=8,
    head_dim=4,
    d_hidden=64,
    compute_dtype="float32",
)
ROWS = {
    "decoder": decoder_rows(slots=64, predictions=64),
    "encoder_decoder": encoder_decoder_rows(
        slots=64, predictions=64, memory_slots=64, memory_predictions=16
    ),
}


def _mesh(**sizes: int):
    shape = {"data": 1, "fsdp": 1, "sequence": 1, "tensor": 1, **sizes}
    count = int(np.prod(list(shape.values())))
    return jax.make_mesh(
        tuple(shape.values()),
        tuple(shape),
        axis_types=(AxisType.Auto,) * 4,
        devices=jax.devices()[:count],
    )


@pytest.fixture(scope="session")
def make_program():
    """`make_program(architecture, mesh={}, **settings)`: a tiny program on a mesh."""

    def make(architecture: str, *, mesh=None, **settings) -> Program:
        return Program(
            model=TINY,
            vocabulary_size=VOCABULARY,
            rows=ROWS[architecture],
            batch_rows=8,
            transformation=optax.adam(1e-2),
            mesh=_mesh(**(mesh or {})),
            **settings,
        )

    return make


@pytest.fixture(scope="session")
def shares():
    """Loss shares of the five objectives, all alike."""
    values = np.zeros(registry.CAPACITY, np.float32)
    values[[o.id for o in registry.objectives().values()]] = 0.2
    return values


@pytest.fixture(scope="session")
def make_batches(make_text, ids):
    """`make_batches(architecture, names, count)`: packed batches of 8 rows."""

    def make(architecture: str, names=FIVE, count: int = 1):
        rng = np.random.default_rng(0)
        shape = ROWS[architecture]
        place = layout(shape, bos=ids.bos)

        def examples():
            while True:
                objective = registry.get(names[int(rng.integers(len(names)))])
                size = int(rng.integers(10, 50))
                text = make_text(size, seed=int(rng.integers(99)))
                yield place(objective(text, rng, ids))

        rows = first_fit(examples(), shape, look_back=8)
        return [collate([next(rows) for _ in range(8)], shape) for _ in range(count)]

    return make


GIN = """
include 'runs/any_mixture.gin'
train.steps = 2
train.batch_rows = 8
train.eval_batches = 1
ModelConfig.layers = 1
ModelConfig.d_model = 16
ModelConfig.heads = 2
ModelConfig.kv_heads = 2
ModelConfig.head_dim = 8
ModelConfig.d_hidden = 16
ModelConfig.compute_dtype = 'float32'
ModelConfig.unroll = 1
Mixture.name = 'mine'
Mixture.vocabulary = 'policies'
policies.train_documents = 60
policies.validation_documents = 24
decoder_rows.slots = 96
decoder_rows.predictions = 96
encoder_decoder_rows.slots = 96
encoder_decoder_rows.predictions = 96
encoder_decoder_rows.memory_slots = 96
encoder_decoder_rows.memory_predictions = 96
"""
ALL = (
    "causal",
    "masked",
    "span_corruption",
    "permuted",
    "sentence_pair",
    "fill_in_middle",
    "reconstruction",
)


def write_run(folder, rates, *lines):
    """A run directory whose checkpoint holds initial parameters, large enough that
    one token is much likelier than another."""
    gin = folder / "mine.gin"
    rates = {f"policies.{name}": 1.0 for name in rates}
    gin.write_text("\n".join([GIN, f"Mixture.rates = {rates}", *lines]))
    config = load([str(gin)])
    settings = config.arguments("train", run_dir="", config="")
    identity = RunIdentity(config.resolved_config(), settings["mixture"].identities())
    directory = RunDirectory(folder / "run")
    directory.write_config(identity, step=0, changes=())
    state = program_of(settings).initial_state()
    state = state._replace(params=jax.tree.map(lambda x: 3 * x, state.params))
    with Checkpoints(directory.path, keep=1, period=1) as checkpoints:
        checkpoints.save(1, state, {})
    return directory.path


@pytest.fixture(scope="session")
def make_run():
    """`make_run(folder, objectives, *lines)`: the directory of a tiny run."""
    return write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run of a decoder on every objective."""
    return write_run(tmp_path_factory.mktemp("asked"), ALL)


@pytest.fixture(scope="session")
def asked(run):
    return AskedModel(load_trained(run), batch_rows=8)
