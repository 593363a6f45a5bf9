"""Writes documents with their facts and mentions, one JSON line each."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.progress import track

from .policy import Policy


@runtime_checkable
class _Corpus(Protocol):
    """What `export` asks of a corpus of policies."""

    def documents(self, split: str) -> Sequence[str]: ...

    def policy(self, split: str, index: int) -> Policy: ...


def as_json(policy: Policy) -> dict[str, object]:
    """A policy as JSON takes it; every mention also has its words."""
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
    """Writes one line a policy; `path` appears only when all are written.

    Raises:
      OSError: the folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            for policy in policies:
                file.write(json.dumps(as_json(policy)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def export(
    folder: Path, *, corpus: _Corpus, split: str, documents: int | None = None
) -> Path:
    """Writes the first documents of a split to `folder/SPLIT.jsonl`; shows progress.

    Args:
      folder: where to; made when missing.
      corpus: the policies.
      split: name of the split.
      documents: how many; all of them when None.

    Raises:
      ValueError: there is no such split, or it has fewer documents.
    """
    count = len(corpus.documents(split))
    if documents is not None and not 0 <= documents <= count:
        raise ValueError(
            f"documents is {documents}; {split!r} has {count}: ask for at most that, "
            f"or set {split}_documents."
        )
    indices = range(count if documents is None else documents)
    path = folder / f"{split}.jsonl"
    shown = track(indices, description=f"policies/{split}", transient=True)
    write_jsonl(path, (corpus.policy(split, index) for index in shown))
    return path
