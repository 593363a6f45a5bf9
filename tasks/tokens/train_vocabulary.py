"""Trains a SentencePiece model on corpora: how the shipped vocabularies were made.

    python -m sightline.tasks.tokens.train_vocabulary python_docs.model python_docs
    python -m sightline.tasks.tokens.train_vocabulary policies.model \\
        policies=1500000 python_docs=750000
    python -m sightline.tasks.tokens.train_vocabulary policies_small.model \\
        policies=1000000 --words --settings='{"kinds": ["retention"], "wordings": 3,
        "numbers": 20, "departments": 4, "fewest_sections": 3, "most_sections": 3,
        "most_paragraphs": 1, "fewest_facts": 2, "most_facts": 2, "fewest_mentions": 3,
        "most_mentions": 3, "most_links": 1, "fewest_fillers": 0, "most_fillers": 0,
        "titled": 0.0, "openers": 0.0, "references": 0.0, "second_forms": 0.0}'
    python -m sightline.tasks.tokens.train_vocabulary english.model english \\
        --pieces=8192 --every=16

`NAME=N` reads documents from the start of the train split until N characters are read.
`--words` makes each of their words a piece; for small languages such as that of
`policies` with few kinds of facts in few wordings, which the study trains on.
`--every=K` reads every K-th document, for a corpus too large to train on.
The output is `vocabularies/*.model`, byte for byte, with corpora of default settings
and the `python_docs` of CPython 3.11; for `english`, with the packages of
`docs/corpora.md`.

Two parts of policies to one of general English are chosen from these, by tokens per
word on the validation splits (millions of characters; the first is `python_docs`):

    policies   python_docs   tokens a word: policies   python_docs
           0           2.1                      2.83          2.42
           2             0                      1.83          3.25
           2            .3                      1.66          2.98
         1.5            .5                      1.69          2.83
         1.5           .75                      1.70          2.71
           1             1                      1.78          2.60

With the values' words whole (`values.whole_words`) it is 1.72 and 2.75.
"""

import argparse
import io
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sentencepiece

from ...objectives.errors import UsageError, require_count
from .. import corpora
from ..corpora._policies.values import whole_words
from ..files import write_whole

SPACE = "▁"
"""How SentencePiece writes a space."""

CONTROL = 3 + 256
"""Pad, eos, unk, and the bytes."""

LONGEST = 2**20
"""Bytes of the longest text that SentencePiece takes; it drops longer ones."""


def train_vocabulary(
    documents: Iterable[str], *, pieces: int = 1024, whole: Sequence[str] = ()
) -> bytes:
    """Trains a SentencePiece unigram model; returns its serialised bytes.

    Lossless: no normalisation, every space kept, bytes where there is no piece. Each
    digit is a separate piece, so that a number has as many pieces as digits, and a
    paragraph break is one piece. Trained on whole documents, so that the words
    that open a paragraph become pieces too. One thread, so that equal documents give
    equal bytes.

    Args:
      documents: texts of the train split; those above `LONGEST` are cut.
      pieces: size of the vocabulary, with pad, eos, unk and 256 bytes.
      whole: texts that are always one piece, such as " forty".

    Raises:
      UsageError: the documents do not give so many pieces, or need more.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(part for text in documents for part in cut(text)),
            model_writer=model,
            model_type="unigram",
            vocab_size=pieces,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            split_digits=True,
            byte_fallback=True,
            user_defined_symbols=["\n\n", *(w.replace(" ", SPACE) for w in whole)],
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            max_sentence_length=LONGEST,
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        said = str(error).rpartition("] ")[2]
        raise UsageError(
            f"SentencePiece makes no vocabulary of {pieces:,} pieces of these "
            f"documents: {said} Set --pieces, or give other documents."
        ) from error
    return model.getvalue()


def cut(document: str, longest: int = LONGEST) -> Iterator[str]:
    """The parts of a document, each of up to `longest` (4 or more) bytes.

    It is cut before the last paragraph, line or word that begins within them, or else
    between two characters.
    """
    data = document.encode()
    while len(data) > longest:
        ends = (data.rfind(mark, 1, longest) for mark in (b"\n\n", b"\n", b" "))
        end = next((end for end in ends if end > 0), longest)
        while data[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        yield data[:end].decode()
        data = data[end:]
    yield data.decode()


def words_of(documents: Iterable[str]) -> tuple[str, ...]:
    """Every word and number of the documents, with the space before it, if any."""
    words = (word for text in documents for word in re.findall(r" ?\w+", text))
    return tuple(dict.fromkeys(word for word in words if len(word) > 1))


def read(
    name: str, characters: int | None = None, every: int = 1, **settings: Any
) -> Iterator[str]:
    """Documents of a corpus's train split, up to `characters`; None for all."""
    total = 0
    documents = corpora.get(name, **settings).documents("train")
    for index in range(0, len(documents), every):
        document = documents[index]
        if characters is not None and total >= characters:
            return
        total += len(document)
        yield document


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains on corpora's train splits and writes the model to a path.

    Returns:
      The exit status: 2 after a mistake, with one message.
    """
    options = _parser().parse_args(arguments)
    try:
        _train(options)
    except UsageError as error:
        print(f"sightline: {error}", file=sys.stderr)
        return 2
    return 0


def _train(options: argparse.Namespace) -> None:
    _check_path(options.path)
    require_count("--pieces", options.pieces)
    require_count("--every", options.every)
    settings = _settings(options.settings)
    parts = [_part(part) for part in options.corpora]
    for name, _ in parts:
        corpora.get(name, **settings).check()
    documents = [
        text
        for name, characters in parts
        for text in read(name, characters, options.every, **settings)
    ]
    for name, _ in parts:
        if line := corpora.not_read(corpora.get(name, **settings)):
            print(line, file=sys.stderr)
    pieces, whole = options.pieces, ()
    if options.words:
        whole = words_of(documents)
        others = re.sub(r" ?\w\w+|\n", "", "".join(documents)).replace(" ", SPACE)
        pieces = CONTROL + len({"\n\n", *whole, *others})
    elif any(name == "policies" for name, _ in parts):
        whole = whole_words()
    write_whole(options.path, train_vocabulary(documents, pieces=pieces, whole=whole))


def _check_path(path: Path) -> None:
    """Refuses a path that no model can be written to, before one is trained."""
    if not path.parent.is_dir():
        raise UsageError(
            f"the model cannot be written to {path}: there is no folder {path.parent}; "
            "make it, or give another path."
        )
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        why = "it is a folder" if path.is_dir() else f"{path.parent} is not writable"
        raise UsageError(
            f"the model cannot be written to {path}: {why}; give another path."
        )


def _settings(text: str) -> dict[str, Any]:
    """Settings of the corpora, from the JSON of `--settings`."""
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise UsageError(
            f"--settings is {text!r}; give a JSON object of the corpora's settings, "
            'such as {"seed": 1}.'
        )
    return settings


def _part(text: str) -> tuple[str, int | None]:
    """The name and the characters of `NAME=N`; of `NAME` None."""
    name, given, characters = text.partition("=")
    if given and not (characters.isdecimal() and int(characters)):
        raise UsageError(
            f"{text!r} reads {characters!r} characters of {name}; give a whole number "
            f"from 1, as in {name}=1500000, or the name alone for all."
        )
    return name, int(characters) if given else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("path", type=Path, metavar="PATH", help="of the model, as mine.model")
    add(
        "corpora",
        nargs="+",
        metavar="CORPUS[=N]",
        help="its name; only the first N characters of its train split",
    )
    add("--pieces", type=int, default=1024, metavar="N", help="of the model (1024)")
    add("--every", type=int, default=1, metavar="K", help="read every K-th document")
    add("--words", action="store_true", help="every word is a piece; not --pieces")
    add(
        "--settings",
        default="{}",
        metavar="JSON",
        help="of the corpora: an object of names and values",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
