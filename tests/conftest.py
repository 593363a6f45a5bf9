"""What tests share: emulated devices, checked shapes, text to make Examples of."""

import gc
import importlib.metadata
import os
import tempfile

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Compiling takes most of the time of these tests, and tiny models gain nothing by it.
# What is computed is the same. Subprocesses take it from here, tests from the marks.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# jaxlib 0.10 has an older way to make kernels of fusions, which takes a third of the
# time. Later ones have it no more, and refuse a flag that they do not know.
if importlib.metadata.version("jaxlib").startswith("0.10."):
    os.environ["XLA_FLAGS"] = (
        f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_use_fusion_emitters=false"
    )
# One cache of programs for all workers and subprocesses: they compile many alike.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    _COMPILED = tempfile.TemporaryDirectory(prefix="sightline-compiled-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = _COMPILED.name
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
# XLA writes a page to stderr for every program that it takes from the cache.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import jax
import jaxtyping
import numpy as np
import pytest

from sightline.objectives.special_ids import SpecialIds
from sightline.objectives.text import Text

jax.config.update("jax_num_cpu_devices", 8)

FIRST, SIZE, EXTRA = 3, 1000, 100


def pytest_collection_finish():
    """What was imported stays; no collection of garbage looks through it again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Two marks of what takes long, each measured to be worth it.

    `unchecked`: shapes in annotations are not checked. A checked call takes ten to
    fifty times as long; the parts of whole runs have tests of their own, and so has
    what is drawn thousands of times.
    `optimised`: programs are compiled in full, where running them takes longer.
    """
    unchecked = item.get_closest_marker("unchecked") is not None
    optimised = item.get_closest_marker("optimised") is not None
    jaxtyping.config.update("jaxtyping_disable", unchecked)
    jax.config.update("jax_disable_most_optimizations", not optimised)
    return (yield)


@pytest.fixture(scope="session")
def ids() -> SpecialIds:
    """Text ids 3..999, reserved ids around them, sentinels descending at the end."""
    return SpecialIds(
        pad=0,
        bos=SIZE,
        eos=1,
        mask=SIZE + 1,
        sep=SIZE + 2,
        labels=(SIZE + 3, SIZE + 4),
        modes=(SIZE + 5, SIZE + 6, SIZE + 7),
        fill=(SIZE + 8, SIZE + 9, SIZE + 10),
        sentinels=tuple(range(SIZE + 11 + EXTRA - 1, SIZE + 10, -1)),
        text=np.arange(FIRST, SIZE, dtype=np.int32),
        word_starts=np.arange(FIRST, SIZE, 3, dtype=np.int32),
        sentence_ends=np.arange(FIRST + 7, SIZE, 11, dtype=np.int32),
    )


@pytest.fixture(scope="session")
def make_text():
    """`make_text(length, start=0, stop=None, seed=0)`: a window of a random document.

    Token ids of the document are below 500, those of other documents above.
    """

    def make(length: int, start: int = 0, stop: int | None = None, seed: int = 0):
        rng = np.random.default_rng([length, seed])
        document = np.append(rng.integers(FIRST, 500, length - 1), 1).astype(np.int32)

        def other(rng: np.random.Generator):
            size = int(rng.integers(100, 300))
            return np.append(rng.integers(500, SIZE, size), 1).astype(np.int32)

        return Text(document, start, length if stop is None else stop, other)

    return make


ASKED_GIN = """
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


def write_run(folder, rates=ALL, *lines):
    """A run directory whose checkpoint holds initial parameters, large enough that
    one token is much likelier than another."""
    from sightline.launch.configuration.config import load
    from sightline.launch.runs.checkpoints import Checkpoints
    from sightline.launch.runs.directory import RunDirectory
    from sightline.launch.runs.run_identity import RunIdentity
    from sightline.launch.training.program import program_of

    gin = folder / "mine.gin"
    rates = {f"policies.{name}": 1.0 for name in rates}
    gin.write_text("\n".join([ASKED_GIN, f"Mixture.rates = {rates}", *lines]))
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
    """`make_run(folder, objectives, *gin_lines)`: the folder of a tiny run."""
    return write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run of a decoder on every objective."""
    return write_run(tmp_path_factory.mktemp("asked"))


@pytest.fixture(scope="session")
def asked(run):
    from sightline.launch.inference.asked import AskedModel
    from sightline.launch.inference.open import load_trained

    return AskedModel(load_trained(run), batch_rows=8)
