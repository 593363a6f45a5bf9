"""The shipped sizes: what their headers say is what gets built."""

import ast
import pathlib
import re

import jax
import pytest
from flax import nnx
from jax.sharding import AbstractMesh, AxisType

from sightline.models.axes import MESH_AXES, param_shardings
from sightline.models.build import build
from sightline.models.config import ModelConfig
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives.errors import UsageError

FOLDER = pathlib.Path(__file__).parents[2] / "gin" / "models"
BINDING = re.compile(r"ModelConfig\.(\w+) = (.+)")
VOCABULARY = 1024
SHAPES = {
    "decoder": decoder_rows(slots=8, predictions=8),
    "encoder-decoder": encoder_decoder_rows(
        slots=8, predictions=8, memory_slots=8, memory_predictions=8
    ),
}


def read(path: pathlib.Path) -> tuple[str, ModelConfig]:
    lines = path.read_text().splitlines()
    text = " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
    bindings = [line for line in lines if line and not line.startswith("#")]
    matches = [BINDING.fullmatch(line) for line in bindings]
    assert all(matches), bindings
    values = {m[1]: ast.literal_eval(m[2]) for m in matches if m}
    assert len(values) == len(bindings)
    return text, ModelConfig(**values)


def test_there_are_six():
    sizes = {path.stem for path in FOLDER.glob("*.gin")}
    assert sizes == {"tiny", "small", "base", "large", "1b", "7b"}


@pytest.mark.parametrize("name", ["tiny", "small", "base", "large", "1b", "7b"])
@pytest.mark.parametrize("architecture", SHAPES)
def test_the_header_counts_the_parameters(name, architecture):
    header, config = read(FOLDER / f"{name}.gin")
    model = nnx.eval_shape(
        lambda: build(
            config,
            vocabulary_size=VOCABULARY,
            shape=SHAPES[architecture],
            rngs=nnx.Rngs(0),
        )
    )
    state = nnx.state(model)
    tables = 1 if config.tie_embeddings else 2
    stated = re.search(rf"(?<![\w-]){architecture} (\d+)", header)
    assert stated is not None
    count = sum(x.size for x in jax.tree.leaves(state))
    assert count - tables * VOCABULARY * config.d_model == int(stated[1])
    assert f"V × {config.d_model}" in header
    # Divides by the meshes that it is meant for.
    mesh = AbstractMesh((1, 16, 1, 4), MESH_AXES, axis_types=(AxisType.Auto,) * 4)
    param_shardings(state, mesh)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(kv_heads=3), "kv_heads=3 does not divide heads=4"),
        (dict(head_dim=7), "odd; RoPE turns pairs, so take 8"),
        (dict(activation="relu6"), "'relu6'; did you mean 'relu'"),
        (dict(rope_factor=0.5), "rope_factor is 0.5; set it to a finite number ≥ 1"),
        (
            dict(rope_factor=8.0, rope_low_frequency_factor=4.0),
            "rope_high_frequency_factor is 4.0",
        ),
        (dict(position="rop"), "did you mean 'rope'"),
        (dict(layers=0), "layers is 0; set it to a whole number"),
        (dict(gated="False"), "gated is 'False'; set it to True or False"),
        (dict(tie_embeddings=0), "tie_embeddings is 0; set it to True or False"),
        (dict(loss_chunk=0), "loss_chunk is 0; set it to a whole number"),
    ],
    ids=str,
)
def test_impossible_models_are_refused(change, message):
    sizes = dict(layers=1, d_model=8, heads=4, kv_heads=2, head_dim=8, d_hidden=8)
    config = ModelConfig(**sizes)
    # Set afterwards, because the type check of tests refuses wrong Literals first.
    for name, value in change.items():
        object.__setattr__(config, name, value)
    with pytest.raises(ValueError, match=message):
        config.__post_init__()


BIASES, SCALES = {"position": "relative_bias"}, {"rope_factor": 8.0}


@pytest.mark.parametrize(
    ("unread", "beside", "read", "message"),
    [
        ({"rope_theta": 5e5}, BIASES, {}, "500000.0.*position.*at 10000.0, or set"),
        ({"rope_factor": 8.0}, BIASES, {}, "8.0, and acts only with .*position"),
        ({"rope_low_frequency_factor": 2.0}, {}, SCALES, "2.0.*only with .*rope_fact"),
        ({"rope_high_frequency_factor": 2.0}, {}, SCALES, "2.0.*leave it at 4.0"),
        ({"rope_original_context": 512}, {}, SCALES, "512.*set ModelConfig.rope_fact"),
        ({"relative_buckets": 8}, {}, BIASES, '8.*="relative_bias"; leave it at 32'),
        ({"relative_max_distance": 64}, {}, BIASES, "64, and acts only with"),
        ({"relative_per_layer": True}, {}, BIASES, "True.*leave it at False, or set"),
    ],
    ids=str,
)
def test_a_setting_acts_or_is_refused(unread, beside, read, message):
    sizes = dict(layers=1, d_model=8, heads=4, kv_heads=2, head_dim=8, d_hidden=8)
    (field,) = unread
    with pytest.raises(UsageError, match=rf"ModelConfig\.{field} is {message}"):
        ModelConfig(**sizes, **beside, **unread)
    ModelConfig(**sizes, **read, **unread)
    # At its default it is as good as unset: resolved configs write all of them out.
    default = getattr(ModelConfig(**sizes), field)
    ModelConfig(**sizes, **beside, **{field: default})
