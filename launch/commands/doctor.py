"""`sightline doctor`: check what is installed and how to get what is missing."""

import argparse
import base64
import hashlib
import importlib.metadata as metadata
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...tasks.user_folder import user_folder
from ..configuration import files
from ._arguments import parse

RIVALS = (("seqio", "seqio-nightly"), ("tensorflow-datasets", "tfds-nightly"))
"""Pairs that install over the same files: a release, and the nightly that t5 needs."""

CORPORA = "corpora"
"""The extra that reads text."""

DEVICE_SECONDS = 60
"""How long jax may take to find its devices."""


class Finding(NamedTuple):
    """One line of the report."""

    what: str
    state: Literal["ok", "note", "missing"]
    text: str


def main(arguments: Sequence[str]) -> int:
    """Prints the report; exit status 1 if a requirement is missing."""
    parse(argparse.ArgumentParser("sightline doctor", description=__doc__), arguments)
    table = Table("", "", "", show_header=False)
    missing = False
    colours = {"ok": "green", "note": "yellow", "missing": "bold red"}
    for finding in findings(os.environ):
        colour = colours[finding.state]
        table.add_row(
            finding.what, f"[{colour}]{finding.state}[/]", escape(finding.text)
        )
        missing |= finding.state == "missing"
    Console().print(table)
    return int(missing)


def findings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """All findings, the slow ones last."""
    yield _python()
    yield from map(_version, requirements())
    yield from map(_version_of_text, requirements(CORPORA))
    yield from (_installed_last(*pair) for pair in RIVALS)
    yield _gin_files()
    yield _corpora(user_folder(environment))
    yield _devices(environment)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    return Finding("python", "ok" if good else "missing", f"{version}; needs ≥ 3.11")


def requirements(extra: str = "") -> list[Requirement]:
    """The package's declared requirements, or those that an extra adds to them."""
    declared = [Requirement(r) for r in metadata.requires("sightline") or ()]
    base, wanted = (
        [r for r in declared if r.marker is None or r.marker.evaluate({"extra": name})]
        for name in ("", extra)
    )
    return [r for r in wanted if r not in base] if extra else base


def _version(requirement: Requirement) -> Finding:
    """Whether a distribution is installed in a version that fits."""
    name, versions = requirement.name, requirement.specifier
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        advice = f"not installed; run pip install -c constraints.txt {name}"
        return Finding(name, "missing", advice)
    if version not in versions:
        advice = f"{version}, but {versions} is needed; run pip install '{requirement}'"
        return Finding(name, "missing", advice)
    return Finding(name, "ok", version)


def _version_of_text(requirement: Requirement) -> Finding:
    """As `_version`, of what only the reading of text needs."""
    finding = _version(requirement)
    if finding.state == "ok":
        return finding
    text = f"{finding.text}; needed to read text, not to train on recorded rows"
    return finding._replace(state="note", text=text)


def _installed_last(release: str, nightly: str) -> Finding:
    """Which of two distributions the files on disk belong to."""
    what = f"{release} on disk"
    shares = {name: intact_share(name) for name in (release, nightly)}
    if shares[release] is None:
        return Finding(what, "note", f"{release} is not installed")
    if shares[nightly] is None:
        return Finding(what, "ok", f"the release; {nightly} is not installed")
    intact = ", ".join(f"{name}: {share:.0%}" for name, share in shares.items())
    if shares[release] == 1:
        return Finding(what, "ok", f"the release won (files as recorded: {intact})")
    return Finding(
        what,
        "note",
        f"the release did not win (files as recorded: {intact}); run pip install "
        f"-c constraints.txt --force-reinstall --no-deps {release}",
    )


def _gin_files() -> Finding:
    names = files.shipped()
    if not names:
        return Finding("gin files", "missing", f"none below {files.SHIPPED}")
    return Finding("gin files", "ok", ", ".join(names))


def _corpora(root: Path) -> Finding:
    """Which corpora are prepared, as found on disk without TensorFlow."""
    markers = [*root.glob("*/**/dataset_info.json"), *root.glob("text/*/prepared.json")]
    if not markers:
        text = f"none below {root}; the first run prepares it, without a download"
        return Finding("corpora", "note", text)
    names: list[str] = []
    for marker in sorted(markers):
        name = str(marker.parent.relative_to(root))
        source = _source_of_text(marker) if marker.name == "prepared.json" else ""
        names.append(f"{name} ({source})" if source else name)
    return Finding("corpora", "ok", f"{', '.join(names)} below {root}")


def _source_of_text(marker: Path) -> str:
    """The folder of a prepared `text` corpus, and its number of documents."""
    try:
        prepared = json.loads(marker.read_text("utf-8"))
        return f"{sum(prepared['documents'].values()):,} of {prepared['folder']}"
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        return f"damaged: {type(error).__name__}; delete this folder"


def _devices(environment: Mapping[str, str]) -> Finding:
    """What jax finds, in a process of its own that may time out."""
    platforms = environment.get("JAX_PLATFORMS")
    if importlib.util.find_spec("libtpu") and not platforms:
        return Finding(
            "devices",
            "note",
            "not checked: libtpu is installed and JAX_PLATFORMS is not set, so jax "
            "hangs where there is no TPU; set JAX_PLATFORMS=tpu, or =cpu without one",
        )
    code = (
        "import jax; d = jax.devices(); "
        "print(len(d), 'x', d[0].device_kind, f'({d[0].platform})')"
    )
    try:
        process = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=DEVICE_SECONDS,
            env=dict(environment),
        )
    except subprocess.TimeoutExpired:
        text = f"jax found none in {DEVICE_SECONDS} s; try JAX_PLATFORMS=cpu"
        return Finding("devices", "missing", text)
    if process.returncode:
        last = (process.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding("devices", "missing", f"jax cannot start: {last}")
    return Finding("devices", "ok", process.stdout.strip())


def intact_share(name: str) -> float | None:
    """The share of a distribution's Python files that match its RECORD.

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
    intact = [_digest(file) == file.hash.value for file in files if file.hash]
    return sum(intact) / len(intact) if intact else 0.0


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
