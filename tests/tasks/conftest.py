"""Corpora of these tests are prepared in a folder of the test run."""

from collections.abc import Sequence

import pytest


@pytest.fixture(scope="session", autouse=True)
def data_dir(tmp_path_factory):
    """An empty data directory, for the whole session."""
    path = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_DATA_DIR", str(path))
        yield path


class SmallCorpus:
    """Documents held in memory; the n-th one is of `lengths[n]` bytes."""

    name = "small"
    splits = ("train", "validation")
    vocabulary = "bytes"

    def __init__(self, lengths: Sequence[int]):
        self._lengths = lengths

    def check(self) -> None:
        """Has its documents."""

    def identity(self) -> str:
        return str(self._lengths)

    def documents(self, split: str) -> Sequence[str]:
        shift = 0 if split == "train" else 1
        return [
            "".join(chr(33 + (7 * n + i + shift) % 90) for i in range(length))
            for n, length in enumerate(self._lengths)
        ]


@pytest.fixture(scope="session")
def small_corpus():
    return SmallCorpus
