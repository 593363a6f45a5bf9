"""Which distribution the files on disk really come from."""

import base64
import hashlib
import importlib.metadata as metadata


def files_as_recorded(name: str) -> float | None:
    """The share of a distribution's Python files that are as its RECORD says.

    Two distributions that install over the same files both count as installed; the
    one that was installed last has 1.0.

    Returns:
      None if the distribution is not installed.
    """
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    files = [f for f in distribution.files or () if f.suffix == ".py" and f.hash]
    same = [_digest(file) == file.hash.value for file in files if file.hash]
    return sum(same) / len(same) if same else 0.0


def _digest(file: metadata.PackagePath) -> str | None:
    """A file's hash as RECORD spells it (PEP 376); None if the file is gone."""
    path = file.locate()
    try:
        with open(path, "rb") as opened:
            content = opened.read()
    except FileNotFoundError:
        return None
    kind = file.hash.mode if file.hash else "sha256"
    return (
        base64.urlsafe_b64encode(hashlib.new(kind, content).digest())
        .decode("ascii")
        .rstrip("=")
    )
