"""Which files of a folder are told apart."""

from sightline.tasks.files import sha256_of, sha256_of_all


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
