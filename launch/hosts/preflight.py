"""Checks before the first step that the processes of a run are of one run.

Processes that disagree train on, each something else, or hang: jax compares nothing.
"""

import difflib
import functools
import hashlib
import json
import platform
import secrets
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import jax

from ...objectives.errors import UsageError
from . import coordination

_SHARE_SECONDS = 10.0
"""For a file to be seen by all hosts of a shared file system."""


def check_equal(facts: Mapping[str, str]) -> None:
    """Compares facts over the processes.

    Args:
      facts: texts by name, "config"; long ones are compared by their digest.

    Raises:
      UsageError: they differ; says in which processes, and in which lines.
    """
    mine = {
        name: hashlib.sha256(text.encode()).hexdigest()[:12]
        for name, text in facts.items()
    }
    told = coordination.exchange("preflight", json.dumps(mine))
    digests = [json.loads(text) for text in told]
    differing = [name for name in mine if len({d.get(name) for d in digests}) > 1]
    if not differing:
        return
    # Only now are whole texts sent: there may be thousands of processes.
    name = differing[0]
    texts = coordination.exchange(f"preflight, {name}", f"{facts[name]}\n")
    groups: dict[str, list[int]] = {}
    for number, text in enumerate(texts):
        groups.setdefault(text, []).append(number)
    usual, *others = sorted(groups, key=lambda text: -len(groups[text]))
    raise UsageError(
        f"the processes differ in their {name}: "
        + "; ".join(
            f"{_names(groups[other])} against {_names(groups[usual])}:\n"
            f"{_difference(usual, other)}"
            for other in others
        )
        + "\nStart all with the same command, files and installation."
    )


def _names(numbers: list[int]) -> str:
    shown = ", ".join(map(coordination.name_of, numbers[:4]))
    more = len(numbers) - 4
    return f"{shown} and {more} more" if more > 0 else shown


def _difference(usual: str, other: str) -> str:
    lines = difflib.unified_diff(usual.splitlines(), other.splitlines(), n=0)
    # Behind two lines of names, which have no other sign than what is changed.
    changed = [line for line in [*lines][2:] if not line.startswith("@@")]
    return "\n".join(f"  {line}" for line in changed[:10])


def check_shared(folder: Path) -> None:
    """Shows that all processes see the same folder.

    Process 0 writes a file with a random name, which all must find.

    Args:
      folder: the run's; it exists on process 0.

    Raises:
      UsageError: some process does not see the file; says which.
    """
    if not coordination.together():
        return
    name = f".shared-{secrets.token_hex(8)}" if coordination.process() == 0 else ""
    if name:
        (folder / name).touch()
    name = coordination.from_first("preflight, a file in the run directory", name)
    seen = coordination.exchange(
        "preflight, the file is seen", json.dumps(_appears(folder / name))
    )
    if coordination.process() == 0:
        (folder / name).unlink()
    blind = [number for number, found in enumerate(seen) if not json.loads(found)]
    if blind:
        raise UsageError(
            f"{_names(blind)} cannot see what {coordination.name_of(0)} writes to "
            f"{str(folder)!r}; --run_dir must be one folder that all hosts share, and "
            "here each has its own. Give the path of a shared file system."
        )


def _appears(path: Path) -> bool:
    deadline = time.monotonic() + _SHARE_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


@functools.cache
def code_version() -> str:
    """Versions of what computes, and a digest of Sightline's own source files."""
    root = Path(__file__).resolve().parents[2]
    sha256 = hashlib.sha256()
    for floor in ("objectives", "models", "tasks", "diagnosis", "launch"):
        for path in sorted((root / floor).rglob("*.py")):
            sha256.update(f"{path.relative_to(root)}\0".encode())
            sha256.update(path.read_bytes())
    names = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
    versions = [f"{name} {metadata.version(name)}" for name in names]
    return "\n".join(
        [
            f"source {sha256.hexdigest()[:16]}",
            f"python {platform.python_version()}",
            f"devices {jax.default_backend()}",
            *versions,
        ]
    )
