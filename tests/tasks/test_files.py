"""Files are written whole, and those of a folder told apart."""

import hashlib
import os
import threading

import pytest

from sightline.tasks.files import (
    EDGE,
    sha256_of,
    sha256_of_all,
    sha256_of_edges,
    write_whole,
)


def test_what_a_link_names_is_written_and_the_link_stays(tmp_path):
    target, link = tmp_path / "target", tmp_path / "folder" / "link"
    link.parent.mkdir()
    link.symlink_to(target)
    for text in ("new", "newer"):  # also where the link leads nowhere yet
        write_whole(link, text)
        assert link.is_symlink() and target.read_text() == text
    assert [path.name for path in link.parent.iterdir()] == ["link"]


def test_a_pipe_is_written_to(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_whole(pipe, iter(["a", "b"]))
    reader.join()
    assert read == ["ab"] and pipe.is_fifo()


def test_what_is_hidden_in_a_folder_is_in_no_digest(tmp_path):
    """Not the files of hidden folders either; the folder itself may be in one."""
    folder = tmp_path / ".cache"
    for name in ("a.txt", "b/c.txt", ".d", ".git/e", "b/.f/g"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    assert sha256_of_all(folder) == {
        name: sha256_of(folder / name) for name in ("a.txt", "b/c.txt")
    }
    assert list(sha256_of_all(folder / ".d")) == [".d"]


@pytest.mark.parametrize("size", [0, 1, EDGE, EDGE + 9, 2 * EDGE, 3 * EDGE])
def test_edges_are_the_whole_of_a_small_file_and_the_ends_of_a_large_one(
    tmp_path, size
):
    content = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(content)
    ends = content if size <= 2 * EDGE else content[:EDGE] + content[-EDGE:]
    assert sha256_of_edges(path) == hashlib.sha256(ends).hexdigest()


def test_a_file_that_cannot_be_made_is_named_and_not_a_temporary_one(tmp_path):
    path = tmp_path / "missing" / "x.csv"
    with pytest.raises(OSError) as error:
        write_whole(path, "a")
    assert error.value.filename == str(path)
