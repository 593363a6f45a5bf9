"""The recipe of `english` is one of four small packages, made here."""

import pytest
from fake_packages import serve

from sightline.tasks.user_folder import user_folder


@pytest.fixture
def registry(tmp_path, monkeypatch):
    return serve(tmp_path, monkeypatch)


@pytest.fixture
def root(registry):
    """Where the corpus is kept."""
    return user_folder() / "english"
