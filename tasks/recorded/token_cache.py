"""The tokens of corpora on disk, tokenised once, in ranges of documents.

A range is tokenised independently of all others. It has two files, the tokens and the
documents' lengths; the lengths are written last, so that a range with both is whole.
"""

import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int32, Int64

from ..corpora import Corpus
from ..examples.mixture import Mixture
from ..files import write_whole
from ..tokens.tokenised_documents import TokenisedDocuments
from ..tokens.vocabulary import vocabulary

_LOG = logging.getLogger(__name__)

RANGE = 1024
"""Documents of a range."""


class TokenRange(NamedTuple):
    """A range of the documents of a corpus's split, to be tokenised.

    Attributes:
      corpus: its name in the mixture.
      split: of the corpus.
      number: of the range; it begins with document `number * RANGE`.
    """

    corpus: str
    split: str
    number: int

    def __str__(self) -> str:
        first = self.number * RANGE
        return f"tokens of {self.corpus}:{self.split} from document {first:,}"


def ranges(corpus: str, split: str, documents: int) -> list[TokenRange]:
    """All ranges of a split with that many documents."""
    return [TokenRange(corpus, split, n) for n in range(-(-documents // RANGE))]


def write_range(
    folder: Path,
    part: TokenRange,
    *,
    mixture: Mixture,
    open_documents: Callable[[str, str], Any],
) -> None:
    """Tokenises a range, unless it has been.

    Args:
      folder: of the cache.
      part: the range.
      mixture: of the vocabulary.
      open_documents: `(corpus, split)` to its documents.
    """
    lengths_file, tokens_file = _files(folder, part)
    if _is_whole(lengths_file, tokens_file):
        return
    vocab = vocabulary(mixture.vocabulary)
    documents = open_documents(part.corpus, part.split)
    first = part.number * RANGE
    indices = range(first, min(first + RANGE, len(documents)))
    tokens = [vocab.encode_document(documents[index]) for index in indices]
    kind = np.uint16 if vocab.size <= 2**16 else np.uint32
    lengths = np.array([len(document) for document in tokens], np.int32)
    _write_array(tokens_file, np.concatenate(tokens).astype(kind))
    _write_array(lengths_file, lengths)


def forget(folder: Path) -> None:
    """Removes all ranges of a cache, which may hold text that has changed since."""
    for ending in ("lengths", "tokens"):  # without its lengths a range is not whole
        for path in folder.glob(f"*.{ending}.npy"):
            path.unlink()


class CachedTokens(TokenisedDocuments):
    """The tokens of a split's documents, read from the cache's files.

    Args:
      folder: of the cache, with every range of the split.
      corpus: of the documents.
      split: of the corpus.
      documents: in the split.
    """

    def __init__(self, folder: Path, corpus: Corpus, *, split: str, documents: int):
        self.corpus = corpus.name
        self.name = f"{corpus.name}:{split}"
        files = [_files(folder, r) for r in ranges(corpus.name, split, documents)]
        self._tokens_files = [tokens for _, tokens in files]
        self._mapped: dict[int, np.ndarray] = {}
        by_range = [np.load(lengths, allow_pickle=False) for lengths, _ in files]
        self.lengths: Int64[np.ndarray, " N"] = np.concatenate(
            [*by_range, np.zeros(0, np.int32)]
        ).astype(np.int64)
        starts = [np.cumsum(lengths) - lengths for lengths in by_range]
        self._starts = np.concatenate([*starts, np.zeros(0, np.int64)])

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Int32[np.ndarray, " N"]:
        number = index // RANGE
        mapped = self._mapped.get(number)
        if mapped is None:
            mapped = np.load(
                self._tokens_files[number], mmap_mode="r", allow_pickle=False
            )
            self._mapped[number] = mapped
        start = int(self._starts[index])
        return np.asarray(mapped[start : start + int(self.lengths[index])], np.int32)


def _files(folder: Path, part: TokenRange) -> tuple[Path, Path]:
    corpus = part.corpus.replace("/", ":")
    stem = f"{corpus}-{part.split}-{part.number:07d}"
    return folder / f"{stem}.lengths.npy", folder / f"{stem}.tokens.npy"


def _is_whole(lengths_file: Path, tokens_file: Path) -> bool:
    """Whether both files are there and belong together."""
    if not (lengths_file.exists() and tokens_file.exists()):
        return False
    try:
        lengths = np.load(lengths_file, allow_pickle=False)
        tokens = np.load(tokens_file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        _LOG.warning("%s is made again: %s", tokens_file, error)
        return False
    return int(lengths.sum()) == len(tokens)


def _write_array(path: Path, array: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_whole(path, buffer.getvalue())
