"""Files are written whole, and those of a folder told apart."""

import os
import threading

from sightline.tasks.files import sha256_of, sha256_of_all, write_whole


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
