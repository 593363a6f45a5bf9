"""The files against the library of the format."""

import ml_dtypes
import numpy as np
import pytest

from sightline.launch.interchange.safetensors import Writer, open_folder, read
from sightline.objectives.errors import UsageError

safetensors = pytest.importorskip("safetensors.numpy")
SHAPES = {"a": (3, 4), "b": (), "c.d": (2, 0), "e": (7,)}


@pytest.mark.parametrize("shard_bytes", [40, 10**6])
def test_the_library_reads_what_is_written(tmp_path, shard_bytes):
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=shape) for name, shape in SHAPES.items()}
    writer = Writer(tmp_path, SHAPES, dtype="F32", shard_bytes=shard_bytes)
    for name in reversed(SHAPES):
        writer.write(name, np.asarray(values[name], np.float32))
    writer.close()
    loaded = {}
    for path in tmp_path.glob("*.safetensors"):
        loaded |= safetensors.load_file(path)
    assert loaded.keys() == open_folder(tmp_path).keys() == SHAPES.keys()
    for name, tensor in open_folder(tmp_path).items():
        np.testing.assert_array_equal(loaded[name], values[name].astype(np.float32))
        np.testing.assert_array_equal(read(tensor), loaded[name])
    assert len(list(tmp_path.glob("*.safetensors"))) == (2 if shard_bytes == 40 else 1)


def test_what_the_library_writes_is_read(tmp_path):
    values = {"a": np.arange(6, dtype=np.float32).reshape(2, 3)}
    values["b"] = np.arange(4).astype(np.float16)
    safetensors.save_file(values, tmp_path / "model.safetensors")
    for name, tensor in open_folder(tmp_path).items():
        np.testing.assert_array_equal(read(tensor), values[name])


def test_a_cast_rounds_as_it_should(tmp_path):
    value = np.array([1.0, 1.00390625 + 2**-10, -3e38], np.float32)
    writer = Writer(tmp_path, {"a": (3,)}, dtype="BF16", shard_bytes=100)
    writer.write("a", value)
    writer.close()
    found = read(open_folder(tmp_path)["a"])
    np.testing.assert_array_equal(found, value.astype(ml_dtypes.bfloat16))


def test_a_value_beyond_the_types_range_is_refused_by_name(tmp_path):
    writer = Writer(tmp_path, {"a": (3,)}, dtype="F16", shard_bytes=100)
    with pytest.raises(UsageError, match=r"a holds ±1e\+05, which F16 cannot"):
        writer.write("a", np.array([1.0, -1e5, np.inf], np.float32))
