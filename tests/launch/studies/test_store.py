"""Points of a run: there once they were read back, and read with a cure."""

import shutil

import jax
import jax.numpy as jnp
import pytest

from sightline.launch.runs import checkpoints
from sightline.launch.runs.verified import CheckpointError
from sightline.launch.studies.store import Saved, has_point, keep_point, read_point
from sightline.objectives.errors import UsageError

from .conftest import same_arrays

STATE = {"w": jnp.arange(8.0)}
STRUCT = jax.tree.map(
    lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), STATE
)


@pytest.mark.parametrize("end", [CheckpointError("damaged"), KeyboardInterrupt()])
def test_a_point_is_there_once_it_was_read_back(tmp_path, monkeypatch, end):
    def read_back(path, structs):
        raise end

    with monkeypatch.context() as patch, pytest.raises(type(end)):
        patch.setattr(checkpoints, "read_back", read_back)
        keep_point(tmp_path, 3000, STATE, Saved(4, STATE, 3001, None))
    assert not has_point(tmp_path, 3000)
    with pytest.raises(UsageError, match="has no checkpoint; delete"):
        read_point(tmp_path, 3000, STRUCT)
    keep_point(tmp_path, 3000, STATE, Saved(5, STATE, 3002, None))
    assert has_point(tmp_path, 3000)
    found = read_point(tmp_path, 3000, STRUCT)
    assert (found.step, found.tokens) == (5, 3002)
    same_arrays(found.state, STATE)
    assert [path.name for path in (tmp_path / "points").iterdir()] == ["3000"]


def test_a_point_that_was_damaged_later_is_told_with_the_cure(tmp_path):
    keep_point(tmp_path, 3000, STATE, Saved(4, STATE, 3001, None))
    shutil.rmtree(tmp_path / "points" / "3000" / "checkpoints" / "4" / "state")
    with pytest.raises(UsageError, match=f"is whole .* delete {tmp_path} and rerun"):
        read_point(tmp_path, 3000, STRUCT)
