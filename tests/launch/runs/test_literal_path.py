"""A folder whose path a library would misread is reached by a link."""

import glob

import pytest

from sightline.launch.runs.literal_path import literal_path


@pytest.mark.parametrize("name", ["run[1]", "a*", "b?", "c\\d", "]e"])
def test_a_special_path_is_reached_by_a_plain_one(tmp_path, name):
    """Also one that is made later, through the link."""
    folder = tmp_path / name / "made later"
    folder.parent.mkdir()
    with literal_path(folder) as path:
        assert glob.escape(str(path)) == str(path) and "\\" not in str(path)
        folder.mkdir()
        (path / "file").write_text("here")
        assert glob.glob(f"{path}/*") == [str(path / "file")]
    assert (folder / "file").read_text() == "here"
    assert not path.is_symlink() and not path.parent.exists()


def test_a_plain_path_is_itself(tmp_path):
    with literal_path(tmp_path) as path:
        assert path is tmp_path
    assert tmp_path.exists()
