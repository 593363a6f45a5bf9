"""Writes documents with their facts and mentions, one JSON line each."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console
from rich.progress import track

from ....objectives.errors import UsageError
from ...files import write_json_lines
from .policy import Policy


@runtime_checkable
class _Corpus(Protocol):
    """What `export` needs from a corpus of policies."""

    def documents(self, split: str) -> Sequence[str]: ...

    def policy(self, split: str, index: int) -> Policy: ...


def as_json(policy: Policy) -> dict[str, object]:
    """A policy as JSON values; every mention also has its words."""
    return {
        "text": policy.text,
        "domain": policy.domain,
        "titles": list(policy.titles),
        "facts": [fact._asdict() for fact in policy.facts],
        "mentions": [
            mention._asdict() | {"words": policy.text[mention.start : mention.stop]}
            for mention in policy.mentions
        ],
        "paragraphs": [paragraph._asdict() for paragraph in policy.paragraphs],
    }


def write_jsonl(path: Path, policies: Iterable[Policy]) -> None:
    """Writes one line per policy; `path` appears only when all are written.

    Raises:
      OSError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json_lines(path, map(as_json, policies))


def export(
    folder: Path, *, corpus: _Corpus, split: str, documents: int | None = None
) -> Path:
    """Writes the first documents of a split to `folder/SPLIT.jsonl`; shows progress.

    Args:
      folder: to write to; made if missing.
      corpus: the policies.
      split: name of the split.
      documents: how many; None for all.

    Raises:
      ValueError: there is no such split, or it has fewer documents.
    """
    count = len(corpus.documents(split))
    if documents is not None and not 0 <= documents <= count:
        raise UsageError(
            f"documents is {documents}; {split!r} has {count}: ask for at most that, "
            f"or set {split}_documents."
        )
    indices = range(count if documents is None else documents)
    path = folder / f"{split}.jsonl"
    bar = Console(stderr=True)
    hidden = not bar.is_terminal
    description = f"policies/{split}"
    tracked = track(indices, description, console=bar, transient=True, disable=hidden)
    write_jsonl(path, (corpus.policy(split, index) for index in tracked))
    return path
