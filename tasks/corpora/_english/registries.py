"""Packages from the registries that this machine is configured for; none is named here.

npm's registry is the one that npm, its environment or `~/.npmrc` names; Debian's are
those of apt. Archives are only unpacked: nothing is installed and nothing in them runs.
"""

import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from .recipe import Archive


class UnavailableError(Exception):
    """A registry does not give an archive, or this machine has no client for it."""


def download(archive: Archive, folder: Path) -> Path:
    """Downloads an archive into an empty folder; returns its file.

    Raises:
      UnavailableError: saying why it cannot be had.
    """
    if archive.registry == "npm":
        _npm(archive, folder)
    else:
        _debian(archive, folder)
    files = [path for path in folder.iterdir() if path.is_file()]
    if len(files) != 1:
        raise UnavailableError(f"its client left {len(files)} files instead of one")
    return files[0]


def version(archive: Archive, file: Path) -> str:
    """The version of a downloaded archive: the pinned one, or that of the package."""
    return archive.version or _run(["dpkg-deb", "--field", str(file), "Version"])


def _npm(archive: Archive, folder: Path) -> None:
    name = archive.packages[0]
    if shutil.which("npm"):
        spec = f"{name}@{archive.version}"
        # `pack` of a name downloads the archive; its scripts are not run.
        command = ["npm", "pack", spec, "--ignore-scripts", "--silent"]
        _run([*command, "--pack-destination", str(folder)])
        return
    if not (registry := _npm_registry()):
        raise UnavailableError("there is no npm, and no registry in its configuration")
    file = f"{name.rpartition('/')[2]}-{archive.version}.tgz"
    address = f"{registry.rstrip('/')}/{name}/-/{file}"
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            with (folder / file).open("wb") as stream:
                shutil.copyfileobj(answer, stream)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise UnavailableError(f"the npm registry: {error}") from error


def _npm_registry() -> str:
    """The address of npm's registry in the environment or `~/.npmrc`; "" if none."""
    for name, value in os.environ.items():
        if name.lower() == "npm_config_registry":
            return value
    settings = Path.home() / ".npmrc"
    if settings.is_file():
        for line in settings.read_text(errors="replace").splitlines():
            if found := re.match(r"\s*registry\s*=\s*(\S+)", line):
                return found[1]
    return ""


def _debian(archive: Archive, folder: Path) -> None:
    for client in ("apt-get", "dpkg-deb"):
        if not shutil.which(client):
            raise UnavailableError(f"this machine has no {client}")
    failures = []
    for package in archive.packages:
        try:
            _run(["apt-get", "download", package], folder)
            return
        except UnavailableError as error:
            failures.append(str(error))
    reason = "; ".join(dict.fromkeys(failures))
    raise UnavailableError(f"{reason}; if apt's lists are old, run apt-get update")


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    """What a client prints; Unavailable with its last line if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise UnavailableError(f"{command[0]}: {lines[-1]}")
    return done.stdout.strip()
