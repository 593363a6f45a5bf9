"""The jobs of a recording as a pipeline of Apache Beam: the same files."""

import pytest

from sightline.tasks.recorded.beam_runner import beam_runner
from sightline.tasks.recorded.record import record

from .conftest import NoShow

pytest.importorskip("apache_beam", reason="pip install 'sightline[beam]'")


def test_beam_makes_the_same_files(recordings, tmp_path):
    folder, recipe = recordings["mixed"]
    out = tmp_path / "out"
    record(recipe, out, runner=beam_runner("DirectRunner"), show=NoShow())
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
