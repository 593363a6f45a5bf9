"""Documents that these tests share: writing one with checked types takes 8 ms."""

import pytest

from sightline.tasks.corpora.policies import Policies


@pytest.fixture(scope="session")
def policies():
    """Four hundred documents; `make corpus-study` measures thousands."""
    corpus = Policies(seed=2)
    return [corpus.policy("train", index) for index in range(400)]
