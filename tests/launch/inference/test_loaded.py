"""A run from Python: what it returns agrees with itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import sightline
from sightline.models.vocabulary_loss import logits
from sightline.objectives.errors import UsageError

pytestmark = pytest.mark.unchecked

TEXT = "The team approves the request."


@pytest.fixture(scope="module")
def loaded(run):
    return sightline.load(run, batch_rows=8)


def test_hidden_states_of_the_past_predict_what_is_likely(loaded):
    (states,) = loaded.hidden([TEXT], sight="past")
    (scored,) = loaded.log_likelihood([TEXT])
    tokens = loaded.vocabulary.encode(TEXT)
    assert scored.total == pytest.approx(scored.per_token.sum(), abs=1e-2)
    scores = logits(jnp.asarray(states)[None], loaded.model.projection())[0]
    log_p = jax.nn.log_softmax(scores)[np.arange(len(tokens) - 1), tokens[1:]]
    np.testing.assert_allclose(log_p, scored.per_token[1:], atol=2e-3)


def test_hidden_states_of_both_sides_see_what_follows(loaded):
    (one,), (other,) = (
        loaded.hidden([f"The team {verb} it."], sight="both")
        for verb in ("pays", "sees")
    )
    assert np.abs(one[0] - other[0]).max() > 0
    (one,), (other,) = (
        loaded.hidden([f"The team {verb} it."], sight="past")
        for verb in ("pays", "sees")
    )
    assert np.abs(one[0] - other[0]).max() == 0


def test_training_begins_with_the_runs_parameters_and_leaves_them(loaded):
    begun = loaded.training(batch_rows=8)
    before = jax.tree.map(np.array, nnx.state(loaded.model))
    jax.tree.map(np.testing.assert_array_equal, begun.state.params, before)
    batch = next(loaded.batches(seed=1, batch_rows=8))
    state, metrics = begun.step(begun.state, batch)
    assert int(state.step) == 1 and bool(metrics.finite)
    jax.tree.map(np.testing.assert_array_equal, nnx.state(loaded.model), before)
    assert begun.model(state).config == loaded.model.config


def test_what_cannot_be_asked_is_named(loaded, tmp_path):
    with pytest.raises(UsageError, match="did you mean 'continue'"):
        loaded.ask([], mode="continues")
    with pytest.raises(UsageError, match=r"no setting 'temprature'.*'temperature'"):
        loaded.generate([TEXT], temprature=0.5)
    with pytest.raises(UsageError, match="'likelihood' does not read 'temperature'"):
        loaded.log_likelihood([TEXT], temperature=0.5)
    with pytest.raises(UsageError, match="prompts is the text 'The'; give a list"):
        loaded.generate("The")
    with pytest.raises(UsageError, match=r"stop is '\. '; write a tuple"):
        loaded.generate([TEXT], stop=". ")
    for stop in ((3,), 3, {".": 1}, (".", None)):
        with pytest.raises(UsageError, match=r"stop is .*; give a tuple of texts"):
            loaded.generate([TEXT], stop=stop)
    with pytest.raises(UsageError, match=r"'stop' is .*: no Unicode at character 1"):
        loaded.generate([TEXT], stop=("\udce9",))
    with pytest.raises(UsageError, match="sight is 'future'"):
        loaded.hidden([TEXT], sight="future")
    with pytest.raises(UsageError, match="no Unicode at character 4; give it in UTF-8"):
        loaded.generate(["caf\udce9"])
    with pytest.raises(UsageError, match="holds no run"):
        sightline.load(tmp_path)
