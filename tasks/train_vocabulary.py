"""Trains a corpus's SentencePiece model: `python -m sightline.tasks.train_vocabulary`.

The model shipped as `vocabularies/python_docs.model` is this file's output for the
corpus `python_docs` of CPython 3.11.
"""

import argparse
import io
from collections.abc import Iterable
from pathlib import Path

import sentencepiece

from . import corpora


def train_vocabulary(documents: Iterable[str], *, pieces: int = 1024) -> bytes:
    """Trains a SentencePiece unigram model and gives its serialised bytes.

    Lossless: no normalisation, every space kept, bytes for what has no piece. Each
    digit is a piece of its own, and a paragraph break is one piece. Trained on whole
    documents, so that the words that open a paragraph become pieces too. One thread,
    so that equal documents give equal bytes.

    Args:
      documents: texts of the train split.
      pieces: size of the vocabulary, with pad, eos, unk and 256 bytes.
    """
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(documents),
        model_writer=model,
        model_type="unigram",
        vocab_size=pieces,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        byte_fallback=True,
        user_defined_symbols=["\n\n"],
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        max_sentence_length=1 << 20,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def main() -> None:
    """Trains on a corpus's train split and writes the model to a path."""
    parser = argparse.ArgumentParser(description=train_vocabulary.__doc__)
    parser.add_argument("corpus")
    parser.add_argument("path", type=Path)
    parser.add_argument("--pieces", type=int, default=1024)
    chosen = parser.parse_args()
    documents = corpora.get(chosen.corpus).documents("train")
    chosen.path.write_bytes(train_vocabulary(documents, pieces=chosen.pieces))


if __name__ == "__main__":
    main()
