"""A run's directory: whose it is, and what a resumed run may change."""

import pytest

from sightline.launch.runs.directory import prepare_run_dir
from sightline.objectives.errors import UsageError

CONFIG = "text.folder = 'papers'\ntrain.steps = 9\nMixture.name = 'm'\n"


@pytest.fixture
def run_dir(tmp_path):
    """A run that has a checkpoint."""
    folder = prepare_run_dir(
        tmp_path / "r [1]", CONFIG, identities={"corpus text": "abc"}
    )
    (folder / "checkpoints" / "6").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("old", "new"), [("papers", "moved/papers 2"), ("steps = 9", "steps = 12")]
)
def test_where_a_corpus_lies_and_how_long_a_run_is_may_change(run_dir, old, new):
    changed = CONFIG.replace(old, new)
    prepare_run_dir(run_dir, changed, identities={"corpus text": "abc"})
    # Later commands open the corpus where it is now.
    assert changed in (run_dir / "config.gin").read_text()


@pytest.mark.parametrize(
    ("config", "identity", "shown"),
    [
        (CONFIG, "abd", "+# corpus text abd"),
        (CONFIG.replace("'m'", "'n'"), "abc", "+Mixture.name = 'n'"),
    ],
)
def test_another_text_or_config_is_refused_and_shown(run_dir, config, identity, shown):
    before = (run_dir / "config.gin").read_text()
    with pytest.raises(UsageError, match="a run of another config") as refused:
        prepare_run_dir(run_dir, config, identities={"corpus text": identity})
    assert shown in str(refused.value)
    assert (run_dir / "config.gin").read_text() == before


def test_without_a_checkpoint_nothing_is_lost_by_another_config(tmp_path):
    prepare_run_dir(tmp_path, CONFIG, identities={})
    prepare_run_dir(tmp_path, "other", identities={})
    assert (tmp_path / "config.gin").read_text() == "other"
