"""One folder for all that is kept: corpora, compiled programs, plans."""

from pathlib import Path

import pytest

from sightline.launch.hosts.compilation_cache import (
    compilation_cache,
    use_compilation_cache,
)
from sightline.launch.pods.plan.cache import Cache
from sightline.tasks import corpora
from sightline.tasks.user_folder import user_folder


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({}, Path.home() / ".cache" / "sightline"),
        ({"XDG_CACHE_HOME": "/c"}, Path("/c/sightline")),
        ({"XDG_CACHE_HOME": "/c", "SIGHTLINE_DATA_DIR": "/d"}, Path("/d")),
        ({"XDG_CACHE_HOME": "", "SIGHTLINE_DATA_DIR": ""}, user_folder({})),
    ],
)
def test_the_environment_names_it(environment, folder):
    assert user_folder(environment) == folder


@pytest.mark.parametrize("name", ["SIGHTLINE_DATA_DIR", "XDG_CACHE_HOME"])
def test_everything_is_kept_in_it(name, tmp_path, monkeypatch):
    monkeypatch.delenv("SIGHTLINE_DATA_DIR", raising=False)
    monkeypatch.setenv(name, str(tmp_path))
    folder, environment = user_folder(), {name: str(tmp_path)}
    assert folder.is_relative_to(tmp_path)
    assert Cache().folder == folder / "plan"
    use_compilation_cache(environment)
    assert compilation_cache(environment) == folder / "compiled"
    corpora.require_data_dir()
    assert folder.is_dir()
