"""Points of a study: one is there only if it was read back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sightline.launch.runs.checkpoints import Checkpoints
from sightline.launch.studies import store
from sightline.launch.studies.store import Saved, has_point, keep_point, read_point
from sightline.objectives.errors import UsageError

DEVICE = jax.sharding.SingleDeviceSharding(jax.devices()[0])


class Damaged(Checkpoints):
    """Writes what is then not found whole."""

    def __exit__(self, *error):
        super().__exit__(*error)
        raise UsageError("damaged arrays")


def test_a_point_that_is_not_whole_is_none(tmp_path, monkeypatch):
    state = {"params": jnp.arange(4.0)}
    wanted = {"params": jax.ShapeDtypeStruct((4,), np.float32, sharding=DEVICE)}
    saved = Saved(3, state, 3000, {"row": 7})
    with monkeypatch.context() as patch, pytest.raises(UsageError, match="damaged"):
        patch.setattr(store, "Checkpoints", Damaged)
        keep_point(tmp_path, 3000, state, saved)
    assert not has_point(tmp_path, 3000)
    with pytest.raises(UsageError, match="has no checkpoint"):
        read_point(tmp_path, 3000, wanted)

    keep_point(tmp_path, 3000, state, saved)
    assert has_point(tmp_path, 3000)
    again = read_point(tmp_path, 3000, wanted)
    np.testing.assert_array_equal(again.state["params"], state["params"])
    assert (again.step, again.tokens, again.position) == (3, 3000, {"row": 7})
    assert [path.name for path in (tmp_path / "points").iterdir()] == ["3000"]
